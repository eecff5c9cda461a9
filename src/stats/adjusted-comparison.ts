// A difference of means made sharper by what was known of the users before (CUPED): the part that the past explains is taken out.
import { requireCount, requireFinite } from './domain.ts';

/** Sums over the users of one version: the metric y, the same users' past x (0 for unknown ones), squares and product. Samples add up. */
export type PairedSample = {
  readonly userCount: number;
  readonly ySum: number;
  readonly ySquares: number;
  readonly xSum: number;
  readonly xSquares: number;
  readonly products: number;
};

export type AdjustedComparison = {
  /** How much of a unit of the past is in a unit of the metric; 0 when the past does not vary. */
  readonly slope: number;
  readonly difference: number;
  readonly standardError: number;
  readonly unadjustedError: number;
  /** 1 - (adjusted / unadjusted error)²: the part of the users saved; may be slightly negative. */
  readonly varianceReduction: number;
};

type Spread = {
  readonly yMean: number;
  readonly xMean: number;
  readonly yVariance: number;
  readonly xVariance: number;
  readonly covariance: number;
};

/** Parts below which a variance is rounding. */
const rounding = 1e-9;

/** Candidate - baseline, adjusted; null when a version has fewer than two users or the metric varies in neither. Throws a RangeError for impossible sums. */
export function compareAdjusted(candidate: PairedSample, baseline: PairedSample): AdjustedComparison | null {
  for (const sample of [candidate, baseline]) requirePaired(sample);
  if (candidate.userCount < 2 || baseline.userCount < 2) return null;
  const [c, b] = [spreadOf(candidate), spreadOf(baseline)];
  const [dc, db] = [candidate.userCount - 1, baseline.userCount - 1];
  const xTotal = dc * c.xVariance + db * b.xVariance;
  const isConstant = xTotal <= rounding * (candidate.xSquares + baseline.xSquares);
  const slope = isConstant ? 0 : (dc * c.covariance + db * b.covariance) / xTotal;
  const unadjustedError = Math.sqrt(c.yVariance / candidate.userCount + b.yVariance / baseline.userCount);
  if (!(unadjustedError > 0)) return null;
  const standardError = Math.sqrt(
    adjustedVariance(c, slope) / candidate.userCount + adjustedVariance(b, slope) / baseline.userCount,
  );
  return {
    slope,
    difference: c.yMean - b.yMean - slope * (c.xMean - b.xMean),
    standardError,
    unadjustedError,
    varianceReduction: 1 - (standardError / unadjustedError) ** 2,
  };
}

function spreadOf({ userCount, ySum, ySquares, xSum, xSquares, products }: PairedSample): Spread {
  const centred = (sumA: number, sumB: number, sumAB: number): number =>
    (sumAB - (sumA * sumB) / userCount) / (userCount - 1);
  return {
    yMean: ySum / userCount,
    xMean: xSum / userCount,
    yVariance: Math.max(0, centred(ySum, ySum, ySquares)),
    xVariance: Math.max(0, centred(xSum, xSum, xSquares)),
    covariance: centred(xSum, ySum, products),
  };
}

function adjustedVariance({ yVariance, xVariance, covariance }: Spread, slope: number): number {
  const variance = yVariance + slope * slope * xVariance - 2 * slope * covariance;
  return variance < rounding * yVariance ? 0 : variance;
}

function requirePaired(sample: PairedSample): void {
  requireCount('userCount', sample.userCount);
  for (const [key, value] of Object.entries(sample)) requireFinite(key, value);
}
