import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatencyDraws, latencyQuantileMs, slowRate, spreadOf } from '../../../src/rollout/rehearsal/latency-model.ts';
import { randomFrom } from '../../../src/rollout/rehearsal/random.ts';
import {
  bucketIndex,
  bucketsWithin,
  countAbove,
  createHistogram,
  quantileMs,
} from '../../../src/stats/log-histogram.ts';

const model = { medianMs: 60, spread: 0.6 };
const drawCount = 200_000;

function drawn(medianMs: number, stream: number) {
  const histogram = createHistogram();
  new LatencyDraws({ ...model, medianMs }).draw(histogram, drawCount, randomFrom(1, stream));
  return histogram;
}

test('the spread follows from the median and the 99th percentile, and gives it back', () => {
  const spread = spreadOf(60, 240);
  assert.ok(Math.abs(latencyQuantileMs({ medianMs: 60, spread }, 0.99) - 240) < 1e-6);
  assert.equal(latencyQuantileMs(model, 0.5), 60);
});

test('drawn latencies have the quantiles of the model, and every draw is counted', () => {
  const histogram = drawn(60, 1);
  assert.equal(histogram.count, drawCount);
  assert.equal(
    histogram.buckets.reduce((sum, count) => sum + count, 0),
    drawCount,
  );
  for (const quantile of [0.05, 0.5, 0.95, 0.99]) {
    const [got, wanted] = [quantileMs(histogram, quantile)!, latencyQuantileMs(model, quantile)];
    assert.ok(Math.abs(got / wanted - 1) < 0.03, `p${100 * quantile} is ${got}, expected ${wanted}`);
  }
});

test('the share of slow requests is the one that drawn latencies have, healthy or harmed', () => {
  for (const factor of [1, 1.5]) {
    const candidate = drawn(60 * factor, 10 * factor);
    for (const quantile of [0.5, 0.95]) {
      const threshold = bucketIndex(latencyQuantileMs(model, quantile)) + bucketsWithin(1.1);
      const share = countAbove(candidate, threshold) / drawCount;
      const expected = slowRate(model, { quantile, ratio: 1.1, factor });
      assert.ok(
        Math.abs(share / expected - 1) < 0.06,
        `${share} at ${factor}x p${100 * quantile}, expected ${expected}`,
      );
    }
  }
});
