// The request body of a stream on its way to a server. It is not read before a server takes the first byte; and it ends only where
// the client has ended it, since the platform ends a stream that was reset, too.
import type { ServerHttp2Stream } from 'node:http2';
import type { BodyOwner } from '../request-body.ts';
import { forwardedTrailers } from '../request-headers.ts';
import type { BodySink } from '../upstream/upstream-client.ts';
import type { ClientBody } from './client-side.ts';

export type Http2BodyOptions = {
  readonly owner: BodyOwner;
  readonly idleMs: number;
  /** The client waits for an interim answer before it sends. */
  readonly expectsContinue: boolean;
  /** What came after the body, once it has ended. */
  rawTrailers(): readonly string[] | null;
};

export class Http2Body implements ClientBody {
  touched = false;
  readonly #stream: ServerHttp2Stream;
  readonly #options: Http2BodyOptions;
  #sink: BodySink | null = null;
  #idle: NodeJS.Timeout | null = null;

  constructor(stream: ServerHttp2Stream, options: Http2BodyOptions) {
    this.#stream = stream;
    this.#options = options;
  }

  start(sink: BodySink): void {
    const { expectsContinue, owner, idleMs } = this.#options;
    this.touched = true;
    this.#sink = sink;
    const stream = this.#stream;
    if (expectsContinue && !stream.headersSent && !stream.closed) stream.additionalHeaders({ ':status': 100 });
    // While the server takes nothing the client has no chance to send: that is the server's time, not the client's.
    this.#idle = setTimeout(() => {
      if (stream.isPaused()) this.#idle?.refresh();
      else owner.bodyStalled();
    }, idleMs);
    stream.on('end', this.#onEnd);
    stream.on('close', this.#onClose);
    stream.on('data', this.#onData);
    // Where there was nothing to read the platform does not wait for a reader.
    if (stream.readableEnded) this.#onEnd();
  }

  resume(): void {
    if (this.#sink === null) return;
    this.#idle?.refresh();
    this.#stream.resume();
  }

  stop(): void {
    if (this.#sink === null) return;
    this.#forget();
    // What the client still sends is thrown away until its answer is out.
    this.#stream.resume();
  }

  #onData = (chunk: Buffer): void => {
    this.#idle?.refresh();
    if (!this.#options.owner.bodyPassing(chunk) || this.#sink === null) return;
    if (!this.#sink.data(chunk)) this.#stream.pause();
  };

  #onEnd = (): void => {
    const sink = this.#sink;
    if (sink === null || this.#stream.destroyed || this.#stream.aborted) return;
    this.#forget();
    this.#options.owner.bodyEnded();
    sink.end(forwardedTrailers(this.#options.rawTrailers()));
  };

  #onClose = (): void => this.#forget();

  #forget(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    this.#sink = null;
    this.#stream.off('data', this.#onData);
  }
}
