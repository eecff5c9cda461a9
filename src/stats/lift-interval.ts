// How many parts more or less than the baseline, as an interval that agrees with that of the difference (Fieller 1954): it leaves
// out 0 exactly where the difference does, which intervals by the delta method do not.
import type { Interval } from './rate-interval.ts';
import type { PhasedMean } from './phase-contrast.ts';

export type Lift = Interval & { readonly value: number };

/**
 * The lift (0.1: a tenth more than the baseline) and the lifts that `reach` standard errors do not refute; null where the
 * baseline itself may be 0. `reach` is the half width of the difference's interval in standard errors.
 */
export function liftInterval(candidate: PhasedMean, baseline: PhasedMean, reach: number): Lift | null {
  const [wideCandidate, wideBaseline] = [reach * candidate.standardError, reach * baseline.standardError];
  const leading = baseline.mean ** 2 - wideBaseline ** 2;
  if (!(leading > 0)) return null;
  const middle = candidate.mean * baseline.mean;
  const root = Math.sqrt(Math.max(0, middle ** 2 - leading * (candidate.mean ** 2 - wideCandidate ** 2)));
  const liftOf = (ratio: number): number => Math.sign(baseline.mean) * (ratio - 1);
  const ends = [liftOf((middle - root) / leading), liftOf((middle + root) / leading)];
  return { value: liftOf(candidate.mean / baseline.mean), lower: Math.min(...ends), upper: Math.max(...ends) };
}
