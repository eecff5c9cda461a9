// The ratio of two failure rates as an interval that holds at every look. It assumes one ratio for the whole time: display only.
import { logThreshold } from './evidence.ts';
import { logSumExp } from './log-space.ts';
import type { Interval } from './rate-interval.ts';
import type { StratumCounts } from './stratum.ts';
import { requireCounts } from './stratum.ts';

const halfGrid = 120;
/** Ratios from 1/1000 to 1000, 40 a decade. */
const ratios = Array.from({ length: 2 * halfGrid + 1 }, (_, k) => 10 ** ((k - halfGrid) / 40));
const logRatios = ratios.map((ratio) => Math.log(ratio));
const logPrior = normalised(logRatios.map((logRatio) => -Math.log1p((logRatio / 0.5) ** 2)));

/** What is remembered of the strata: plain, and two of disjoint strata add up. */
export type RatioLikelihood = {
  readonly candidateHits: number;
  /** Per ratio of the grid: Σ hits · ln(share · ratio + 1 - share). */
  readonly penalties: readonly number[];
};

/** The likelihood before any stratum. */
export function startRatio(): RatioLikelihood {
  return { candidateHits: 0, penalties: ratios.map(() => 0) };
}

/** The likelihood after one more stratum; one without hits, or with an empty version, changes nothing. Cost: a logarithm a grid point. */
export function updateRatio(likelihood: RatioLikelihood, counts: StratumCounts): RatioLikelihood {
  requireCounts(counts);
  const { candidateCount, candidateHits, baselineCount, baselineHits } = counts;
  const hits = candidateHits + baselineHits;
  if (candidateCount === 0 || baselineCount === 0 || hits === 0) return likelihood;
  const share = candidateCount / (candidateCount + baselineCount);
  return {
    candidateHits: likelihood.candidateHits + candidateHits,
    penalties: likelihood.penalties.map((penalty, k) => penalty + hits * Math.log1p(share * (ratios[k]! - 1))),
  };
}

/** The likelihood of two disjoint sets of strata. */
export function mergeRatios(a: RatioLikelihood, b: RatioLikelihood): RatioLikelihood {
  return {
    candidateHits: a.candidateHits + b.candidateHits,
    penalties: a.penalties.map((penalty, k) => penalty + b.penalties[k]!),
  };
}

/**
 * The ratios candidate / baseline not refuted at `alpha`, rounded outwards to the grid; 0 and Infinity beyond its ends.
 * `logMixture` is ln of the evidence against ratio 1 at its own likelihood.
 */
export function ratioInterval(likelihood: RatioLikelihood, alpha: number): Interval & { readonly logMixture: number } {
  const threshold = logThreshold(alpha);
  const logLikelihoods = logRatios.map((logRatio, k) => likelihood.candidateHits * logRatio - likelihood.penalties[k]!);
  const logMixture = logSumExp(logLikelihoods.map((value, k) => value + logPrior[k]!));
  const isInside = (value: number): boolean => logMixture - value < threshold;
  const first = logLikelihoods.findIndex(isInside);
  const last = logLikelihoods.findLastIndex(isInside);
  return { lower: ratios[first - 1] ?? 0, upper: ratios[last + 1] ?? Infinity, logMixture };
}

function normalised(logWeights: readonly number[]): number[] {
  const logTotal = logSumExp(logWeights);
  return logWeights.map((logWeight) => logWeight - logTotal);
}
