// Writes the body of a request: raw where its length was announced, in chunks otherwise (RFC 9112, 7.1). What is written in one turn
// goes out in one write, the head with it.
import type { Socket } from 'node:net';
import { isFieldValue, isToken } from './http1-fields.ts';
import { UnsendableError } from './unsendable.ts';
import type { BodySink, BodySource } from './upstream-client.ts';

/** What a body tells the connection that carries it. */
export interface BodyWriterOwner {
  /** Bytes were handed over; `isServersTurn`: they were the last ones, or the socket takes no more for now. */
  bodyPassed(isServersTurn: boolean): void;
  /** The source gave more or less than it had announced, or what cannot be sent. */
  bodyFailed(error: Error): void;
}

export class BodyWriter implements BodySink {
  isDone = false;
  /** The head was written to a connection that took it. */
  isOut = false;
  readonly #socket: Socket;
  readonly #owner: BodyWriterOwner;
  /** Of the announced length; null: in chunks. */
  #remaining: number | null;
  #body: BodySource | null = null;

  constructor(socket: Socket, owner: BodyWriterOwner, byteCount: number | null) {
    this.#socket = socket;
    this.#owner = owner;
    this.#remaining = byteCount;
  }

  /** Writes the head and begins the body; what of it comes in this turn goes out with the head. */
  begin(head: string, body: BodySource): void {
    this.#body = body;
    this.#socket.cork();
    this.#socket.write(head, 'latin1');
    body.start(this);
    // After the start, so that a stream that gives in its next tick is not too late.
    process.nextTick(BodyWriter.#sendBegun, this);
  }

  data(chunk: Buffer): boolean {
    if (this.isDone || chunk.length === 0) return true;
    const taken = this.#remaining === null ? this.#writeChunk(chunk) : this.#writeRaw(chunk, this.#remaining);
    this.#owner.bodyPassed(!taken);
    return taken;
  }

  end(rawTrailers: readonly string[] | null): void {
    if (this.isDone) return;
    if (this.#remaining !== null && this.#remaining > 0) {
      return this.#fail(new UnsendableError('expected a body of the length it announces'));
    }
    this.isDone = true;
    if (this.#remaining === null) {
      this.#gather();
      this.#socket.write(`0\r\n${rawTrailers === null ? '' : renderTrailers(rawTrailers)}\r\n`, 'latin1');
    }
    this.#owner.bodyPassed(true);
  }

  /** The socket takes again. */
  takeMore(): void {
    this.#body!.resume();
  }

  /** Nobody takes any more. */
  stop(): void {
    if (this.isDone) return;
    this.isDone = true;
    this.#body!.stop();
  }

  static #sendBegun(this: void, writer: BodyWriter): void {
    writer.#socket.uncork();
    writer.isOut = writer.#socket.errored === null;
  }

  #writeRaw(chunk: Buffer, remaining: number): boolean {
    if (chunk.length > remaining) {
      this.#fail(new UnsendableError('expected a body of the length it announces'));
      return true;
    }
    this.#remaining = remaining - chunk.length;
    return this.#socket.write(chunk);
  }

  #writeChunk(chunk: Buffer): boolean {
    this.#gather();
    this.#socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    this.#socket.write(chunk);
    return this.#socket.write('\r\n', 'latin1');
  }

  #gather(): void {
    if (this.#socket.writableCorked > 0) return;
    this.#socket.cork();
    process.nextTick(uncork, this.#socket);
  }

  #fail(error: Error): void {
    this.isDone = true;
    this.#owner.bodyFailed(error);
  }
}

function uncork(socket: Socket): void {
  socket.uncork();
}

/** Trailer lines, less what cannot be one: a trailer that is wrong is no reason to lose the request. */
function renderTrailers(rawTrailers: readonly string[]): string {
  let text = '';
  for (let i = 0; i < rawTrailers.length; i += 2) {
    if (isToken(rawTrailers[i]!) && isFieldValue(rawTrailers[i + 1]!)) {
      text += `${rawTrailers[i]}: ${rawTrailers[i + 1]}\r\n`;
    }
  }
  return text;
}
