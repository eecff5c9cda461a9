// One deadline that is put off again and again, at the cost of one timer.

export class Countdown {
  readonly #onOver: (ms: number) => void;
  #timer: NodeJS.Timeout | undefined;
  #ms = 0;

  /** Calls back with the time that was given, once it is over. */
  constructor(onOver: (ms: number) => void) {
    this.#onOver = onOver;
  }

  /** Begins anew with this time. */
  begin(ms: number): void {
    if (this.#timer !== undefined && this.#ms === ms) {
      this.#timer.refresh();
      return;
    }
    clearTimeout(this.#timer);
    this.#ms = ms;
    this.#timer = setTimeout(() => this.#onOver(ms), ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
