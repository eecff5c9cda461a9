// Seeded random numbers for simulations: the same seed gives the same run on every machine.

export type Random = {
  /** At least 0, below 1. */
  uniform(): number;
  normal(): number;
  poisson(mean: number): number;
  binomial(count: number, rate: number): number;
};

/** A generator (mulberry32) of its own. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const poisson = (mean: number): number => {
    let [count, time] = [0, -Math.log(1 - uniform())];
    for (; time < mean; count += 1) time -= Math.log(1 - uniform());
    return count;
  };
  /** Jumps from hit to hit, so rare hits cost little. */
  const binomial = (count: number, rate: number): number => {
    if (rate <= 0) return 0;
    let hits = -1;
    for (let at = -1; at < count; hits += 1)
      at += 1 + (rate < 1 ? Math.floor(Math.log(1 - uniform()) / Math.log1p(-rate)) : 0);
    return hits;
  };
  return { uniform, normal, poisson, binomial };
}
