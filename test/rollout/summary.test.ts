import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { summarize, summarizeBuckets } from '../../src/rollout/summary.ts';
import { createHistogram, observe, packHistogram } from '../../src/stats/log-histogram.ts';

const counts = { requests: 200, failures: 5 };

suite('a summary', () => {
  test('has rates and the three latencies', () => {
    const latencies = createHistogram();
    for (let ms = 1; ms <= 1_000; ms += 1) observe(latencies, ms);
    const { errorRatio, requestsPerSecond, p50Ms, p95Ms, p99Ms } = summarize(counts, latencies, 10_000);
    assert.deepEqual([errorRatio, requestsPerSecond], [0.025, 20]);
    for (const [got, expected] of [
      [p50Ms, 500],
      [p95Ms, 950],
      [p99Ms, 990],
    ] as const) {
      assert.ok(Math.abs(got! / expected - 1) <= 0.011, `expected about ${expected}, got ${got}`);
    }
  });

  test('of nothing has no ratio and no latency, and is no division by zero', () => {
    const nothing = summarize({ requests: 0, failures: 0 }, createHistogram(), 0);
    assert.deepEqual(nothing, {
      requests: 0,
      failures: 0,
      errorRatio: null,
      requestsPerSecond: 0,
      p50Ms: null,
      p95Ms: null,
      p99Ms: null,
    });
  });

  test('without latencies has the rest', () => {
    const { p50Ms, requestsPerSecond } = summarize(counts, null, 100_000);
    assert.deepEqual([p50Ms, requestsPerSecond], [null, 2]);
  });

  test('of less than a second does not multiply what came', () => {
    assert.equal(summarize(counts, null, 1).requestsPerSecond, 200);
  });

  test('from counts by bucket, in whatever order, is the same as from the sketch', () => {
    const latencies = createHistogram();
    for (const ms of [0.001, 0.3, 7, 7, 7, 90, 90, 250, 4_000]) observe(latencies, ms);
    const { firstIndex, counts: packed } = packHistogram(latencies);
    const byBucket = packed.flatMap((count, i) => (count === 0 ? [] : [[String(firstIndex + i), count] as const]));
    const shown = summarizeBuckets(counts, Object.fromEntries(byBucket.toReversed()), 60_000);
    assert.deepEqual(shown, summarize(counts, latencies, 60_000));
  });

  test('from no counts has no latency', () => {
    assert.equal(summarizeBuckets(counts, {}, 1_000).p99Ms, null);
  });
});
