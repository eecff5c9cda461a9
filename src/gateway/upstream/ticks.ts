// Time in coarse steps, so that a deadline costs a request one addition and no timer of its own. Steps that a busy process
// misses are not made up for: nobody is late because graygate was.

/** Anything with deadlines: called at every step while it is watched. */
export interface Ticking {
  tick(): void;
}

/** A deadline that never comes. */
export const never = Infinity;

export class Ticks {
  /** How many steps have passed. */
  now = 0;
  readonly #stepMs: number;
  readonly #watched = new Set<Ticking>();
  #timer: NodeJS.Timeout | null = null;

  /** Deadlines come late by one to two steps. */
  constructor(stepMs: number) {
    this.#stepMs = stepMs;
  }

  /** The step at which so many milliseconds have passed for certain. */
  after(ms: number): number {
    return this.now + Math.ceil(ms / this.#stepMs) + 1;
  }

  /** A step by which so many milliseconds have not passed. */
  before(ms: number): number {
    return this.now + Math.floor(ms / this.#stepMs);
  }

  watch(ticking: Ticking): void {
    this.#watched.add(ticking);
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => this.#step(), this.#stepMs);
    this.#timer.unref();
  }

  unwatch(ticking: Ticking): void {
    this.#watched.delete(ticking);
    if (this.#watched.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #step(): void {
    this.now += 1;
    for (const ticking of this.#watched) ticking.tick();
  }
}
