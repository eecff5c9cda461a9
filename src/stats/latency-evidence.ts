// Is the candidate slower? Per quantile, requests above a threshold that the baseline's past set are bet on, both to roll back and to
// promote. Nothing here reads a mean, and nothing assumes that latency stays as it is.
import { combineEvidence } from './combine.ts';
import type { Combined } from './combine.ts';
import { restartEvidence, startEvidence, updateEvidence } from './evidence.ts';
import type { Evidence } from './evidence.ts';
import { latencyGuardTest } from './guard-test.ts';
import { startReference, thresholdIndex, updateReference } from './latency-reference.ts';
import type { LatencyReference } from './latency-reference.ts';
import { bucketsWithin, countAbove } from './log-histogram.ts';
import type { LogHistogram } from './log-histogram.ts';
import { latencyPromotionTest } from './promotion-test.ts';
import type { StratumCounts, StratumTest } from './stratum.ts';

/** What is tested, once a policy: per quantile a guard and a promotion. */
export type LatencyTest = {
  readonly quantiles: readonly number[];
  /** How many buckets slower the candidate may be before it is harm, and before it is no longer proved safe. */
  readonly toleratedBuckets: number;
  readonly provedBuckets: number;
  readonly guards: readonly StratumTest[];
  readonly promotions: readonly StratumTest[];
};

/** Everything that is remembered; JSON keeps it whole. Guards and promotions are in the order of the quantiles. */
export type LatencyEvidence = {
  readonly reference: LatencyReference;
  readonly guards: readonly Evidence[];
  readonly promotions: readonly Evidence[];
};

/** The latencies of one stratum. */
export type LatencySlices = { readonly candidate: LogHistogram; readonly baseline: LogHistogram };

/**
 * The test of a policy: quantiles (each above 0 and below 1) and factors above 1, `tolerate` 1.1 being "up to a tenth slower is fine".
 * Factors count in whole buckets of 2 %, upwards; `factorOf` says what is really tested. Throws a RangeError outside these.
 */
export function latencyTest({
  quantiles,
  tolerate,
  prove,
}: {
  quantiles: readonly number[];
  tolerate: number;
  prove: number;
}): LatencyTest {
  if (quantiles.length === 0) throw new RangeError('a latency test must have at least one quantile');
  return {
    quantiles,
    toleratedBuckets: bucketsWithin(tolerate),
    provedBuckets: bucketsWithin(prove),
    guards: quantiles.map(latencyGuardTest),
    promotions: quantiles.map(latencyPromotionTest),
  };
}

/** Evidence before the first stratum. */
export function startLatency(test: LatencyTest): LatencyEvidence {
  return {
    reference: startReference(),
    guards: test.guards.map(startEvidence),
    promotions: test.promotions.map(startEvidence),
  };
}

/** Evidence after one more stratum; until the baseline has a past of 200 requests it only learns. */
export function updateLatency(test: LatencyTest, evidence: LatencyEvidence, slices: LatencySlices): LatencyEvidence {
  const thresholds = test.quantiles.map((quantile) => thresholdIndex(evidence.reference, quantile));
  const updated = (tests: readonly StratumTest[], before: readonly Evidence[], shift: number): Evidence[] =>
    before.map((one, i) => updateEvidence(tests[i]!, one, countSlower(slices, thresholds[i]!, shift)));
  return {
    guards: updated(test.guards, evidence.guards, test.toleratedBuckets),
    promotions: updated(test.promotions, evidence.promotions, test.provedBuckets),
    reference: updateReference(evidence.reference, slices.baseline),
  };
}

/** The counts that one quantile bets on: slower than the threshold, the candidate with its shift; nothing without a threshold. */
export function countSlower(
  { candidate, baseline }: LatencySlices,
  threshold: number | null,
  shift: number,
): StratumCounts {
  if (threshold === null) return { candidateCount: 0, candidateHits: 0, baselineCount: 0, baselineHits: 0 };
  return {
    candidateCount: candidate.count,
    candidateHits: countAbove(candidate, threshold + shift),
    baselineCount: baseline.count,
    baselineHits: countAbove(baseline, threshold),
  };
}

/** Restarts the guards (by the clock and at stage changes, as `restartEvidence` says). */
export function restartLatency(evidence: LatencyEvidence): LatencyEvidence {
  return { ...evidence, guards: evidence.guards.map(restartEvidence) };
}

/** Begins the promotions anew, as every stage does; guards and reference go on. */
export function resetLatencyPromotion(test: LatencyTest, evidence: LatencyEvidence): LatencyEvidence {
  return { ...evidence, promotions: test.promotions.map(startEvidence) };
}

/** Evidence for harm over all quantiles: the mean of their wealths, and which quantile (its position) says most. */
export function latencyHarm(evidence: LatencyEvidence): Combined {
  const weight = 1 / evidence.guards.length;
  return combineEvidence(evidence.guards.map(({ logEvidence }) => ({ weight, logEvidence })));
}

/** Evidence for safety: every quantile must prove it, so that of the least proved one, and which it is. */
export function latencySafety(evidence: LatencyEvidence): { readonly logEvidence: number; readonly weakest: number } {
  const logEvidences = evidence.promotions.map(({ logEvidence }) => logEvidence);
  const logEvidence = Math.min(...logEvidences);
  return { logEvidence, weakest: logEvidences.indexOf(logEvidence) };
}
