// How many users an A/B comparison needs: with looks at any time (an asymptotic confidence sequence) and with one look at the end.
import { requireInside, requirePositive } from './domain.ts';
import { logThreshold } from './evidence.ts';
import { normalQuantile } from './normal.ts';

export type ExperimentPlan = {
  /** Difference of the means to be found; not 0. */
  readonly difference: number;
  /** Variance of one user's value, each version. */
  readonly candidateVariance: number;
  readonly baselineVariance: number;
  /** Candidate's share of the users, above 0 and below 1. */
  readonly share: number;
  readonly alpha: number;
  /** Chance to find the difference, above 0 and below 1. */
  readonly power: number;
};

export type UserCount = {
  /** Users of both versions at which the sequence reaches the power; it often stops earlier. */
  readonly sequential: number;
  /** Users for a test that is looked at once. */
  readonly fixed: number;
};

/** The users an experiment needs. Throws a RangeError outside the ranges named at the plan. */
export function plannedUsers({
  difference,
  candidateVariance,
  baselineVariance,
  share,
  alpha,
  power,
}: ExperimentPlan): UserCount {
  requirePositive('the size of difference', Math.abs(difference));
  requirePositive('candidateVariance', candidateVariance);
  requirePositive('baselineVariance', baselineVariance);
  requireInside('share', share);
  requireInside('power', power);
  const variance = candidateVariance / share + baselineVariance / (1 - share);
  const users = (deviations: number): number => variance * ((deviations + normalQuantile(power)) / difference) ** 2;
  return { sequential: users(boundaryAtHorizon(alpha)), fixed: users(normalQuantile(1 - alpha / 2)) };
}

/** Half width of the sequence, in standard errors, at the size it is tuned for. */
export function boundaryAtHorizon(alpha: number): number {
  const doubled = 2 * logThreshold(alpha);
  const tuned = doubled + Math.log1p(doubled);
  return Math.sqrt(((tuned + 1) / tuned) * (Math.log1p(tuned) + doubled));
}
