// Figures as people read them: rates instead of counts, three latencies instead of a sketch.
import { bucketValueMs, type LogHistogram, quantileMs } from '../stats/log-histogram.ts';

/** `errorRatio` (0–1) and the latencies are null where there is nothing to tell them from. */
export type Summary = {
  readonly requests: number;
  readonly failures: number;
  readonly errorRatio: number | null;
  readonly requestsPerSecond: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
};

/** Quantiles (0–1) in the order of `Summary`. */
type Latencies = (quantile: number) => number | null;

/** Sums up what came in over `durationMs`; less than a second counts as one. `latencies` null: they were not kept. */
export function summarize(
  { requests, failures }: { readonly requests: number; readonly failures: number },
  latencies: LogHistogram | null,
  durationMs: number,
): Summary {
  return summary({ requests, failures, durationMs }, (quantile) =>
    latencies === null ? null : quantileMs(latencies, quantile),
  );
}

/** The same from counts by bucket index, as the history keeps them. */
export function summarizeBuckets(
  { requests, failures }: { readonly requests: number; readonly failures: number },
  countByBucket: Readonly<Record<string, unknown>>,
  durationMs: number,
): Summary {
  const buckets = Object.entries(countByBucket)
    .map(([index, count]) => ({ index: Number(index), count: Number(count) }))
    .toSorted((a, b) => a.index - b.index);
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  return summary({ requests, failures, durationMs }, (quantile) => {
    const rank = Math.max(1, Math.ceil(quantile * total));
    let seen = 0;
    const holding = buckets.find(({ count }) => (seen += count) >= rank);
    return holding === undefined ? null : bucketValueMs(holding.index);
  });
}

function summary(
  { requests, failures, durationMs }: { requests: number; failures: number; durationMs: number },
  latencyMs: Latencies,
): Summary {
  return {
    requests,
    failures,
    errorRatio: requests === 0 ? null : failures / requests,
    requestsPerSecond: (requests * 1000) / Math.max(1000, durationMs),
    p50Ms: latencyMs(0.5),
    p95Ms: latencyMs(0.95),
    p99Ms: latencyMs(0.99),
  };
}
