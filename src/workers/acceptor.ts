// Accepts the connections of the traffic port and hands each, unread, to the worker with the fewest. Here and not in the workers, so
// that long-lived connections are spread evenly, and so that one that no worker has begun to serve goes to another when its worker dies.
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { ListenAddress } from '../rollout/entrance.ts';

/** Connections that wait because every worker is busy or none is there; more are closed. */
const mostWaiting = 10_000;
const backlog = 4_096;

/** A worker as the acceptor sees it. */
export interface Taker {
  /** Whether it can be handed one more now. */
  readonly hasRoom: boolean;
  /** Connections open in it, those on their way included. */
  readonly openCount: number;
  hand(socket: Socket): void;
}

export class Acceptor {
  readonly #takers = new Set<Taker>();
  readonly #server: Server;
  #waiting = new Set<Socket>();

  constructor() {
    this.#server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => this.offer(socket));
  }

  /** Resolves with the port. */
  listen({ host, port }: ListenAddress): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog }, () => {
        this.#server.off('error', reject);
        // A process that has no file descriptor left accepts again when it has one.
        this.#server.on('error', () => undefined);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  add(taker: Taker): void {
    this.#takers.add(taker);
    this.handOut();
  }

  remove(taker: Taker): void {
    this.#takers.delete(taker);
  }

  /** Finds a worker for a connection of which nothing was read, now or when one has room. */
  offer(socket: Socket): void {
    if (this.#waiting.size >= mostWaiting) return void socket.destroy();
    this.#waiting.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#waiting.delete(socket));
    this.handOut();
  }

  /** To be called when a worker may have room again. */
  handOut(): void {
    for (const socket of this.#waiting) {
      const taker = this.#leastBusy();
      if (taker === null) return;
      this.#waiting.delete(socket);
      taker.hand(socket);
    }
  }

  /** Accepts nothing more. What waits is given up: nothing was read from it. */
  close(): void {
    this.#server.close();
    for (const socket of this.#waiting) socket.destroy();
    this.#takers.clear();
  }

  #leastBusy(): Taker | null {
    let best: Taker | null = null;
    for (const taker of this.#takers) {
      if (taker.hasRoom && (best === null || taker.openCount < best.openCount)) best = taker;
    }
    return best;
  }
}
