// What the baseline's latency was before now: a histogram in which older strata weigh less. Thresholds come from it, so they are
// fixed before the stratum they are used on and may follow any drift. Plain records.
import { requireInside } from './domain.ts';
import { packHistogram } from './log-histogram.ts';
import type { LogHistogram } from './log-histogram.ts';

const decay = 127 / 128;
/** Total weight below which a quantile would be too rough to be worth a bet. */
const enoughWeight = 200;
/** A weight that can no longer move a threshold; dropping it keeps the record short and its numbers normal. */
const negligibleWeight = 1e-9;

/** Decayed counts from the bucket `firstIndex` upwards. */
export type LatencyReference = {
  readonly firstIndex: number;
  readonly weights: readonly number[];
  readonly total: number;
};

/** A reference that has seen nothing. */
export function startReference(): LatencyReference {
  return { firstIndex: 0, weights: [], total: 0 };
}

/**
 * The bucket at or below which a share `quantile` of the weight lies; null before a weight of 200.
 * Read it before `updateReference` for the same stratum: the order is what makes the evidence valid.
 */
export function thresholdIndex({ firstIndex, weights, total }: LatencyReference, quantile: number): number | null {
  requireInside('quantile', quantile);
  if (total < enoughWeight) return null;
  let seen = 0;
  for (let i = 0; i < weights.length; i += 1) {
    seen += weights[i]!;
    if (seen >= quantile * total) return firstIndex + i;
  }
  return firstIndex + weights.length - 1;
}

/** The reference after one more stratum of the baseline; an empty one only decays it. Cost: linear in the buckets in use. */
export function updateReference(reference: LatencyReference, baseline: LogHistogram): LatencyReference {
  const added = packHistogram(baseline);
  const old = withoutNegligibleEnds(reference);
  const total = reference.total * decay + baseline.count;
  if (old.weights.length === 0) return { firstIndex: added.firstIndex, weights: added.counts, total };
  const addedFrom = added.counts.length === 0 ? old.firstIndex : added.firstIndex;
  const firstIndex = Math.min(old.firstIndex, addedFrom);
  const end = Math.max(old.firstIndex + old.weights.length, addedFrom + added.counts.length);
  const weights: number[] = [];
  for (let index = firstIndex; index < end; index += 1) {
    weights.push(decayed(numberAt(old.weights, index - old.firstIndex)) + numberAt(added.counts, index - addedFrom));
  }
  return { firstIndex, weights, total };
}

function numberAt(numbers: readonly number[], at: number): number {
  return at >= 0 && at < numbers.length ? numbers[at]! : 0;
}

function decayed(weight: number): number {
  return weight < negligibleWeight ? 0 : weight * decay;
}

function withoutNegligibleEnds({ firstIndex, weights, total }: LatencyReference): LatencyReference {
  const first = weights.findIndex((weight) => weight >= negligibleWeight);
  if (first === -1) return { firstIndex: 0, weights: [], total };
  const last = weights.findLastIndex((weight) => weight >= negligibleWeight);
  return { firstIndex: firstIndex + first, weights: weights.slice(first, last + 1), total };
}
