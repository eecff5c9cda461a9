// How long a shop takes for an answer when nothing is wrong with it: as long as one that asks a database.

/** Spread of the logarithm: the 99th percentile is about 3 times the median. */
const spread = 0.5;

/** A time to wait in milliseconds, log-normal around its median; 0 for a median of 0. */
export function drawWorkMs(medianMs: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  return medianMs * Math.exp(spread * normal);
}
