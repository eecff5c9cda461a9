import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyArm, emptyFigures, latenciesOf, mergeArm, mergeFigures, totalOf } from '../../src/rollout/figures.ts';
import { createHistogram, observe, packHistogram } from '../../src/stats/log-histogram.ts';

test('figures add up in every part, and what was added stays as it was', () => {
  const a = { ...emptyFigures(), splitCount: 1, splitFailureCount: 2, ruleCount: 3, ruleFailureCount: 4 };
  const b = { ...emptyFigures(), splitCount: 10, otherCount: 20, otherFailureCount: 30, newUserCount: 40 };
  observe(a.latencies, 5);
  observe(b.latencies, 5);
  observe(b.latencies, 900);
  b.otherLatencies = createHistogram();
  observe(b.otherLatencies, 7);
  mergeFigures(a, b);
  mergeFigures(a, { ...emptyFigures(), otherLatencies: b.otherLatencies });
  assert.deepEqual(
    { ...a, latencies: a.latencies.count, otherLatencies: a.otherLatencies?.count },
    {
      splitCount: 11,
      splitFailureCount: 2,
      ruleCount: 3,
      ruleFailureCount: 4,
      otherCount: 20,
      otherFailureCount: 30,
      newUserCount: 40,
      latencies: 3,
      otherLatencies: 2,
    },
  );
  assert.deepEqual([b.splitCount, b.latencies.count, b.otherLatencies.count], [10, 2, 1]);
  assert.deepEqual([latenciesOf(a).count, latenciesOf(emptyFigures()).count], [5, 0]);
});

test('arms of several processes add up to the arm of one', () => {
  const whole = emptyArm();
  const parts = [emptyArm(), emptyArm(), emptyArm()];
  for (let i = 0; i < 300; i += 1) {
    for (const arm of [whole, parts[i % 3]!]) {
      arm.exposedCount += 1;
      if (i % 7 === 0) arm.failedCount += 1;
      observe(arm.latencies, 1 + i);
    }
  }
  const sum = emptyArm();
  for (const part of parts) mergeArm(sum, part);
  assert.deepEqual([sum.exposedCount, sum.failedCount], [whole.exposedCount, whole.failedCount]);
  assert.deepEqual(packHistogram(sum.latencies), packHistogram(whole.latencies));
});

test('the total counts requests of every kind', () => {
  const figures = {
    ...emptyFigures(),
    splitCount: 1,
    ruleCount: 20,
    otherCount: 300,
    ruleFailureCount: 2,
    otherFailureCount: 30,
  };
  assert.deepEqual(totalOf({ ...figures, splitFailureCount: 1 }), { requests: 321, failures: 33 });
  assert.deepEqual(totalOf(emptyFigures()), { requests: 0, failures: 0 });
});
