// Small JSON answers that wait to be read, away from the requests: a few unpacked at once, parsed a little at a time, and no more
// than fit into a bounded memory.
import type { Coding } from '../unpack.ts';
import { unread, type UnreadValue } from './event-value.ts';

/** Longest answer that is looked into, packed and unpacked. */
export const largestJsonBytes = 65_536;
const mostWaitingBytes = 4_194_304;
/** So long requests wait at most for answers that are parsed. */
const turnMs = 1;
/** The platform has four threads, and names and tokens need some too. */
const mostUnpackedAtOnce = 2;

export type JsonReading = { readonly ok: true; readonly document: unknown } | UnreadValue;

export type JsonAnswer = {
  readonly body: Buffer;
  readonly coding: Coding;
  /** Called once, later. */
  readonly read: (reading: JsonReading) => void;
};

export class JsonAnswers {
  readonly #packed = new Set<JsonAnswer>();
  #unpackerCount = 0;
  #allUnpacked: (() => void) | null = null;
  #waiting: Pick<JsonAnswer, 'body' | 'read'>[] = [];
  #waitingBytes = 0;

  /** False: too much waits already, and nobody will read it. */
  add(answer: JsonAnswer): boolean {
    if (this.#waitingBytes + answer.body.length > mostWaitingBytes) return false;
    this.#waitingBytes += answer.body.length;
    if (answer.coding.unpack === null) this.#parseLater(answer);
    else this.#unpackLater(answer);
    return true;
  }

  /** Reads all that waits. */
  async finish(): Promise<void> {
    if (this.#unpackerCount > 0) await new Promise<void>((resolve) => (this.#allUnpacked = resolve));
    this.#work(Infinity);
  }

  #unpackLater(answer: JsonAnswer): void {
    this.#packed.add(answer);
    if (this.#unpackerCount < mostUnpackedAtOnce) void this.#unpackAll();
  }

  /** Takes one after another until none is left. */
  async #unpackAll(): Promise<void> {
    this.#unpackerCount += 1;
    for (const answer of this.#packed) {
      this.#packed.delete(answer);
      const { body, coding, read } = answer;
      const unpacked = await coding.unpack!(body, largestJsonBytes);
      this.#waitingBytes -= body.length;
      if (unpacked.ok) {
        this.#waitingBytes += unpacked.bytes.length;
        this.#parseLater({ body: unpacked.bytes, read });
      } else read(unread(unpacked.reason === 'broken' ? 'not-json' : unpacked.reason));
    }
    this.#unpackerCount -= 1;
    if (this.#unpackerCount === 0) this.#allUnpacked?.();
  }

  #parseLater(answer: Pick<JsonAnswer, 'body' | 'read'>): void {
    if (this.#waiting.length === 0) setImmediate(() => this.#work(turnMs));
    this.#waiting.push(answer);
  }

  #work(forMs: number): void {
    const untilMs = performance.now() + forMs;
    let done = 0;
    for (const { body, read } of this.#waiting) {
      done += 1;
      this.#waitingBytes -= body.length;
      read(parse(body));
      if (performance.now() >= untilMs) break;
    }
    this.#waiting = this.#waiting.slice(done);
    if (this.#waiting.length > 0) setImmediate(() => this.#work(turnMs));
  }
}

function parse(body: Buffer): JsonReading {
  try {
    return { ok: true, document: JSON.parse(body.toString('utf8')) };
  } catch {
    return unread('not-json');
  }
}
