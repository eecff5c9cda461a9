import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstSliceMs, isStratumDue, nextSliceMs } from '../../src/rollout/stratum-rule.ts';

const filled = { sliceMs: firstSliceMs, baselineCount: 19, candidateCount: 1 };

test('a slice closes after its time with requests of both versions and 20 in all', () => {
  assert.equal(isStratumDue({ ...filled, elapsedMs: 1_000 }), true);
  assert.equal(isStratumDue({ ...filled, elapsedMs: 999 }), false);
  assert.equal(isStratumDue({ ...filled, elapsedMs: 100, sliceMs: 100 }), true);
});

test('a slice that has too little stays open, for a minute at most', () => {
  for (const [baselineCount, candidateCount] of [
    [18, 1],
    [500, 0],
    [0, 500],
    [0, 0],
  ] as const) {
    const slice = { sliceMs: firstSliceMs, baselineCount, candidateCount };
    assert.equal(isStratumDue({ ...slice, elapsedMs: 59_999 }), false);
    assert.equal(isStratumDue({ ...slice, elapsedMs: 60_000 }), true);
  }
});

test('after a slice with 1,000 requests a second the next may last a tenth of a second', () => {
  assert.equal(nextSliceMs(1_000, 1_000), 100);
  assert.equal(nextSliceMs(999, 1_000), 1_000);
  assert.equal(nextSliceMs(100, 100), 100);
  assert.equal(nextSliceMs(99, 100), 1_000);
});
