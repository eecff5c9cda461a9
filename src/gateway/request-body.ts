// The request body on its way to a server. It does not touch the client's stream before a server asks for the first byte,
// so that a refused connection leaves the body whole for another server; and what happens to it never harms the client's socket.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';

/** What a body needs to know of its exchange. */
export interface BodyOwner {
  /** Bytes that went by; called for each chunk. Returns false when that is more than allowed. */
  bodyBytes(byteCount: number): boolean;
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

export class RequestBody extends Readable {
  /** Whether any byte was asked for; from then on the body cannot be sent again. */
  touched = false;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #owner: BodyOwner;
  readonly #idleMs: number;

  constructor(
    exchange: { request: IncomingMessage; response: ServerResponse; owner: BodyOwner },
    { idleMs }: { idleMs: number },
  ) {
    super({ highWaterMark: 65_536 });
    this.#request = exchange.request;
    this.#response = exchange.response;
    this.#owner = exchange.owner;
    this.#idleMs = idleMs;
  }

  override _read(): void {
    if (this.touched) {
      if (this.#request.isPaused()) this.#request.socket.setTimeout(this.#idleMs);
      this.#request.resume();
      return;
    }
    this.touched = true;
    if (this.#awaitsContinue()) this.#response.writeContinue();
    this.#request.setTimeout(this.#idleMs, this.#onStalled);
    this.#request.on('data', this.#onData);
    this.#request.on('end', this.#onEnd);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.touched) {
      this.#request.off('data', this.#onData);
      this.#request.off('end', this.#onEnd);
      if (!this.#response.writableFinished) this.#request.setTimeout(0);
      // What the client still sends is read and thrown away, so that its connection can go on.
      this.#request.resume();
    }
    callback(error);
  }

  /** HTTP/1.0 knows no interim responses: there the expectation is ignored (RFC 9110, 10.1.1). */
  #awaitsContinue(): boolean {
    const { headers, httpVersionMinor } = this.#request;
    return headers.expect !== undefined && httpVersionMinor > 0 && !this.#response.headersSent;
  }

  #onData = (chunk: Buffer): void => {
    if (!this.#owner.bodyBytes(chunk.length)) return;
    if (!this.push(chunk)) this.#request.pause();
  };

  #onEnd = (): void => {
    this.#request.setTimeout(0);
    this.#owner.bodyEnded();
    this.push(null);
  };

  /** While the server takes nothing the client has no chance to send: that is the server's time, not the client's. */
  #onStalled = (): void => {
    if (!this.#request.isPaused()) this.#owner.bodyStalled();
  };
}
