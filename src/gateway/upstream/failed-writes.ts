// A server that reads no more of a request may have answered it before: what has come in is read to its end before a write that
// fails ends the connection. Without this a 413 of a server that closes at once would be lost with the bytes that it did not want.
import type { Socket } from 'node:net';

export interface FailedWriteOwner {
  /** Nothing is read for now; `FailedWrites.hearOut` is called when it is again. */
  readonly isHeldBack: boolean;
  /** The server reads no more. Returns whether what comes in could be an answer to what was written before. */
  writeFailed(): boolean;
}

const codes: ReadonlySet<string | undefined> = new Set(['EPIPE', 'ECONNRESET']);

/** Takes over from the platform when a connected socket is destroyed for a write that failed. */
export class FailedWrites {
  readonly #socket: Socket;
  readonly #owner: FailedWriteOwner;
  readonly #destroy: Socket['destroy'];
  #error: Error | null = null;

  constructor(socket: Socket, owner: FailedWriteOwner) {
    this.#socket = socket;
    this.#owner = owner;
    this.#destroy = socket.destroy.bind(socket);
    socket.destroy = (error) => this.#destroyOrListen(error);
  }

  /** Destroys the socket once nothing more comes; only after a write has failed. */
  hearOut(): void {
    if (this.#error === null) return;
    const { bytesRead } = this.#socket;
    // The end of this turn, and a whole one after it: what the system had for the socket has been read by then.
    setImmediate(() => setImmediate(() => this.#hearOn(bytesRead)));
  }

  #hearOn(byteCount: number): void {
    if (this.#socket.destroyed || this.#owner.isHeldBack) return;
    if (this.#socket.bytesRead > byteCount) this.hearOut();
    else this.#destroy(this.#error!);
  }

  #destroyOrListen(error: (Error & { code?: string; syscall?: string }) | undefined): Socket {
    const isFailedWrite = error?.syscall === 'write' && codes.has(error.code);
    if (isFailedWrite && this.#error !== null) return this.#socket;
    if (!isFailedWrite || !this.#owner.writeFailed()) return this.#destroy(error);
    this.#error = error;
    this.hearOut();
    return this.#socket;
  }
}
