// The logarithm of the gamma function, accurate to the last digits for every size of argument.
import { requirePositive } from './domain.ts';

const logSqrtTwoPi = Math.log(2 * Math.PI) / 2;
const seriesFrom = 10;

/** ln Γ(x) for a finite x above 0; throws a RangeError otherwise. Relative error about 1e-15. */
export function logGamma(x: number): number {
  requirePositive('x', x);
  if (x >= seriesFrom) return stirling(x) + stirlingSeries(x);
  let shifted = x;
  let product = 1;
  for (; shifted < seriesFrom; shifted += 1) product *= shifted;
  return stirling(shifted) + stirlingSeries(shifted) - Math.log(product);
}

/**
 * What Stirling's formula `(x - 1/2) ln x - x + ln √(2π)` misses of ln Γ(x), for a finite x above 0.
 * Differences of ln Γ at large arguments lose `n ln n` ulps; written with this remainder they lose almost none (Loader 2000).
 */
export function stirlingError(x: number): number {
  return x >= seriesFrom ? stirlingSeries(x) : logGamma(x) - stirling(x);
}

/** ln B(a, b) = ln Γ(a) + ln Γ(b) - ln Γ(a + b), for a and b finite and above 0. */
export function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

function stirling(x: number): number {
  return (x - 0.5) * Math.log(x) - x + logSqrtTwoPi;
}

/** Bernoulli numbers over 2k(2k-1)x^(2k-1); at x = 10 the first term left out is below 1e-16. */
function stirlingSeries(x: number): number {
  const y = 1 / (x * x);
  const tail = 1 / 1188 - y * (691 / 360360 - y * (1 / 156 - (y * 3617) / 122400));
  return (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y * tail)))) / x;
}
