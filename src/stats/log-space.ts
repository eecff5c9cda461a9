// Sums of numbers that are known by their logarithm: e-values pass 1e308 within seconds of an outage.

/** ln(Σ exp(value)) without overflow; -Infinity for none. Throws a RangeError when a value is NaN. */
export function logSumExp(values: readonly number[]): number {
  let largest = -Infinity;
  for (const value of values) {
    if (Number.isNaN(value)) throw new RangeError('a logarithm must be a number, not NaN');
    if (value > largest) largest = value;
  }
  if (largest === -Infinity || largest === Infinity) return largest;
  let sum = 0;
  for (const value of values) sum += Math.exp(value - largest);
  return largest + Math.log(sum);
}

/** ln(exp(a) + exp(b)) without overflow. Throws a RangeError when one is NaN. */
export function logAddExp(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) throw new RangeError('a logarithm must be a number, not NaN');
  const larger = Math.max(a, b);
  if (larger === -Infinity || larger === Infinity) return larger;
  return larger + Math.log1p(Math.exp(Math.min(a, b) - larger));
}
