// A band around a whole distribution function that holds at every look (Howard & Ramdas 2022, theorem 2). It assumes that the
// distribution does not drift: for display.
import { bisect } from './bisect.ts';
import { requireInside, requirePositive } from './domain.ts';

const leading = 0.85;

/** Half the height of the band (it may exceed 1) after `count` observations, valid for all counts of at least `from`. Throws a RangeError outside `0 < from <= count`. */
export function bandHalfHeight({ count, from, alpha }: { count: number; from: number; alpha: number }): number {
  requirePositive('from', from);
  if (!(count >= from && count < Infinity))
    throw new RangeError(`count must be finite and at least ${from}, not ${count}`);
  return leading * Math.sqrt((Math.log1p(Math.log(count / from)) + bandConstant(alpha)) / count);
}

/** The smallest constant C for which the chance of ever leaving the band is at most alpha. Costs about 60,000 exponentials: keep it. */
export function bandConstant(alpha: number): number {
  requireInside('alpha', alpha);
  let enough = 2;
  while (chanceOfLeaving(enough) > alpha) enough *= 2;
  return bisect(enough / 2, enough, (constant) => chanceOfLeaving(constant) > alpha);
}

/** min over the spacing η of 4 exp(-γC)(1 + 1/((γ-1) ln η)): a bound by peeling the time axis in powers of η. */
function chanceOfLeaving(constant: number): number {
  const exponent = (spacing: number): number =>
    (2 / spacing) * Math.max(0, leading - Math.sqrt((2 * (spacing - 1)) / constant)) ** 2;
  const widest = bisect(1, 10, (spacing) => exponent(spacing) > 1);
  return leastValue(1, widest, (spacing) => {
    const gamma = exponent(spacing);
    return 4 * Math.exp(-gamma * constant) * (1 + 1 / ((gamma - 1) * Math.log(spacing)));
  });
}

/** The least value of a function with one valley, by golden section; its ends are not asked. */
function leastValue(low: number, high: number, valueAt: (x: number) => number): number {
  const golden = (Math.sqrt(5) - 1) / 2;
  let [a, b] = [low, high];
  let [left, right] = [b - golden * (b - a), a + golden * (b - a)];
  let [atLeft, atRight] = [valueAt(left), valueAt(right)];
  for (let step = 0; step < 100; step += 1) {
    if (atLeft <= atRight) {
      [b, right, atRight] = [right, left, atLeft];
      left = b - golden * (b - a);
      atLeft = valueAt(left);
    } else {
      [a, left, atLeft] = [left, right, atRight];
      right = a + golden * (b - a);
      atRight = valueAt(right);
    }
  }
  return Math.min(atLeft, atRight);
}
