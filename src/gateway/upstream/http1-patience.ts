// How long a connection waits for what it waits for at the moment. One number that is put off again and again.
import type { VersionTimeouts } from '../../rollout/policy.ts';
import { never, type Ticks } from './ticks.ts';

export class Patience {
  readonly #ticks: Ticks;
  readonly #timeouts: VersionTimeouts;
  #deadline = never;

  constructor(ticks: Ticks, timeouts: VersionTimeouts) {
    this.#ticks = ticks;
    this.#timeouts = timeouts;
  }

  get isOver(): boolean {
    return this.#ticks.now >= this.#deadline;
  }

  /** Whether the server is waited for. */
  get isOn(): boolean {
    return this.#deadline !== never;
  }

  /** Somebody else is waited for. */
  forEver(): void {
    this.#deadline = never;
  }

  forHead(): void {
    this.#deadline = this.#ticks.after(this.#timeouts.responseMs);
  }

  /** Bytes went by, in either direction; `isHeldBack`: the server cannot send before its reader takes more. */
  forMore(isHeldBack: boolean): void {
    this.#deadline = isHeldBack ? never : this.#ticks.after(this.#timeouts.idleMs);
  }

  /** The next request has to come before so many milliseconds have passed. */
  forRequest(ms: number): void {
    this.#deadline = this.#ticks.before(ms);
  }
}
