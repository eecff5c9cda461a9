// The body of a request on its way into a stream of HTTP/2, as fast as the server takes it. Keeps its beginning until the server
// answers, so that it can go into another stream where this one was refused unseen.
import type { ClientHttp2Stream } from 'node:http2';
import { trailerFields } from './http2-headers.ts';
import { KeptBody } from './kept-body.ts';
import type { BodySink, BodySource } from './upstream-client.ts';

export interface UploadOwner {
  /** Bytes were handed over; `isFull`: the server takes no more for now. */
  uploadPassed(isFull: boolean): void;
  /** The server takes again. */
  uploadFreed(): void;
  /** The request is with the server to its last byte. */
  requestSent(): void;
}

export class Http2Upload implements BodySink {
  /** Nothing of it is left to send. */
  isSent = false;
  readonly #body: BodySource;
  readonly #owner: UploadOwner;
  /** Null before there is one, and between two. */
  #stream: ClientHttp2Stream | null = null;
  #kept: KeptBody | null = new KeptBody();
  #trailers: readonly string[] | null = null;
  #isStarted = false;
  /** The body has given all. */
  #isWhole = false;
  #isStopped = false;
  /** The body was told that no more is taken. */
  #isFull = false;

  constructor(body: BodySource, owner: UploadOwner) {
    this.#body = body;
    this.#owner = owner;
  }

  /** Whether all that was sent is still at hand. */
  get canBeginAgain(): boolean {
    return this.#kept !== null;
  }

  /** Sends into this stream from the beginning. */
  begin(stream: ClientHttp2Stream): void {
    this.#stream = stream;
    this.#guardEnd(stream);
    stream.on('drain', () => this.#takeMore(stream));
    stream.on('finish', () => this.#finished(stream));
    stream.on('wantTrailers', () => {
      if (!stream.destroyed && !stream.closed) stream.sendTrailers(trailerFields(this.#trailers));
    });
    if (this.#isStarted) return this.#sendKept(stream, this.#kept!);
    this.#isStarted = true;
    this.#body.start(this);
  }

  /** The stream is gone, another one may come. */
  pause(): void {
    this.#stream = null;
    this.isSent = false;
  }

  /** The server has looked at the request: from now on it cannot begin again. */
  forget(): void {
    this.#kept = null;
  }

  /** Takes nothing any more. */
  stop(): void {
    this.#isStopped = true;
    this.#kept = null;
    this.#body.stop();
  }

  data(chunk: Buffer): boolean {
    if (this.#isStopped) return true;
    const isWorthKeeping = this.#kept?.add(chunk);
    // Between two streams: what was kept goes first.
    if (this.#stream === null) return !(this.#isFull = true);
    if (isWorthKeeping === false) this.#kept = null;
    this.#isFull = !this.#stream.write(chunk);
    this.#owner.uploadPassed(this.#isFull);
    return !this.#isFull;
  }

  end(rawTrailers: readonly string[] | null): void {
    if (this.#isStopped) return;
    this.#trailers = rawTrailers;
    this.#isWhole = true;
    this.#kept?.end();
    if (this.#stream !== null) this.#end(this.#stream);
  }

  /** The platform ends a request before it resets it, and a part of a body would look like all of it. */
  #guardEnd(stream: ClientHttp2Stream): void {
    const end = stream._final.bind(stream);
    stream._final = (done) => {
      if (this.#isWhole) end(done);
      else done();
    };
  }

  #sendKept(stream: ClientHttp2Stream, kept: KeptBody): void {
    for (const chunk of kept.chunks) stream.write(chunk);
    if (!kept.isSmall) this.#kept = null;
    if (kept.isWhole) this.#end(stream);
    else if (stream.writableNeedDrain) this.#isFull = true;
    else this.#takeMore(stream);
  }

  #end(stream: ClientHttp2Stream): void {
    stream.end();
    this.#owner.uploadPassed(true);
  }

  #takeMore(stream: ClientHttp2Stream): void {
    if (this.#isStopped || !this.#isFull || stream !== this.#stream || stream.writableEnded) return;
    this.#isFull = false;
    this.#owner.uploadFreed();
    this.#body.resume();
  }

  #finished(stream: ClientHttp2Stream): void {
    if (this.#isStopped || stream !== this.#stream || stream.closed) return;
    this.isSent = true;
    this.#owner.requestSent();
  }
}
