// Which of many metrics moved: the e-BH procedure. At most a share alpha of what it reports is false, on average.
import { logThreshold } from './evidence.ts';

/** Positions (ascending) of the metrics whose evidence counts: the largest k with the k-th largest at least `m / (k alpha)`. None is an empty list. */
export function discoveries(logEvidences: readonly number[], alpha: number): number[] {
  const threshold = logThreshold(alpha) + Math.log(logEvidences.length);
  if (logEvidences.some(Number.isNaN)) throw new RangeError('log evidence must be a number, not NaN');
  const descending = logEvidences.map((_, i) => i).toSorted((a, b) => logEvidences[b]! - logEvidences[a]!);
  const last = descending.findLastIndex((metric, rank) => logEvidences[metric]! >= threshold - Math.log(rank + 1));
  return descending.slice(0, last + 1).toSorted((a, b) => a - b);
}
