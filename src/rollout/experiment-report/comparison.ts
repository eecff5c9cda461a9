// One candidate beside the baseline in one metric: the figures, with and without the users' past. No verdict yet.
import { meanInterval } from '../../stats/mean-interval.ts';
import type { Tuning } from '../../stats/mean-interval.ts';
import { liftInterval } from '../../stats/lift-interval.ts';
import type { Lift } from '../../stats/lift-interval.ts';
import { contrastPhases } from '../../stats/phase-contrast.ts';
import type { Contrast } from '../../stats/phase-contrast.ts';
import { adjustPhases } from '../../stats/phased-adjustment.ts';
import type { MetricFigures } from '../experiment.ts';
import type { AdjustedFigures, ComparedFigures, Estimated } from './report.ts';

export type Compared = {
  readonly figures: ComparedFigures | null;
  readonly adjusted: AdjustedFigures | null;
};

/** The candidate at `index` of the versions beside the first. */
export function compareMetric({ samples, paired }: MetricFigures, index: number, tuning: Tuning): Compared {
  const phases = samples.map((versions) => ({ candidate: versions[index]!, baseline: versions[0]! }));
  const contrast = contrastPhases(phases);
  if (contrast === null) return { figures: null, adjusted: null };
  const estimate = { ...contrast, error: contrast.guardedError };
  const figures = {
    ...estimatedOf(estimate, contrast, tuning),
    users: contrast.userCount,
    candidateMean: contrast.candidate.mean,
    baselineMean: contrast.baseline.mean,
  };
  if (paired === null) return { figures, adjusted: null };
  const adjustment = adjustPhases(paired.map((versions) => ({ candidate: versions[index]!, baseline: versions[0]! })));
  if (adjustment === null) return { figures, adjusted: null };
  const { difference: value, standardError, varianceReduction, userCount } = adjustment;
  const error = standardError * (contrast.guardedError / contrast.standardError);
  const sharper = estimatedOf({ value, error, userCount }, contrast, tuning);
  return { figures, adjusted: { ...sharper, saved: varianceReduction } };
}

type Estimate = { readonly value: number; readonly error: number; readonly userCount: number };

/**
 * The lift's interval comes from both versions' errors, scaled so that together they are the error of the difference; the
 * candidate's mean is the baseline's and the difference.
 */
function estimatedOf({ value, error, userCount }: Estimate, contrast: Contrast, tuning: Tuning): Estimated {
  const interval = meanInterval({ value, standardError: error, userCount }, tuning);
  const scale = error / contrast.standardError;
  const { baseline, candidate } = contrast;
  return {
    difference: value,
    lower: interval.lower,
    upper: interval.upper,
    standardError: error,
    logEvidence: interval.logEvidence,
    chance: interval.chanceByLuck,
    lift: possibleLift(
      liftInterval(
        { mean: baseline.mean + value, standardError: scale * candidate.standardError },
        { mean: baseline.mean, standardError: scale * baseline.standardError },
        interval.halfWidth / error,
      ),
    ),
  };
}

/** No figure is below 0, so nothing falls by more than all of it. */
function possibleLift(lift: Lift | null): Lift | null {
  return lift && { value: Math.max(-1, lift.value), lower: Math.max(-1, lift.lower), upper: Math.max(-1, lift.upper) };
}
