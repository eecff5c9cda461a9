import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookFlagger, startFlagger } from '../../src/stats/flagger-rule.ts';

const rule = { leastSuccess: 0.99, failedLooks: 5 };

function looksUntilRollback(failureRates: readonly number[]): number | null {
  let state = startFlagger();
  for (const [i, rate] of failureRates.entries()) {
    state = lookFlagger(rule, state, { count: 600, failures: Math.round(600 * rate) });
    if (state.isRolledBack) return i + 1;
  }
  return null;
}

test('a candidate that always fails is rolled back at the sixth look: six minutes at one a minute', () => {
  assert.equal(looksUntilRollback(Array.from({ length: 10 }, () => 0.5)), 6);
});

test('failed looks are counted over the whole rollout, good ones between them take nothing back', () => {
  assert.equal(looksUntilRollback([0.5, 0, 0.5, 0, 0.5, 0, 0.5, 0, 0.5, 0]), 10);
});

test('success at the threshold is enough, and no traffic is a failed look', () => {
  assert.equal(looksUntilRollback(Array.from({ length: 100 }, () => 0.01)), null);
  assert.equal(lookFlagger(rule, startFlagger(), { count: 0, failures: 0 }).failedLooks, 1);
});

test('a rollback stays, and impossible counts are refused', () => {
  const state = { failedLooks: 5, isRolledBack: true };
  assert.deepEqual(lookFlagger(rule, state, { count: 10, failures: 0 }), state);
  assert.throws(() => lookFlagger(rule, startFlagger(), { count: 1, failures: 2 }), RangeError);
  assert.throws(
    () => lookFlagger({ ...rule, leastSuccess: 99 }, startFlagger(), { count: 1, failures: 0 }),
    RangeError,
  );
});
