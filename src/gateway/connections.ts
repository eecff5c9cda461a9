// The open connections of the public port: how many there may be, and those that nobody has used yet.
import type { Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';
import { problemBytes, renderProblem } from './problem.ts';

export class Connections {
  /** More than these are answered with 503 and closed. */
  maxCount = Infinity;
  readonly #open = new Set<Socket>();
  #onLastClosed: (() => void) | null = null;

  /** `onRefused` is told the status of each connection that is one too many. */
  constructor(server: HttpServer, onRefused: (status: number) => void) {
    server.on('connection', (socket: Socket) => {
      if (this.#open.size < this.maxCount) {
        this.#open.add(socket);
        socket.once('close', () => this.#forget(socket));
        return;
      }
      const problem = renderProblem({ code: 'too-many-connections' });
      onRefused(problem.status);
      // At once, before anything that it sends can become a request.
      socket.end(problemBytes(problem), 'latin1');
      socket.destroySoon();
    });
  }

  /** Resolves when none is open. A server does not count those that another process accepted. */
  async allClosed(): Promise<void> {
    if (this.#open.size > 0) await new Promise<void>((resolve) => (this.#onLastClosed = resolve));
  }

  /** Closes connections on which nothing was ever sent, as browsers open them in advance. */
  closeUnused(): void {
    for (const socket of this.#open) if (socket.bytesRead === 0) socket.destroy();
  }

  #forget(socket: Socket): void {
    this.#open.delete(socket);
    if (this.#open.size === 0) this.#onLastClosed?.();
  }
}
