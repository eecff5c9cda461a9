// One request in HTTP/2: a stream of a connection, from its head to its last trailer. Begins again on another connection by
// itself where the server says that it never looked at it (RFC 9113, 8.7) and all that was sent is still at hand.
import { type ClientHttp2Stream, constants } from 'node:http2';
import type { FaultKind } from '../../rollout/outcome.ts';
import type { VersionTimeouts } from '../../rollout/policy.ts';
import { Countdown } from './countdown.ts';
import { faultKindOfStream } from './http2-faults.ts';
import { answerFields, areTooLarge, mayHaveTrailers, requestFields } from './http2-headers.ts';
import { Http2Upload, type UploadOwner } from './http2-upload.ts';
import { UnsendableError } from './unsendable.ts';
import type { AnswerHandler, Attempt, UpstreamRequest } from './upstream-client.ts';

/** The connection that carries an attempt. */
export interface StreamCarrier {
  readonly scheme: 'http' | 'https';
  /** Opens a stream; throws where the request cannot be said in HTTP/2. */
  open(fields: string[], options: { endStream: boolean; waitForTrailers: boolean }): ClientHttp2Stream;
  /** The server says that it has not looked at this stream, and will not. */
  hasDisowned(streamId: number | undefined): boolean;
  /** A request waited in vain: is anybody there? */
  suspect(): void;
  /** A stream that it opened is closed. */
  released(): void;
}

/** What an attempt needs of its client. */
export interface AttemptOwner {
  readonly timeouts: VersionTimeouts;
  /** Puts it on another connection; false where there is none to be had any more. */
  again(attempt: Http2Attempt): boolean;
  /** It is over before it was put on a connection. */
  withdrawn(attempt: Http2Attempt): void;
}

const mostBeginnings = 3;

export class Http2Attempt implements Attempt, UploadOwner {
  readonly #owner: AttemptOwner;
  readonly #request: UpstreamRequest;
  readonly #handler: AnswerHandler;
  readonly #upload: Http2Upload | null;
  #carrier: StreamCarrier | null = null;
  #stream: ClientHttp2Stream | null = null;
  #beginningCount = 0;
  #isOver = false;
  #isAnswered = false;
  /** The server has said all. */
  #hasEnded = false;
  #isPaused = false;
  /** What came while the handler took nothing, once the server had said all: its connection may be gone before the handler is back. */
  #held: Buffer[] = [];
  #trailers: readonly string[] | null = null;
  #error: Error | null = null;
  readonly #countdown = new Countdown((ms) => this.#waitedInVain(ms));

  constructor(owner: AttemptOwner, request: UpstreamRequest, handler: AnswerHandler) {
    this.#owner = owner;
    this.#request = request;
    this.#handler = handler;
    this.#upload = request.body === null ? null : new Http2Upload(request.body, this);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Opens its stream on a connection that has room for it. */
  begin(carrier: StreamCarrier): void {
    const options = { endStream: this.#upload === null, waitForTrailers: mayHaveTrailers(this.#request) };
    let stream: ClientHttp2Stream;
    try {
      stream = carrier.open(requestFields(this.#request, carrier.scheme), options);
    } catch (error) {
      this.fail('protocol', new UnsendableError((error as Error).message));
      return;
    }
    this.#carrier = carrier;
    this.#stream = stream;
    this.#beginningCount += 1;
    this.#listen(stream, carrier);
    if (this.#beginningCount === 1) this.#handler.onSent();
    if (this.#isOver) return;
    if (this.#upload === null) this.requestSent();
    else this.#upload.begin(stream);
  }

  // What the request's body says.

  uploadPassed(isFull: boolean): void {
    if (isFull || this.#isAnswered) this.#await(this.#owner.timeouts.idleMs);
  }

  uploadFreed(): void {
    if (!this.#isAnswered) this.#countdown.stop();
  }

  requestSent(): void {
    if (!this.#isAnswered) this.#await(this.#owner.timeouts.responseMs);
  }

  // What the server says.

  #listen(stream: ClientHttp2Stream, carrier: StreamCarrier): void {
    stream.on('headers', (_headers, _flags, raw: string[]) => this.#interim(raw));
    stream.on('response', (_headers, flags, raw: string[]) => {
      this.#head(stream, raw);
      if ((flags & constants.NGHTTP2_FLAG_END_STREAM) === 0) return;
      // A head that is all of an answer is passed on as such: in gRPC it stands for trailers.
      stream.resume();
      this.#end();
    });
    stream.on('trailers', (_headers, _flags, raw: string[]) => {
      if (this.#areSmallEnough(raw)) this.#trailers = answerFields(raw);
    });
    stream.on('end', () => this.#end());
    stream.on('error', (error: Error) => (this.#error = error));
    stream.on('frameError', (_type, code) => (this.#error = new Error(`a frame could not be sent: ${code}`)));
    stream.on('close', () => {
      carrier.released();
      if (stream === this.#stream && !this.#isOver) this.#closed(stream, carrier);
    });
    this.#noticeEnd(stream);
  }

  /**
   * The platform ends a body that was cut by a reset without an error code as one that is whole; the difference is whether
   * the stream is closed by then.
   */
  #noticeEnd(stream: ClientHttp2Stream): void {
    const push = stream.push.bind(stream);
    stream.push = (chunk, encoding) => {
      if (chunk === null && !stream.closed) {
        this.#hasEnded = true;
        if (this.#isPaused) process.nextTick(() => stream.resume());
      }
      return push(chunk, encoding);
    };
  }

  #interim(raw: readonly string[]): void {
    if (this.#isOver || !this.#areSmallEnough(raw)) return;
    const status = Number(raw[1]);
    if (status === 101) this.fail('protocol', new Error('expected no 101, which HTTP/2 does not have'));
    else this.#handler.onInterim(status, answerFields(raw));
  }

  #head(stream: ClientHttp2Stream, raw: readonly string[]): void {
    if (this.#isOver || !this.#areSmallEnough(raw)) return;
    this.#isAnswered = true;
    this.#upload?.forget();
    this.#await(this.#owner.timeouts.idleMs);
    this.#handler.onHead(Number(raw[1]), '', answerFields(raw));
    if (!this.#isOver) stream.on('data', (chunk: Buffer) => this.#data(chunk));
  }

  #areSmallEnough(raw: readonly string[]): boolean {
    if (!areTooLarge(raw)) return true;
    this.fail('protocol', new Error('expected smaller headers'));
    return false;
  }

  #data(chunk: Buffer): void {
    if (this.#isOver) return;
    if (this.#isPaused) this.#held.push(chunk);
    else this.#give(chunk);
  }

  #give(chunk: Buffer): void {
    this.#await(this.#owner.timeouts.idleMs);
    if (this.#handler.onData(chunk) || this.#isOver) return;
    this.#isPaused = true;
    this.#countdown.stop();
    if (!this.#hasEnded) this.#stream!.pause();
  }

  #end(): void {
    if (this.#isOver || !this.#hasEnded || this.#held.length > 0) return;
    this.#finish(constants.NGHTTP2_NO_ERROR);
    this.#handler.onComplete(this.#trailers);
  }

  #closed(stream: ClientHttp2Stream, carrier: StreamCarrier): void {
    // All is here, and waits for the handler.
    if (this.#hasEnded && stream.readableEnded) return;
    const isUnseen = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM || carrier.hasDisowned(stream.id);
    if (isUnseen && !this.#isAnswered) return this.#refused();
    const error = this.#error ?? new Error(`the stream was reset with code ${stream.rstCode}`);
    this.fail(faultKindOfStream(error, stream.rstCode), error);
  }

  #refused(): void {
    this.#countdown.stop();
    this.#error = null;
    this.#stream = null;
    this.#upload?.pause();
    const canBegin = this.#upload?.canBeginAgain !== false && this.#beginningCount < mostBeginnings;
    if (!canBegin || !this.#owner.again(this)) this.fail('connect', new Error('the server refused the stream'));
  }

  // What the gateway says.

  resume(): void {
    if (this.#isOver || !this.#isPaused) return;
    this.#isPaused = false;
    while (this.#held.length > 0 && !this.#isPaused) this.#give(this.#held.shift()!);
    if (this.#isPaused || this.#isOver) return;
    if (this.#stream!.readableEnded) return this.#end();
    this.#await(this.#owner.timeouts.idleMs);
    this.#stream!.resume();
  }

  abort(): void {
    if (!this.#isOver) this.#finish(constants.NGHTTP2_CANCEL);
  }

  /** Ends it with a fault, whether or not it had begun. */
  fail(kind: FaultKind, error: Error): void {
    if (this.#isOver) return;
    this.#finish(constants.NGHTTP2_CANCEL);
    this.#handler.onFailed(kind, error);
  }

  /** Lets go of the stream; one that is not yet closed on both sides is reset. */
  #finish(code: number): void {
    const isSent = this.#upload?.isSent !== false;
    this.#isOver = true;
    this.#countdown.stop();
    this.#held = [];
    this.#upload?.stop();
    if (this.#stream === null) this.#owner.withdrawn(this);
    else if (!this.#stream.closed) this.#stream.close(isSent ? code : constants.NGHTTP2_CANCEL);
  }

  /** Gives the server this long; while the handler takes nothing the server may have to wait too. */
  #await(ms: number): void {
    if (!this.#isOver && !this.#isPaused) this.#countdown.begin(ms);
  }

  #waitedInVain(ms: number): void {
    this.#carrier?.suspect();
    this.fail('timeout', new Error(`nothing came within ${ms} ms`));
  }
}
