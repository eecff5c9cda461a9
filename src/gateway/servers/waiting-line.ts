// Requests that no server has room for, in the order they came.

export interface Waiter {
  /** Tries to go on; true: it does, or has no use for a server any more. */
  admit(): boolean;
  /** Waited long enough. */
  giveUp(): void;
}

export class WaitingLine {
  readonly #waiters = new Map<Waiter, NodeJS.Timeout>();

  get length(): number {
    return this.#waiters.size;
  }

  /** Waits at most so long; `giveUp` is called then, unless the waiter was admitted or left before. */
  join(waiter: Waiter, longestMs: number): void {
    const timer = setTimeout(() => {
      this.#waiters.delete(waiter);
      waiter.giveUp();
    }, longestMs);
    this.#waiters.set(waiter, timer);
  }

  leave(waiter: Waiter): void {
    clearTimeout(this.#waiters.get(waiter));
    this.#waiters.delete(waiter);
  }

  /** Has them go on, the first to come first, as long as that is any use. */
  advance(isOfUse: () => boolean): void {
    for (const waiter of this.#waiters.keys()) {
      if (!isOfUse()) return;
      if (waiter.admit()) this.leave(waiter);
    }
  }
}
