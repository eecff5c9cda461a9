// The answer in a stream of HTTP/2 on its way to the gateway, as fast as that takes it; whether it was whole is decided here.
import { type ClientHttp2Stream, constants } from 'node:http2';
import type { FaultKind } from '../../rollout/outcome.ts';
import { answerFields, areTooLarge } from './http2-headers.ts';
import type { AnswerHandler } from './upstream-client.ts';

export interface DownloadOwner {
  /** Nothing more is passed on. */
  readonly isOver: boolean;
  /** The head is here, before the handler sees it. */
  answerBegan(): void;
  /** A piece is here, or the handler takes again. */
  answerMoved(): void;
  /** The handler takes no more for now. */
  answerHeld(): void;
  /** All was passed on. */
  answerEnded(rawTrailers: readonly string[] | null): void;
  fail(kind: FaultKind, error: Error): void;
}

export class Http2Download {
  /** The head was passed on. */
  isAnswered = false;
  readonly #handler: AnswerHandler;
  readonly #owner: DownloadOwner;
  /** The server has said all. */
  #hasEnded = false;
  #isPaused = false;
  /** What came while the handler took nothing, once the server had said all: its connection may be gone before the handler is back. */
  #held: Buffer[] = [];
  #trailers: readonly string[] | null = null;

  constructor(handler: AnswerHandler, owner: DownloadOwner) {
    this.#handler = handler;
    this.#owner = owner;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Reads from this stream; an earlier one brought nothing. */
  begin(stream: ClientHttp2Stream): void {
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
    this.#noticeEnd(stream);
  }

  /** The handler takes again. */
  resume(stream: ClientHttp2Stream): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    while (this.#held.length > 0 && !this.#isPaused) this.#give(stream, this.#held.shift()!);
    if (this.#isPaused || this.#owner.isOver) return;
    if (stream.readableEnded) return this.#end();
    this.#owner.answerMoved();
    stream.resume();
  }

  /** Whether all of the answer is here, whatever became of its stream; what is left waits for the handler. */
  isWhole(stream: ClientHttp2Stream): boolean {
    return this.#hasEnded && stream.readableEnded;
  }

  /** Forgets what waits. */
  stop(): void {
    this.#held = [];
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
    if (this.#owner.isOver || !this.#areSmallEnough(raw)) return;
    const status = Number(raw[1]);
    if (status === 101) this.#owner.fail('protocol', new Error('expected no 101, which HTTP/2 does not have'));
    else this.#handler.onInterim(status, answerFields(raw));
  }

  #head(stream: ClientHttp2Stream, raw: readonly string[]): void {
    if (this.#owner.isOver || !this.#areSmallEnough(raw)) return;
    const status = Number(raw[1]);
    if (!(status >= 200)) return this.#owner.fail('protocol', new Error('expected a status from 200 to 999'));
    this.isAnswered = true;
    this.#owner.answerBegan();
    this.#handler.onHead(status, '', answerFields(raw));
    if (!this.#owner.isOver) stream.on('data', (chunk: Buffer) => this.#data(stream, chunk));
  }

  #areSmallEnough(raw: readonly string[]): boolean {
    if (!areTooLarge(raw)) return true;
    this.#owner.fail('protocol', new Error('expected smaller headers'));
    return false;
  }

  #data(stream: ClientHttp2Stream, chunk: Buffer): void {
    if (this.#owner.isOver) return;
    if (this.#isPaused) this.#held.push(chunk);
    else this.#give(stream, chunk);
  }

  #give(stream: ClientHttp2Stream, chunk: Buffer): void {
    this.#owner.answerMoved();
    if (this.#handler.onData(chunk) || this.#owner.isOver) return;
    this.#isPaused = true;
    this.#owner.answerHeld();
    if (!this.#hasEnded) stream.pause();
  }

  #end(): void {
    if (!this.#owner.isOver && this.#hasEnded && this.#held.length === 0) this.#owner.answerEnded(this.#trailers);
  }
}
