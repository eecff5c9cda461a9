// A latency quantile as an interval that holds at every look (beta-binomial mixture, Howard & Ramdas 2022). It assumes that latency
// does not drift, so it is for display; `latency-evidence.ts` decides.
import { logShareEvidence } from './dirichlet.ts';
import { requireCount, requireInside, requirePositive } from './domain.ts';
import { logThreshold } from './evidence.ts';
import { bucketLowerMs, bucketOfRank, bucketUpperMs, quantileMs } from './log-histogram.ts';
import type { LogHistogram } from './log-histogram.ts';
import type { Interval } from './rate-interval.ts';

/** Which quantile, at which error rate, tightest at about how many observations. */
export type QuantileQuestion = { readonly quantile: number; readonly alpha: number; readonly tightestAt: number };

/** Ranks (1 is the smallest observation) that hold the quantile between them; null where the data set no bound. */
export type QuantileRanks = { readonly lowerRank: number | null; readonly upperRank: number | null };

/** The ranks between which the quantile lies, at all times at once. Cost: a logarithm of the count in log gammas. Throws a RangeError outside its domain. */
export function quantileRanks(count: number, { quantile, alpha, tightestAt }: QuantileQuestion): QuantileRanks {
  requireCount('count', count);
  requireInside('quantile', quantile);
  const threshold = logThreshold(alpha);
  const concentration = concentrationFor(alpha, tightestAt);
  const isInside = (below: number): boolean =>
    logShareEvidence([below, count - below], [quantile, 1 - quantile], concentration) < threshold;
  const middle = Math.round(quantile * count);
  const least = firstWhere(0, middle, isInside);
  const most = firstWhere(middle, count, (below) => below === count || !isInside(below + 1));
  return { lowerRank: least === 0 ? null : least, upperRank: most === count ? null : most + 1 };
}

/** The quantile of a histogram in ms with its interval, at bucket edges outwards; 0 and Infinity where there is no bound, value null without data. */
export function quantileInterval(
  histogram: LogHistogram,
  question: QuantileQuestion,
): Interval & { readonly value: number | null } {
  const { lowerRank, upperRank } = quantileRanks(histogram.count, question);
  const lowest = lowerRank === null ? null : bucketOfRank(histogram, lowerRank);
  const highest = upperRank === null ? null : bucketOfRank(histogram, upperRank);
  return {
    lower: lowest === null ? 0 : bucketLowerMs(lowest),
    upper: highest === null ? Infinity : bucketUpperMs(highest),
    value: quantileMs(histogram, question.quantile),
  };
}

/** The strength of the prior that makes the interval tightest at a count. */
export function concentrationFor(alpha: number, tightestAt: number): number {
  requirePositive('tightestAt', tightestAt);
  const doubled = 2 * logThreshold(alpha);
  return Math.max(tightestAt / (doubled + Math.log1p(doubled)) - 1, 1e-3);
}

/** The least whole number from `low` to `high` where a condition holds that stays true once it is; it must hold at `high`. */
function firstWhere(low: number, high: number, holds: (n: number) => boolean): number {
  let [from, to] = [low, high];
  while (from < to) {
    const middle = from + Math.floor((to - from) / 2);
    if (holds(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}
