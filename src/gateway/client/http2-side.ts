// A client of HTTP/2, through one stream of the platform. What the platform would do by itself to a stream that is not ended
// well is said here: an answer that is not whole is reset, a request whose rest nobody needs is stopped without an error.
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { RenderedProblem } from '../problem.ts';
import { findHeader } from '../raw-headers.ts';
import type { BodyOwner } from '../request-body.ts';
import { passedTrailers, returnedHeaders } from '../response-headers.ts';
import type { ClientSide, SlowClientOwner } from './client-side.ts';
import { Http2Body } from './http2-body.ts';
import type { Http2Request } from './http2-request.ts';

export class Http2Side implements ClientSide {
  readonly maxStatus = 599;
  readonly rawHeaders: readonly string[];
  readonly #stream: ServerHttp2Stream;
  readonly #isHead: boolean;
  readonly #idleMs: number;
  /** Trailers can follow what is being sent; they, or none, are said at its end. */
  #waitsForTrailers = false;
  #trailers: Record<string, string[]> = {};
  /** A head that is not out yet: what follows in the same turn goes with it, and where nothing does it says so. */
  #waitingHead: readonly string[] | null = null;
  /** They may come before the body is asked for. */
  #requestTrailers: readonly string[] | null = null;
  #isEnded = false;
  #awaiting: SlowClientOwner | null = null;
  #stalled: NodeJS.Timeout | null = null;

  /** `idleMs`: how long a client may take nothing of an answer. */
  constructor(stream: ServerHttp2Stream, { method, rawHeaders }: Http2Request, idleMs: number) {
    this.#stream = stream;
    this.#isHead = method === 'HEAD';
    this.rawHeaders = rawHeaders;
    this.#idleMs = idleMs;
    stream.on('error', ignore);
    // Where the client gave no error code the platform would wait until what came before is read.
    stream.on('aborted', () => setImmediate(() => stream.destroy()));
    if (this.hasBody) stream.on('trailers', (_fields, _flags, raw: string[]) => (this.#requestTrailers = raw));
    stream.on('close', () => this.#stopWaiting());
  }

  get hasBody(): boolean {
    return !this.#stream.endAfterHeaders;
  }

  get announcedByteCount(): number {
    return Number(findHeader(this.rawHeaders, 'content-length') ?? 0);
  }

  get hasWholeRequest(): boolean {
    return this.#stream.endAfterHeaders || this.#stream.readableEnded;
  }

  get hasWholeAnswer(): boolean {
    const { writableFinished, aborted, rstCode } = this.#stream;
    return this.#isEnded && writableFinished && !aborted && rstCode === constants.NGHTTP2_NO_ERROR;
  }

  onClose(callback: () => void): void {
    this.#stream.on('close', callback);
  }

  bodyFor(owner: BodyOwner, idleMs: number): Http2Body {
    const expectsContinue = findHeader(this.rawHeaders, 'expect') !== undefined;
    const rawTrailers = (): readonly string[] | null => this.#requestTrailers;
    return new Http2Body(this.#stream, { owner, idleMs, expectsContinue, rawTrailers });
  }

  /** The session says it to all of its streams. */
  announceClose(): void {}

  /** Other streams have nothing to do with this one, whose rest is not read anyway. */
  closeAfterAnswer(): void {}

  interim(status: number, rawHeaders: readonly string[]): void {
    if (status === 100 || status === 101 || this.#stream.headersSent || this.#stream.closed) return;
    this.#stream.additionalHeaders({ ':status': status, ...grouped(returnedHeaders(status, rawHeaders, false)) });
  }

  canCarryTrailers(status: number): boolean {
    return !this.#isHead && status !== 204 && status !== 304;
  }

  head(status: number, _reason: string, headers: string[]): void {
    if (this.#stream.closed) return;
    // A body whose length is said is over when it has been sent.
    this.#waitsForTrailers = this.canCarryTrailers(status) && findHeader(headers, 'content-length') === undefined;
    this.#waitingHead = [':status', String(status), ...headers];
    process.nextTick(() => this.#sendHead(false));
  }

  /** `isAll`: nothing follows. */
  #sendHead(isAll: boolean): void {
    const head = this.#waitingHead;
    this.#waitingHead = null;
    if (head === null || this.#stream.closed) return;
    const waitForTrailers = this.#waitsForTrailers && !isAll;
    if (waitForTrailers) this.#stream.on('wantTrailers', () => this.#sendTrailers());
    else this.#stream.on('finish', () => this.#stopRequest());
    this.#stream.respond(head, { waitForTrailers, endStream: isAll });
  }

  /** A head without a thought of what follows it. */
  begin(status: number, headers: readonly string[]): void {
    if (!this.#stream.closed) this.#stream.respond([':status', String(status), ...headers]);
  }

  write(chunk: Buffer): boolean {
    this.#sendHead(false);
    return this.#stream.writableEnded || this.#stream.write(chunk);
  }

  awaitRoom(owner: SlowClientOwner): void {
    if (this.#awaiting === null) this.#stream.once('drain', () => this.#drained());
    this.#awaiting = owner;
    this.#stalled ??= setTimeout(() => owner.clientStalled(), this.#idleMs);
  }

  end(last: Buffer | null, rawTrailers: readonly string[] | null): void {
    if (this.#stream.destroyed) return;
    this.#isEnded = true;
    const trailers = passedTrailers(rawTrailers);
    if (trailers !== null) this.#trailers = grouped(trailers);
    this.#sendHead(last === null && trailers === null);
    // The platform has ended what has no body.
    if (this.#stream.writableEnded) return;
    this.#stream.end(last ?? undefined);
    this.#stalled ??= setTimeout(() => this.cut(), this.#idleMs);
  }

  refuse({ status, headers, body }: RenderedProblem): void {
    if (this.#stream.closed) return;
    this.#isEnded = true;
    // Without a body the head is the end: for gRPC it stands for trailers.
    const endStream = body === '';
    this.#stream.on('finish', () => this.#stopRequest());
    this.#stream.respond([':status', String(status), ...headers], { endStream });
    if (this.#isHead || endStream) return;
    this.#stream.end(body);
    this.#stalled ??= setTimeout(() => this.cut(), this.#idleMs);
  }

  cut(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  #drained(): void {
    const owner = this.#awaiting;
    this.#stopWaiting();
    owner?.clientTakes();
  }

  #stopWaiting(): void {
    if (this.#stalled !== null) clearTimeout(this.#stalled);
    this.#stalled = null;
    this.#awaiting = null;
  }

  #sendTrailers(): void {
    this.#stream.sendTrailers(this.#trailers);
    // The platform takes them in the next turn, and sends what it has taken in the one after that.
    setImmediate(() => setImmediate(() => setImmediate(() => this.#stopRequest())));
  }

  /** The answer is out: what the client still sends is of no use (RFC 9113, 8.1). */
  #stopRequest(): void {
    if (this.#isEnded && !this.hasWholeRequest) this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }
}

/** By name, in the order of the first value: the form that the platform takes for interim answers and trailers. */
function grouped(raw: readonly string[]): Record<string, string[]> {
  const fields: Record<string, string[]> = { __proto__: null as never };
  for (let i = 0; i < raw.length; i += 2) (fields[raw[i]!.toLowerCase()] ??= []).push(raw[i + 1]!);
  return fields;
}

function ignore(): void {}
