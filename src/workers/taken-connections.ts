// Counts the connections that a worker was handed, and tells the control process: what was taken cannot go to another worker any
// more, and who has the fewest open gets the next.
import type { Socket } from 'node:net';

/** How long what is taken and closed may go unsaid: a message for each would cost more than the connection. */
const unsaidMs = 10;
/** So many taken are said at once; less than may be on their way, so that the flow does not stop. */
const mostUnsaid = 4;

export type ConnectionCounts = { readonly takenCount: number; readonly openCount: number };

export class TakenConnections {
  readonly #tell: (counts: ConnectionCounts) => void;
  #takenCount = 0;
  #openCount = 0;
  #unsaidCount = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (counts: ConnectionCounts) => void) {
    this.#tell = tell;
  }

  /** Undefined: it came without its handle, because the client had left. */
  add(socket: Socket | undefined): void {
    this.#takenCount += 1;
    this.#unsaidCount += 1;
    if (socket !== undefined) {
      this.#openCount += 1;
      socket.once('close', () => this.#closed());
    }
    if (this.#unsaidCount >= mostUnsaid) this.#tellNow();
    else this.#tellSoon();
  }

  #closed(): void {
    this.#openCount -= 1;
    this.#tellSoon();
  }

  #tellSoon(): void {
    this.#timer ??= setTimeout(() => this.#tellNow(), unsaidMs).unref();
  }

  #tellNow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#unsaidCount = 0;
    this.#tell({ takenCount: this.#takenCount, openCount: this.#openCount });
  }
}
