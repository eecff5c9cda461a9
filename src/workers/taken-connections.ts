// Counts the connections that a worker was handed, and tells the control process: what was taken cannot go to another worker any
// more, and who has the fewest open gets the next.
import type { Socket } from 'node:net';

/** How long the end of connections may go unsaid. */
const closedAfterMs = 20;

export type ConnectionCounts = { readonly takenCount: number; readonly openCount: number };

export class TakenConnections {
  readonly #tell: (counts: ConnectionCounts) => void;
  #takenCount = 0;
  #openCount = 0;
  #isTelling = false;
  #soon: NodeJS.Timeout | undefined;

  constructor(tell: (counts: ConnectionCounts) => void) {
    this.#tell = tell;
  }

  add(socket: Socket | undefined): void {
    this.#takenCount += 1;
    if (socket !== undefined) {
      this.#openCount += 1;
      socket.once('close', () => this.#closed());
    }
    if (this.#isTelling) return;
    this.#isTelling = true;
    // One message for those that come together.
    setImmediate(() => this.#tellNow());
  }

  #closed(): void {
    this.#openCount -= 1;
    this.#soon ??= setTimeout(() => this.#tellNow(), closedAfterMs).unref();
  }

  #tellNow(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#isTelling = false;
    this.#tell({ takenCount: this.#takenCount, openCount: this.#openCount });
  }
}
