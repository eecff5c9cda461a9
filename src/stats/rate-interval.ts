// The rate of one version as an interval that holds at every look (Beta(1/2, 1/2) mixture), and the difference of two. For display.
import { bisect } from './bisect.ts';
import { requireCount, requireInside } from './domain.ts';
import { logThreshold } from './evidence.ts';
import { logBeta, stirlingError } from './log-gamma.ts';

const prior = 0.5;
const logSqrtTwoPi = Math.log(2 * Math.PI) / 2;
const logPriorBeta = logBeta(prior, prior);

/** An interval; `lower <= upper`. */
export type Interval = { readonly lower: number; readonly upper: number };

/** Requests of one version and how many of them failed (or did what else is counted). */
export type HitCount = { readonly hits: number; readonly count: number };

/** The rates (0–1) that the counts do not refute at `alpha`, valid at all times at once; 0 to 1 without data. Throws a RangeError for impossible counts. */
export function rateInterval({ hits, count }: HitCount, alpha: number): Interval {
  const threshold = logThreshold(alpha);
  const evidence = evidenceAgainst({ hits, count });
  const estimate = count === 0 ? 0 : hits / count;
  const lower = hits === 0 ? 0 : bisect(0, estimate, (rate) => evidence(rate) >= threshold);
  const upper = hits === count ? 1 : bisect(estimate, 1, (rate) => evidence(rate) < threshold);
  return { lower, upper };
}

/** The differences candidate - baseline (-1 to 1) not refuted at `alpha`, at all times at once: half of alpha to each version. */
export function rateDifferenceInterval(candidate: HitCount, baseline: HitCount, alpha: number): Interval {
  requireInside('alpha', alpha);
  const [c, b] = [rateInterval(candidate, alpha / 2), rateInterval(baseline, alpha / 2)];
  return { lower: c.lower - b.upper, upper: c.upper - b.lower };
}

/** ln of the evidence against a rate above 0 and below 1. Throws a RangeError for impossible counts. */
export function logEvidenceAgainstRate(counts: HitCount, rate: number): number {
  requireInside('rate', rate);
  return evidenceAgainst(counts)(rate);
}

/** ln [B(1/2+x, 1/2+n-x) / B(1/2, 1/2)] - x ln p - (n-x) ln(1-p), with the large terms cancelled on paper. */
function evidenceAgainst({ hits, count }: HitCount): (rate: number) => number {
  requireCount('count', count);
  if (!(hits >= 0 && hits <= count)) throw new RangeError(`hits must be from 0 to ${count}, not ${hits}`);
  const misses = count - hits;
  const [a, b, total] = [hits + prior, misses + prior, count + 2 * prior];
  const constant =
    logSqrtTwoPi - logPriorBeta - Math.log(total) / 2 + stirlingError(a) + stirlingError(b) - stirlingError(total);
  return (rate) => {
    const excess = a - total * rate;
    return constant + hits * Math.log1p(excess / (total * rate)) + misses * Math.log1p(-excess / (total * (1 - rate)));
  };
}
