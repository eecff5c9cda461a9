// Small JSON answers that wait to be parsed, away from the requests: a little at a time, and no more than fit into a bounded memory.

/** Longest answer that is looked into. */
export const largestJsonBytes = 65_536;
const mostWaitingBytes = 4_194_304;
/** So long requests wait at most for answers that are parsed. */
const turnMs = 1;

type Waiting = { readonly body: Buffer; readonly parsed: (document: unknown) => void };

/** `undefined` stands for what is not JSON: no JSON document is undefined. */
export class JsonAnswers {
  #waiting: Waiting[] = [];
  #waitingBytes = 0;

  /** Calls back later; false: too much waits already. */
  add(body: Buffer, parsed: (document: unknown) => void): boolean {
    if (this.#waitingBytes + body.length > mostWaitingBytes) return false;
    if (this.#waiting.length === 0) setImmediate(() => this.#work(turnMs));
    this.#waiting.push({ body, parsed });
    this.#waitingBytes += body.length;
    return true;
  }

  /** Parses all that waits, now. */
  finish(): void {
    this.#work(Infinity);
  }

  #work(forMs: number): void {
    const untilMs = performance.now() + forMs;
    let done = 0;
    for (const { body, parsed } of this.#waiting) {
      done += 1;
      this.#waitingBytes -= body.length;
      parsed(parse(body));
      if (performance.now() >= untilMs) break;
    }
    this.#waiting = this.#waiting.slice(done);
    if (this.#waiting.length > 0) setImmediate(() => this.#work(turnMs));
  }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
