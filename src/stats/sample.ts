// What is kept of the users of one version for one metric: counts and sums only, so samples of several processes add up.
// A user enters once; sums of squares of large values lose digits, so keep values in ordinary units (dollars, not micro-cents).
import { requireCount, requireFinite } from './domain.ts';

/** Conversion, retention: of `userCount` users, `hits` did it. */
export type Proportion = { readonly kind: 'proportion'; readonly userCount: number; readonly hits: number };

/** Value a user (revenue a user). */
export type MeanSample = {
  readonly kind: 'mean';
  readonly userCount: number;
  readonly sum: number;
  readonly sumOfSquares: number;
};

/** Value a unit, several units a user (average order value): sums over users of both, their squares and their product. */
export type RatioSample = {
  readonly kind: 'ratio';
  readonly userCount: number;
  readonly valueSum: number;
  readonly unitSum: number;
  readonly valueSquares: number;
  readonly unitSquares: number;
  readonly products: number;
};

export type Sample = Proportion | MeanSample | RatioSample;

/** Mean, and variance of one user's contribution to it. */
export type Moments = { readonly mean: number; readonly variance: number };

/** Below this part of the terms it is the difference of, a variance is rounding and counts as 0. */
const rounding = 1e-12;

/** Mean and variance; both 0 without users. Throws a RangeError for impossible sums. */
export function momentsOf(sample: Sample): Moments {
  requireSample(sample);
  if (sample.kind === 'proportion') return proportionMoments(sample);
  return sample.kind === 'mean' ? meanMoments(sample) : ratioMoments(sample);
}

/** The sample of two disjoint sets of users. Throws a RangeError when they are of different kinds. */
export function mergeSamples(a: Proportion, b: Proportion): Proportion;
export function mergeSamples(a: Sample, b: Sample): Sample;
export function mergeSamples(a: Sample, b: Sample): Sample {
  const userCount = a.userCount + b.userCount;
  if (a.kind === 'proportion' && b.kind === 'proportion') return { kind: a.kind, userCount, hits: a.hits + b.hits };
  if (a.kind === 'mean' && b.kind === 'mean') {
    return { kind: a.kind, userCount, sum: a.sum + b.sum, sumOfSquares: a.sumOfSquares + b.sumOfSquares };
  }
  if (a.kind === 'ratio' && b.kind === 'ratio') {
    return {
      kind: a.kind,
      userCount,
      valueSum: a.valueSum + b.valueSum,
      unitSum: a.unitSum + b.unitSum,
      valueSquares: a.valueSquares + b.valueSquares,
      unitSquares: a.unitSquares + b.unitSquares,
      products: a.products + b.products,
    };
  }
  throw new RangeError(`samples of one kind can be merged, not ${a.kind} and ${b.kind}`);
}

function proportionMoments({ userCount, hits }: Proportion): Moments {
  if (userCount === 0) return { mean: 0, variance: 0 };
  const mean = hits / userCount;
  return { mean, variance: mean * (1 - mean) };
}

function meanMoments({ userCount, sum, sumOfSquares }: MeanSample): Moments {
  if (userCount === 0) return { mean: 0, variance: 0 };
  const squares = sumOfSquares - (sum * sum) / userCount;
  const isConstant = userCount === 1 || squares <= rounding * sumOfSquares;
  return { mean: sum / userCount, variance: isConstant ? 0 : squares / (userCount - 1) };
}

/** Delta method: the variance of value - mean * unit, over the squared units a user. */
function ratioMoments({ userCount, valueSum, unitSum, valueSquares, unitSquares, products }: RatioSample): Moments {
  if (userCount <= 1 || unitSum === 0) return { mean: 0, variance: 0 };
  const covariance = (sumA: number, sumB: number, sumAB: number): number =>
    (sumAB - (sumA * sumB) / userCount) / (userCount - 1);
  const mean = valueSum / unitSum;
  const spread = covariance(valueSum, valueSum, valueSquares) + mean * mean * covariance(unitSum, unitSum, unitSquares);
  const residual = spread - 2 * mean * covariance(valueSum, unitSum, products);
  if (residual <= rounding * spread) return { mean, variance: 0 };
  return { mean, variance: residual / (unitSum / userCount) ** 2 };
}

function requireSample(sample: Sample): void {
  requireCount('userCount', sample.userCount);
  for (const [key, value] of Object.entries(sample)) if (typeof value === 'number') requireFinite(key, value);
  if (sample.kind === 'proportion' && !(sample.hits >= 0 && sample.hits <= sample.userCount)) {
    throw new RangeError(`hits must be from 0 to ${sample.userCount}, not ${sample.hits}`);
  }
}
