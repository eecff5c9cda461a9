// The request body on its way to a server. It does not touch the client's stream before a server takes the first byte, so that a
// refused connection leaves the body whole for another server; and what happens to it never harms the client's socket.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { forwardedTrailers } from './request-headers.ts';
import type { BodySink, BodySource } from './upstream/upstream-client.ts';

/** What a body needs to know of its exchange. */
export interface BodyOwner {
  /** A piece is about to go by. Returns false when the body is longer than allowed. */
  bodyPassing(chunk: Buffer): boolean;
  /** The client has sent it to its end. */
  bodyEnded(): void;
  /** The client stopped sending in the middle of the body. */
  bodyStalled(): void;
}

/** Whether a body follows the headers; one of length 0 does not. */
export function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || announcedByteCount(request) > 0;
}

/** The length that the headers announce; 0 where they announce none. */
export function announcedByteCount({ headers }: IncomingMessage): number {
  return Number(headers['content-length'] ?? 0);
}

export class RequestBody implements BodySource {
  /** Whether any byte was asked for; from then on the body cannot be sent again. */
  touched = false;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #owner: BodyOwner;
  readonly #idleMs: number;
  #sink: BodySink | null = null;

  constructor(
    exchange: { request: IncomingMessage; response: ServerResponse; owner: BodyOwner },
    { idleMs }: { idleMs: number },
  ) {
    this.#request = exchange.request;
    this.#response = exchange.response;
    this.#owner = exchange.owner;
    this.#idleMs = idleMs;
  }

  start(sink: BodySink): void {
    this.touched = true;
    this.#sink = sink;
    if (this.#awaitsContinue()) this.#response.writeContinue();
    this.#request.setTimeout(this.#idleMs, this.#onStalled);
    this.#request.on('data', this.#onData);
    this.#request.on('end', this.#onEnd);
  }

  resume(): void {
    if (this.#sink === null) return;
    this.#request.socket.setTimeout(this.#idleMs);
    this.#request.resume();
  }

  stop(): void {
    if (this.#sink === null) return;
    this.#sink = null;
    this.#request.off('data', this.#onData);
    this.#request.off('end', this.#onEnd);
    if (!this.#response.writableFinished) this.#request.setTimeout(0);
    // What the client still sends is read and thrown away, so that its connection can go on.
    this.#request.resume();
  }

  /** HTTP/1.0 knows no interim responses: there the expectation is ignored (RFC 9110, 10.1.1). */
  #awaitsContinue(): boolean {
    const { headers, httpVersionMinor } = this.#request;
    return headers.expect !== undefined && httpVersionMinor > 0 && !this.#response.headersSent;
  }

  #onData = (chunk: Buffer): void => {
    if (!this.#owner.bodyPassing(chunk) || this.#sink === null) return;
    if (!this.#sink.data(chunk)) this.#request.pause();
  };

  #onEnd = (): void => {
    this.#request.setTimeout(0);
    this.#owner.bodyEnded();
    this.#sink?.end(forwardedTrailers(this.#request.rawTrailers));
    this.#sink = null;
  };

  /** While the server takes nothing the client has no chance to send: that is the server's time, not the client's. */
  #onStalled = (): void => {
    if (!this.#request.isPaused()) this.#owner.bodyStalled();
  };
}
