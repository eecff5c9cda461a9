// An estimate with its standard error as an interval that holds at every look (asymptotic confidence sequence, Gaussian mixture:
// Waudby-Smith et al.). For A/B metrics; approximate, so `decision-gates.ts` says from when on it may decide.
import { requireFinite, requireInside, requirePositive } from './domain.ts';
import { logScaledNormalCdf } from './normal.ts';
import type { Interval } from './rate-interval.ts';

/** A figure, its standard error (above 0) and the users it rests on (above 0). */
export type Estimate = { readonly value: number; readonly standardError: number; readonly userCount: number };

/**
 * How sure, and at how many users of all versions the interval is tightest (the planned total; 5,000 when nothing is planned).
 * `tunedFor`: the alpha for which it is tightest there, when that is not `alpha`; intervals that share it rest on the same evidence.
 */
export type Tuning = { readonly alpha: number; readonly tightestAt: number; readonly tunedFor?: number };

export type MeanInterval = Interval & {
  readonly halfWidth: number;
  /** ln of the evidence against 0. */
  readonly logEvidence: number;
  /** Chance (0–1) of this much by luck, at this look; the smallest over all looks is valid at any time. */
  readonly chanceByLuck: number;
};

/** Bounds that hold each for itself, and the evidence for either direction. */
export type OneSidedBounds = Interval & {
  readonly halfWidth: number;
  readonly logEvidenceAbove: number;
  readonly logEvidenceBelow: number;
};

/** The values not refuted at alpha, at all times at once. Throws a RangeError outside the ranges named at the types. */
export function meanInterval(estimate: Estimate, { alpha, tightestAt, tunedFor = alpha }: Tuning): MeanInterval {
  requireEstimate(estimate);
  requireInside('alpha', alpha);
  const { value, standardError, userCount } = estimate;
  const strength = userCount * mixingVariance(tunedFor, tightestAt);
  const halfWidth =
    standardError * Math.sqrt(((strength + 1) / strength) * (Math.log1p(strength) - 2 * Math.log(alpha)));
  const deviations = value / standardError;
  const logEvidence = (strength * deviations * deviations) / (2 * (strength + 1)) - Math.log1p(strength) / 2;
  return {
    lower: value - halfWidth,
    upper: value + halfWidth,
    halfWidth,
    logEvidence,
    chanceByLuck: Math.min(1, Math.exp(-logEvidence)),
  };
}

/** A lower and an upper bound, each at alpha (below 0.5) on its own: what a guardrail asks. */
export function oneSidedBounds(estimate: Estimate, { alpha, tightestAt }: Tuning): OneSidedBounds {
  requireEstimate(estimate);
  if (!(alpha > 0 && alpha < 0.5))
    throw new RangeError(`alpha of a one-sided bound must be above 0 and below 0.5, not ${alpha}`);
  const { value, standardError, userCount } = estimate;
  const strength = userCount * mixingVariance(2 * alpha, tightestAt);
  const reach = Math.log1p(Math.sqrt(strength + 1) / (2 * alpha));
  const halfWidth = standardError * Math.sqrt(((2 * (strength + 1)) / strength) * reach);
  const shrunk = (value / standardError) * Math.sqrt(strength / (strength + 1));
  const constant = Math.LN2 - Math.log1p(strength) / 2;
  return {
    lower: value - halfWidth,
    upper: value + halfWidth,
    halfWidth,
    logEvidenceAbove: constant + logScaledNormalCdf(shrunk),
    logEvidenceBelow: constant + logScaledNormalCdf(-shrunk),
  };
}

/** Variance of the mixture, a user, that makes the interval tightest at the planned total. */
export function mixingVariance(alpha: number, tightestAt: number): number {
  requirePositive('tightestAt', tightestAt);
  const doubled = -2 * Math.log(alpha);
  return (doubled + Math.log1p(doubled)) / tightestAt;
}

function requireEstimate({ value, standardError, userCount }: Estimate): void {
  requireFinite('value', value);
  requirePositive('standardError', standardError);
  requirePositive('userCount', userCount);
}
