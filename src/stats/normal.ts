// The standard normal distribution: the logarithm of its cumulative function, and its quantiles.
import { bisect } from './bisect.ts';
import { requireFinite, requireInside } from './domain.ts';

const logSqrtTwoPi = Math.log(2 * Math.PI) / 2;
/** Beyond this the continued fraction is exact in double precision; below it the power series is. */
const tailFrom = 3;
const fractionDepth = 80;

/** ln Φ(z); does not underflow in the lower tail. ±Infinity give 0 and -Infinity; throws a RangeError for NaN. */
export function logNormalCdf(z: number): number {
  if (Number.isNaN(z)) throw new RangeError('z must be a number, not NaN');
  if (z <= -tailFrom) return logLowerTail(-z);
  if (z >= tailFrom) return Math.log1p(-Math.exp(logLowerTail(z)));
  return Math.log(0.5 + central(z));
}

/** ln Φ(z) + z²/2 for a finite z: in the lower tail both are huge and cancel; here they never meet. */
export function logScaledNormalCdf(z: number): number {
  requireFinite('z', z);
  return z <= -tailFrom ? logMills(-z) - logSqrtTwoPi : logNormalCdf(z) + (z * z) / 2;
}

/** The z with Φ(z) = p, for p above 0 and below 1; throws a RangeError otherwise. */
export function normalQuantile(p: number): number {
  requireInside('p', p);
  if (p > 0.5) return -normalQuantile(1 - p);
  if (p === 0.5) return 0;
  const logP = Math.log(p);
  return bisect(-40, 0, (z) => logNormalCdf(z) < logP);
}

/** Φ(z) - 1/2 by the series φ(z)(z + z³/3 + z⁵/15 + …): all terms have one sign. */
function central(z: number): number {
  let term = z;
  let sum = 0;
  for (let k = 3; sum + term !== sum; k += 2) {
    sum += term;
    term *= (z * z) / k;
  }
  return sum * Math.exp(-(z * z) / 2 - logSqrtTwoPi);
}

/** ln Φ(-x) for x >= 3. */
function logLowerTail(x: number): number {
  return x === Infinity ? -Infinity : logMills(x) - logSqrtTwoPi - (x * x) / 2;
}

/** ln of Mills' ratio Φ(-x)/φ(x) for x >= 3, by Laplace's continued fraction. */
function logMills(x: number): number {
  let denominator = x;
  for (let k = fractionDepth; k >= 1; k -= 1) denominator = x + k / denominator;
  return -Math.log(denominator);
}
