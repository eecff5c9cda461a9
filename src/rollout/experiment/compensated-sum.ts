// Sums that stay right however many numbers are added and taken out again: what rounding takes from a sum is added up beside it.
// A. Neumaier, ZAMM 54 (1974), with the exact error of D. Knuth, TAOCP 2, 4.2.2, theorem B.

/** A sum in two doubles: what plain addition gives, and what its roundings lost. Whoever reads it adds the two. */
export type CompensatedSum = { sum: number; rest: number };

/** Adds to a sum, in place. */
export function addTo(total: CompensatedSum, value: number): void {
  total.rest += roundingOf(total.sum, value);
  total.sum += value;
}

/** What rounding loses of `a + b`, exactly: the true sum is `(a + b) + roundingOf(a, b)`. 0 for whole numbers below 2^53. */
export function roundingOf(a: number, b: number): number {
  const sum = a + b;
  const ofB = sum - a;
  return a - (sum - ofB) + (b - ofB);
}
