// How long requests take in a plan or a rehearsal: lognormal, which real services resemble more than anything as simple.
import { bucketIndex, bucketUpperMs, bucketsWithin, factorOf, type LogHistogram } from '../../stats/log-histogram.ts';
import { logNormalCdf, normalQuantile } from '../../stats/normal.ts';
import type { Random } from './random.ts';

/** `spread`: standard deviation of the logarithm; 0.6 puts p99 at four times the median. */
export type LatencyModel = { readonly medianMs: number; readonly spread: number };

/** The spread of a service whose median and 99th percentile are these; `p99Ms` must be above `medianMs`. */
export function spreadOf(medianMs: number, p99Ms: number): number {
  return Math.log(p99Ms / medianMs) / normalQuantile(0.99);
}

/** The latency below which a share `quantile` (above 0 and below 1) of the requests stay. */
export function latencyQuantileMs({ medianMs, spread }: LatencyModel, quantile: number): number {
  return medianMs * Math.exp(spread * normalQuantile(quantile));
}

/**
 * The share of a candidate's requests that count as slow for a check: the candidate takes `factor` times as long as the baseline,
 * slow is above the baseline's `quantile` and `ratio` times that, in whole buckets as the checks count.
 */
export function slowRate(
  { spread }: LatencyModel,
  { quantile, ratio, factor }: { quantile: number; ratio: number; factor: number },
): number {
  const margin = factorOf(bucketsWithin(ratio));
  const z = normalQuantile(quantile) + (Math.log(margin) - Math.log(factor)) / spread;
  return Math.exp(logNormalCdf(-z));
}

/** Draws latencies into histograms; cost: two numbers a draw (Walker's alias method over the buckets). */
export class LatencyDraws {
  readonly #at: Int32Array;
  readonly #aliasAt: Int32Array;
  readonly #keep: Float64Array;

  constructor({ medianMs, spread }: LatencyModel) {
    const first = bucketIndex(medianMs * Math.exp(-8 * spread));
    const last = bucketIndex(medianMs * Math.exp(8 * spread));
    const below = (index: number): number =>
      Math.exp(logNormalCdf((Math.log(bucketUpperMs(index)) - Math.log(medianMs)) / spread));
    const offset = first - bucketIndex(0);
    const shares = Array.from({ length: last - first + 1 }, (_, i) => {
      const from = i === 0 ? 0 : below(first + i - 1);
      return (i === last - first ? 1 : below(first + i)) - from;
    });
    const { keep, alias } = aliasTable(shares);
    this.#keep = keep;
    this.#at = Int32Array.from(shares, (_, i) => offset + i);
    this.#aliasAt = alias.map((i) => offset + i);
  }

  /** Adds `count` latencies to a histogram. */
  draw(into: LogHistogram, count: number, random: Random): void {
    const { buckets } = into;
    const cells = this.#keep.length;
    for (let i = 0; i < count; i += 1) {
      const place = random.uniform() * cells;
      const cell = Math.floor(place);
      const at = place - cell < this.#keep[cell]! ? this.#at[cell]! : this.#aliasAt[cell]!;
      buckets[at] = buckets[at]! + 1;
    }
    into.count += count;
  }
}

/** Cells of equal chance, each shared by two of the outcomes (Vose 1991). `shares` add up to 1. */
function aliasTable(shares: readonly number[]): { keep: Float64Array; alias: Int32Array } {
  const scaled = shares.map((share) => share * shares.length);
  const keep = new Float64Array(shares.length).fill(1);
  const alias = Int32Array.from(shares, (_, i) => i);
  const small: number[] = [];
  const large: number[] = [];
  scaled.forEach((share, i) => (share < 1 ? small : large).push(i));
  while (small.length > 0 && large.length > 0) {
    const [less, more] = [small.pop()!, large.pop()!];
    keep[less] = scaled[less]!;
    alias[less] = more;
    scaled[more] = scaled[more]! + scaled[less]! - 1;
    (scaled[more] < 1 ? small : large).push(more);
  }
  return { keep, alias };
}
