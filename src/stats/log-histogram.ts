// A latency sketch with fixed logarithmic buckets (the DDSketch mapping, without collapsing): counts are exact at bucket edges,
// the borders are the same in every process, and two sketches merge by adding. One observation: a logarithm and an addition.
import { requireInside } from './domain.ts';

const relativeAccuracy = 0.01;
const growth = (1 + relativeAccuracy) / (1 - relativeAccuracy);
const logGrowth = Math.log(growth);
const smallestMs = 1e-3;
const largestMs = 3.6e6;
const lowestIndex = Math.ceil(Math.log(smallestMs) / logGrowth);
const highestIndex = Math.ceil(Math.log(largestMs) / logGrowth);

/** Counts per bucket from 1 µs to 1 h; 1,101 doubles. Observing and merging change it in place. */
export type LogHistogram = { readonly buckets: Float64Array; count: number };

/** The part of a histogram that is not empty, as plain numbers for the store and for other machines. */
export type PackedHistogram = { readonly firstIndex: number; readonly counts: readonly number[] };

/** An empty histogram. */
export function createHistogram(): LogHistogram {
  return { buckets: new Float64Array(highestIndex - lowestIndex + 1), count: 0 };
}

/** Counts one latency. Below 1 µs and above 1 h it falls in the outermost bucket; throws a RangeError when negative or NaN. */
export function observe(histogram: LogHistogram, latencyMs: number): void {
  const at = bucketIndex(latencyMs) - lowestIndex;
  histogram.buckets[at] = histogram.buckets[at]! + 1;
  histogram.count += 1;
}

/** Adds a histogram to another, in place. */
export function mergeHistogram(into: LogHistogram, from: LogHistogram): void {
  for (let at = 0; at < into.buckets.length; at += 1) into.buckets[at] = into.buckets[at]! + from.buckets[at]!;
  into.count += from.count;
}

/** The bucket of a latency: `ceil(ln x / ln γ)`, γ = 1.01/0.99; bucket i holds (γ^(i-1), γ^i]. Throws a RangeError when negative or NaN. */
export function bucketIndex(latencyMs: number): number {
  if (!(latencyMs >= 0)) throw new RangeError(`latencyMs must be at least 0, not ${latencyMs}`);
  const within = Math.min(Math.max(latencyMs, smallestMs), largestMs);
  return Math.ceil(Math.log(within) / logGrowth) + 0;
}

/** The latency above which a bucket begins, in ms. */
export function bucketLowerMs(index: number): number {
  return growth ** (index - 1);
}

/** The largest latency of a bucket, in ms. */
export function bucketUpperMs(index: number): number {
  return growth ** index;
}

/** The latency that stands for a bucket, in ms: within 1 % of everything in it. */
export function bucketValueMs(index: number): number {
  return (2 * growth ** index) / (growth + 1);
}

/** How many were counted in buckets above an index. */
export function countAbove(histogram: LogHistogram, index: number): number {
  let count = 0;
  for (let at = Math.max(0, index + 1 - lowestIndex); at < histogram.buckets.length; at += 1)
    count += histogram.buckets[at]!;
  return count;
}

/** The bucket that holds the observation of a rank (1 is the smallest), or null when there is none. */
export function bucketOfRank(histogram: LogHistogram, rank: number): number | null {
  if (!(rank >= 1 && rank <= histogram.count)) return null;
  let seen = 0;
  for (let at = 0; at < histogram.buckets.length; at += 1) {
    seen += histogram.buckets[at]!;
    if (seen >= rank) return at + lowestIndex;
  }
  return null;
}

/** A quantile (above 0 and below 1) in ms, within 1 %; null when nothing was counted. */
export function quantileMs(histogram: LogHistogram, quantile: number): number | null {
  requireInside('quantile', quantile);
  const index = bucketOfRank(histogram, Math.max(1, Math.ceil(quantile * histogram.count)));
  return index === null ? null : bucketValueMs(index);
}

/** How many buckets lie within a factor above 1, at least one: "slower by a tenth" is five. */
export function bucketsWithin(factor: number): number {
  if (!(factor > 1 && factor < Infinity))
    throw new RangeError(`a latency factor must be above 1 and finite, not ${factor}`);
  return Math.max(1, Math.ceil(Math.log(factor) / logGrowth));
}

/** The factor that a number of buckets spans: what "slower by a tenth" really tests. */
export function factorOf(bucketCount: number): number {
  return growth ** bucketCount;
}

/** The histogram without its empty ends. Plain loops: callbacks over a thousand buckets would be most of what judging a slice costs. */
export function packHistogram({ buckets }: LogHistogram): PackedHistogram {
  let [first, end] = [0, buckets.length];
  while (first < end && buckets[first] === 0) first += 1;
  if (first === end) return { firstIndex: 0, counts: [] };
  while (buckets[end - 1] === 0) end -= 1;
  const counts: number[] = [];
  for (let at = first; at < end; at += 1) counts.push(buckets[at]!);
  return { firstIndex: first + lowestIndex, counts };
}

/** The histogram that was packed. Throws a RangeError for buckets out of range or impossible counts. */
export function unpackHistogram({ firstIndex, counts }: PackedHistogram): LogHistogram {
  const histogram = createHistogram();
  const start = firstIndex - lowestIndex;
  if (!(Number.isInteger(start) && start >= 0 && start + counts.length <= histogram.buckets.length)) {
    throw new RangeError(
      `buckets must be from ${lowestIndex} to ${highestIndex}, not ${firstIndex} and ${counts.length} from there`,
    );
  }
  counts.forEach((count, i) => {
    if (!(count >= 0 && count < Infinity))
      throw new RangeError(`a count must be a finite number of at least 0, not ${count}`);
    histogram.buckets[start + i] = count;
    histogram.count += count;
  });
  return histogram;
}
