// The share of a server that comes back, as it warms up: a tenth at first, then more in even steps until it has all of it.

const firstRatio = 0.1;
const stepCount = 20;

/** Calls `step` with the ratio (0.1 to 1) of its weight that the server has from now on; returns the way to stop that. */
export function startSlowly(slowStartMs: number, step: (ratio: number) => void): () => void {
  let taken = 0;
  step(firstRatio);
  const timer = setInterval(() => {
    taken += 1;
    if (taken === stepCount) clearInterval(timer);
    step(taken === stepCount ? 1 : firstRatio + ((1 - firstRatio) * taken) / stepCount);
  }, slowStartMs / stepCount);
  timer.unref();
  return () => clearInterval(timer);
}
