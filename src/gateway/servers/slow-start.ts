// The share of a server that comes back, as it warms up: a tenth at first, then more in even steps until it has all of it.

const firstRatio = 0.1;
const stepCount = 20;

export class SlowStart {
  /** The part of its weight that the server has: 0.1 to 1. */
  ratio = 1;
  #timer: NodeJS.Timeout | undefined;

  /** Begins anew, for so long; `stepped` is called each time the ratio has grown. 0: the server has all at once. */
  start(slowStartMs: number, stepped: () => void): void {
    this.stop();
    if (slowStartMs === 0) return;
    let taken = 0;
    this.ratio = firstRatio;
    this.#timer = setInterval(() => {
      taken += 1;
      if (taken === stepCount) this.stop();
      else this.ratio = firstRatio + ((1 - firstRatio) * taken) / stepCount;
      stepped();
    }, slowStartMs / stepCount);
    this.#timer.unref();
  }

  /** The server has all of its share, or gets nothing anyway. */
  stop(): void {
    clearInterval(this.#timer);
    this.ratio = 1;
  }
}
