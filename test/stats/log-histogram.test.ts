import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  bucketIndex,
  bucketLowerMs,
  bucketOfRank,
  bucketsWithin,
  bucketUpperMs,
  bucketValueMs,
  countAbove,
  createHistogram,
  factorOf,
  mergeHistogram,
  observe,
  packHistogram,
  quantileMs,
  unpackHistogram,
} from '../../src/stats/log-histogram.ts';
import type { LogHistogram } from '../../src/stats/log-histogram.ts';
import { assertClose, readVectors, throughJson } from './vectors.ts';

const { cases, tolerance } = readVectors<{ x: number }, { index: number; lower: number; upper: number; value: number }>(
  '12_histogram',
);

for (const { name, input, expected } of cases) {
  test(`a latency falls in its worked bucket: ${name}`, () => {
    const index = bucketIndex(input.x);
    assert.equal(index, expected.index);
    assertClose(bucketLowerMs(index), expected.lower, tolerance, 'lower');
    assertClose(bucketUpperMs(index), expected.upper, tolerance, 'upper');
    assertClose(bucketValueMs(index), expected.value, tolerance, 'value');
  });
}

function histogramOf(latencies: readonly number[]): LogHistogram {
  const histogram = createHistogram();
  for (const latencyMs of latencies) observe(histogram, latencyMs);
  return histogram;
}

const latencies = fc.array(fc.double({ min: 0.001, max: 3_600_000, noNaN: true }), { minLength: 1, maxLength: 60 });

test('two histograms merged are the histogram of all observations', () => {
  fc.assert(
    fc.property(latencies, latencies, (some, others) => {
      const merged = histogramOf(some);
      mergeHistogram(merged, histogramOf(others));
      assert.deepEqual(merged, histogramOf([...some, ...others]));
    }),
    { seed: 12 },
  );
});

test('a quantile is within 1 % of the observation at its rank', () => {
  fc.assert(
    fc.property(latencies, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (observed, quantile) => {
      const exact = observed.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(quantile * observed.length)) - 1]!;
      const got = quantileMs(histogramOf(observed), quantile)!;
      assert.ok(Math.abs(got - exact) <= 0.0100001 * exact, `${got} for ${exact}`);
    }),
    { seed: 13 },
  );
});

test('a histogram survives packing, JSON and unpacking', () => {
  fc.assert(
    fc.property(fc.oneof(latencies, fc.constant([])), (observed) => {
      const histogram = histogramOf(observed);
      assert.deepEqual(unpackHistogram(throughJson(packHistogram(histogram))), histogram);
    }),
    { seed: 14 },
  );
});

test('what is above a bucket is counted exactly, and ranks find their bucket', () => {
  const histogram = histogramOf([1, 1, 50, 100, 3000]);
  assert.equal(countAbove(histogram, bucketIndex(1)), 3);
  assert.equal(countAbove(histogram, bucketIndex(100)), 1);
  assert.equal(countAbove(histogram, 100_000), 0);
  assert.equal(countAbove(histogram, -100_000), 5);
  assert.equal(bucketOfRank(histogram, 2), 0);
  assert.equal(bucketOfRank(histogram, 5), bucketIndex(3000));
  assert.equal(bucketOfRank(histogram, 6), null);
  assert.equal(bucketOfRank(histogram, 0), null);
  assert.equal(quantileMs(createHistogram(), 0.5), null);
});

test('latencies beyond the range fall in the outermost buckets, and one that is no time is refused', () => {
  assert.equal(bucketIndex(0), bucketIndex(0.001));
  assert.equal(bucketIndex(Infinity), bucketIndex(3.6e6));
  assert.equal(histogramOf([0, Infinity]).count, 2);
  for (const latencyMs of [-1, Number.NaN]) assert.throws(() => bucketIndex(latencyMs), RangeError);
});

test('a tolerated tenth is five buckets, which really test 10.5 %', () => {
  assert.equal(bucketsWithin(1.1), 5);
  assert.equal(bucketsWithin(1.25), 12);
  assert.equal(bucketsWithin(1.000001), 1);
  assertClose(factorOf(12), 1.2712, { abs: 1e-3, rel: 0 });
  for (const factor of [1, 0, Infinity, Number.NaN]) assert.throws(() => bucketsWithin(factor), RangeError);
});

test('a packed histogram that cannot be is refused', () => {
  assert.throws(() => unpackHistogram({ firstIndex: 755, counts: [1, 1] }), /buckets must be/);
  assert.throws(() => unpackHistogram({ firstIndex: 0.5, counts: [1] }), RangeError);
  assert.throws(() => unpackHistogram({ firstIndex: 0, counts: [Number.NaN] }), RangeError);
});
