// One request in HTTP/2: a stream of a connection, from its head to its last trailer. Begins again on another connection by
// itself where the server says that it never looked at it (RFC 9113, 8.7) and all that was sent is still at hand.
import { type ClientHttp2Stream, constants } from 'node:http2';
import type { FaultKind } from '../../rollout/outcome.ts';
import type { VersionTimeouts } from '../../rollout/policy.ts';
import { Countdown } from './countdown.ts';
import { type DownloadOwner, Http2Download } from './http2-download.ts';
import { faultKindOfStream } from './http2-faults.ts';
import { mayHaveTrailers, requestFields } from './http2-headers.ts';
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

export class Http2Attempt implements Attempt, UploadOwner, DownloadOwner {
  isOver = false;
  readonly #owner: AttemptOwner;
  readonly #request: UpstreamRequest;
  readonly #handler: AnswerHandler;
  readonly #upload: Http2Upload | null;
  readonly #download: Http2Download;
  readonly #countdown = new Countdown((ms) => this.#waitedInVain(ms));
  #carrier: StreamCarrier | null = null;
  #stream: ClientHttp2Stream | null = null;
  #beginningCount = 0;
  #error: Error | null = null;

  constructor(owner: AttemptOwner, request: UpstreamRequest, handler: AnswerHandler) {
    this.#owner = owner;
    this.#request = request;
    this.#handler = handler;
    this.#upload = request.body === null ? null : new Http2Upload(request.body, this);
    this.#download = new Http2Download(handler, this);
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
    this.#watch(stream, carrier);
    this.#download.begin(stream);
    if (this.#beginningCount === 1) this.#handler.onSent();
    if (this.isOver) return;
    if (this.#upload === null) this.requestSent();
    else this.#upload.begin(stream);
  }

  // What becomes of the request's body.

  uploadPassed(isFull: boolean): void {
    if (isFull || this.#download.isAnswered) this.#await(this.#owner.timeouts.idleMs);
  }

  uploadFreed(): void {
    if (!this.#download.isAnswered) this.#countdown.stop();
  }

  requestSent(): void {
    if (!this.#download.isAnswered) this.#await(this.#owner.timeouts.responseMs);
  }

  // What becomes of the answer.

  answerBegan(): void {
    this.#upload?.forget();
    this.#await(this.#owner.timeouts.idleMs);
  }

  answerMoved(): void {
    this.#await(this.#owner.timeouts.idleMs);
  }

  answerHeld(): void {
    this.#countdown.stop();
  }

  answerEnded(rawTrailers: readonly string[] | null): void {
    this.#finish(constants.NGHTTP2_NO_ERROR);
    this.#handler.onComplete(rawTrailers);
  }

  // What the gateway asks for.

  resume(): void {
    if (!this.isOver && this.#stream !== null) this.#download.resume(this.#stream);
  }

  abort(): void {
    if (!this.isOver) this.#finish(constants.NGHTTP2_CANCEL);
  }

  /** Ends it with a fault, whether or not it had begun. */
  fail(kind: FaultKind, error: Error): void {
    if (this.isOver) return;
    this.#finish(constants.NGHTTP2_CANCEL);
    this.#handler.onFailed(kind, error);
  }

  #watch(stream: ClientHttp2Stream, carrier: StreamCarrier): void {
    stream.on('error', (error: Error) => (this.#error = error));
    stream.on('frameError', (_type, code) => (this.#error = new Error(`a frame could not be sent: ${code}`)));
    stream.on('close', () => {
      carrier.released();
      if (stream === this.#stream && !this.isOver) this.#closed(stream, carrier);
    });
  }

  #closed(stream: ClientHttp2Stream, carrier: StreamCarrier): void {
    if (this.#download.isWhole(stream)) return;
    const isUnseen = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM || carrier.hasDisowned(stream.id);
    if (isUnseen && !this.#download.isAnswered) return this.#refused();
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

  /** Lets go of the stream; one that is not yet closed on both sides is reset. */
  #finish(code: number): void {
    const isSent = this.#upload?.isSent !== false;
    this.isOver = true;
    this.#countdown.stop();
    this.#download.stop();
    this.#upload?.stop();
    const stream = this.#stream;
    if (stream === null) this.#owner.withdrawn(this);
    else if (isSent) closeStream(stream, code);
    // A close in the turn in which the end was written and an answer read has the platform (Node 24) send empty frames for ever.
    else setImmediate(closeStream, stream, constants.NGHTTP2_CANCEL);
  }

  /** Gives the server this long; while the handler takes nothing the server may have to wait too. */
  #await(ms: number): void {
    if (!this.isOver && !this.#download.isPaused) this.#countdown.begin(ms);
  }

  #waitedInVain(ms: number): void {
    this.#carrier?.suspect();
    this.fail('timeout', new Error(`nothing came within ${ms} ms`));
  }
}

function closeStream(stream: ClientHttp2Stream, code: number): void {
  if (!stream.closed) stream.close(code);
}
