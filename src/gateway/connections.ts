// The open connections of the public port: how many there may be, and those that nobody has used yet.
import type { Socket } from 'node:net';
import { problemBytes, renderProblem } from './problem.ts';

export class Connections {
  /** More than these are refused. */
  maxCount = Infinity;
  /** More than these a second are refused; as many may come at once after a quiet second. */
  maxPerSecond = Infinity;
  readonly #onRefused: (status: number) => void;
  /** As they were accepted. */
  readonly #open = new Set<Socket>();
  /** The decrypted sides of those that are encrypted. */
  readonly #decrypted = new Set<Socket>();
  /** One for all connections: what each had of its own would be held for as long as it is idle. */
  readonly #onClose: (this: Socket) => void;
  #onLastClosed: (() => void) | null = null;
  /** How many may come now, as of a moment. */
  #allowance = { count: Infinity, atMs: 0 };

  /** `onRefused` is told the status of each connection that is one too many. */
  constructor(onRefused: (status: number) => void) {
    this.#onRefused = onRefused;
    const forget = (socket: Socket): void => this.#forget(socket);
    this.#onClose = function () {
      forget(this);
    };
  }

  /**
   * Whether a connection may stay. One that may not is closed before anything that it sends can become a request: with 503, or,
   * where the client expects to be encrypted, without a word.
   */
  admit(socket: Socket, { isPlain }: { isPlain: boolean }): boolean {
    if (this.#open.size < this.maxCount && this.#isInTime()) {
      this.#open.add(socket);
      socket.on('close', this.#onClose);
      return true;
    }
    const problem = renderProblem({ code: 'too-many-connections' });
    this.#onRefused(problem.status);
    socket.on('error', () => socket.destroy());
    if (isPlain) {
      socket.end(problemBytes(problem), 'latin1');
      socket.destroySoon();
    } else socket.destroy();
    return false;
  }

  /** The handshake on a connection was made: from now on this side of it says whether it is used. */
  decrypted(socket: Socket): void {
    this.#decrypted.add(socket);
    socket.on('close', this.#onClose);
  }

  /** Resolves when none is open. A server does not count those that another process accepted. */
  async allClosed(): Promise<void> {
    if (this.#open.size > 0) await new Promise<void>((resolve) => (this.#onLastClosed = resolve));
  }

  /** Closes connections on which nothing was ever sent, as browsers open them in advance. */
  closeUnused(): void {
    for (const sockets of [this.#open, this.#decrypted]) {
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    }
  }

  /** Cuts everything, whatever is under way. */
  destroy(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #isInTime(): boolean {
    if (this.maxPerSecond === Infinity) return true;
    const nowMs = performance.now();
    const { count, atMs } = this.#allowance;
    const allowed = Math.min(this.maxPerSecond, count + ((nowMs - atMs) / 1_000) * this.maxPerSecond);
    this.#allowance = { count: allowed < 1 ? allowed : allowed - 1, atMs: nowMs };
    return allowed >= 1;
  }

  /** Either side of a connection has closed. */
  #forget(socket: Socket): void {
    this.#decrypted.delete(socket);
    if (this.#open.delete(socket) && this.#open.size === 0) this.#onLastClosed?.();
  }
}
