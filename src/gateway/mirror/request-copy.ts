// One copy of a request: sent to the candidate beside the original, its answer counted, compared where that is asked for, and
// thrown away. Whatever happens here, the user's own request knows nothing of it.
import { type ComparedAnswer, differencesBetween, type Mirror } from '../../rollout/mirror.ts';
import type { MirrorDifference, MirrorRecord } from '../../rollout/mirror-record.ts';
import type { FaultKind } from '../../rollout/outcome.ts';
import type { AnswerTap } from '../answer-tap.ts';
import type {
  AnswerHandler,
  Attempt,
  BodySource,
  UpstreamClient,
  UpstreamRequest,
} from '../upstream/upstream-client.ts';
import { CapturedBody } from './captured-body.ts';

/** What a mirror needs of its gateway. */
export type MirrorParts = {
  readonly mirror: Mirror;
  readonly rollout: string;
  mirrored(record: MirrorRecord): void;
  differed(difference: MirrorDifference): void;
  /** Connections to a server of the candidate that no user's request is on; null: no server is up. */
  pick(): UpstreamClient | null;
};

/** What is copied; `hasBody`: a body follows, and the copy goes out when all of it is here. */
export type Original = Omit<UpstreamRequest, 'body'> & {
  readonly hasBody: boolean;
  readonly requestId: string;
  readonly target: string;
};

/** Side by side: the user's answer, and the copy's. */
type Side = { status: number; headers: readonly string[]; readonly body: CapturedBody; isWhole: boolean };

export class RequestCopy implements AnswerTap, AnswerHandler {
  readonly #parts: MirrorParts;
  readonly #ended: () => void;
  readonly #original: Original;
  readonly #requestBody: CapturedBody;
  readonly #user: Side;
  readonly #copy: Side;
  readonly #timer: NodeJS.Timeout;
  #attempt: Attempt | null = null;
  #userEnded: boolean;
  #copyEnded = false;

  /** `ended` is called once, when nothing of the copy is under way any more. */
  constructor(parts: MirrorParts, original: Original, ended: () => void) {
    const { bodyBytes, diff, to } = parts.mirror;
    this.#parts = parts;
    this.#ended = ended;
    this.#original = original;
    this.#requestBody = new CapturedBody(bodyBytes);
    this.#user = { status: 0, headers: [], body: new CapturedBody(bodyBytes), isWhole: false };
    this.#copy = { status: 0, headers: [], body: new CapturedBody(bodyBytes), isWhole: false };
    // An answer without an end (server-sent events) must not hold a connection for ever.
    this.#timer = setTimeout(() => this.#giveUp(), to.timeouts.responseMs).unref();
    this.#userEnded = diff === null && !original.hasBody;
    if (!original.hasBody) this.#send();
  }

  /** Whether it wants to see the original go by. */
  get looksOn(): boolean {
    return !this.#userEnded;
  }

  sent(chunk: Buffer): void {
    if (this.#original.hasBody) this.#requestBody.add(chunk);
  }

  head(status: number, rawHeaders: readonly string[]): void {
    this.#user.status = status;
    this.#user.headers = rawHeaders;
  }

  data(chunk: Buffer): void {
    if (this.#parts.mirror.diff?.json) this.#user.body.add(chunk);
  }

  end(isWhole: boolean): void {
    this.#userEnded = true;
    this.#user.isWhole = isWhole && this.#user.status !== 0;
    if (this.#original.hasBody && !this.#copyEnded && isWhole) this.#send();
    else if (this.#original.hasBody) this.#endCopy();
    this.#compareIfDone();
  }

  #send(): void {
    const { rollout, mirror } = this.#parts;
    const version = mirror.to.name;
    const body = this.#original.hasBody ? this.#requestBody.bytes() : Buffer.alloc(0);
    const client = body === null ? null : this.#parts.pick();
    if (client === null) {
      const reason = body === null ? 'body-too-long' : 'no-server';
      this.#parts.mirrored({ rollout, version, kind: 'skipped', reason });
      return this.#endCopy();
    }
    const { method, path, headers } = this.#original;
    const source = body === null || body.length === 0 ? null : heldBody(body);
    this.#attempt = client.send({ method, path, headers, body: source }, this);
  }

  onSent(): void {}

  onInterim(): void {}

  onHead(status: number, _reason: string, rawHeaders: readonly string[]): void {
    this.#copy.status = status;
    this.#copy.headers = rawHeaders;
    const { rollout, mirror } = this.#parts;
    this.#parts.mirrored({ rollout, version: mirror.to.name, kind: 'answered', code: status });
  }

  onData(chunk: Buffer): boolean {
    if (this.#parts.mirror.diff?.json) this.#copy.body.add(chunk);
    return true;
  }

  onComplete(): void {
    this.#copy.isWhole = true;
    this.#endCopy();
    this.#compareIfDone();
  }

  onFailed(kind: FaultKind): void {
    const { rollout, mirror } = this.#parts;
    this.#parts.mirrored({ rollout, version: mirror.to.name, kind: 'faulted', code: kind });
    this.#endCopy();
  }

  #giveUp(): void {
    if (this.#copyEnded) return;
    this.#attempt?.abort();
    if (this.#copy.status === 0 && this.#attempt !== null) this.onFailed('timeout');
    else this.#endCopy();
  }

  #endCopy(): void {
    if (this.#copyEnded) return;
    this.#copyEnded = true;
    clearTimeout(this.#timer);
    this.#ended();
  }

  #compareIfDone(): void {
    const { diff } = this.#parts.mirror;
    if (diff === null || !this.#userEnded || !this.#user.isWhole || !this.#copy.isWhole) return;
    setImmediate(() => void this.#compare().catch(() => undefined));
  }

  async #compare(): Promise<void> {
    const { mirror, rollout } = this.#parts;
    const [user, copy] = [lowered(this.#user), lowered(this.#copy)];
    const bodies = await Promise.all([readJson(this.#user, user), readJson(this.#copy, copy)]);
    const [a, b] = bodies.every(({ isKnown }) => isKnown) ? bodies : [];
    const differences = differencesBetween(
      { ...user, json: a?.isKnown ? a.json : undefined },
      { ...copy, json: b?.isKnown ? b.json : undefined },
      mirror.diff!,
    );
    if (differences.length === 0) return;
    const { requestId, method, target } = this.#original;
    this.#parts.differed({
      rollout,
      version: mirror.to.name,
      requestId,
      atMs: Date.now(),
      method,
      target,
      differences,
    });
  }
}

/** A body that is all there. */
function heldBody(bytes: Buffer): BodySource {
  return {
    start(sink) {
      sink.data(bytes);
      sink.end(null);
    },
    resume() {},
    stop() {},
  };
}

type Answer = Pick<ComparedAnswer, 'status' | 'headers'>;

function lowered({ status, headers }: Side): Answer {
  return { status, headers: headers.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text)) };
}

function readJson({ body }: Side, { headers }: Answer): ReturnType<CapturedBody['read']> {
  const at = headers.findIndex((text, index) => index % 2 === 0 && text === 'content-encoding');
  return body.read(at === -1 ? '' : headers[at + 1]!);
}
