import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxFailedUserCount, RiskSet } from '../../src/telemetry/risk-set.ts';

test('a user counts once a slice, and again in the next', () => {
  const set = new RiskSet();
  assert.ok(set.admits('u', false));
  assert.ok(!set.admits('u', false));
  assert.ok(!set.admits('u', true), 'the second request does not count, whatever became of it');
  assert.ok(set.admits('v', false));
  set.nextSlice();
  assert.ok(set.admits('u', false));
});

test('a user whose counted request failed never counts again', () => {
  const set = new RiskSet();
  assert.ok(set.admits('u', true));
  for (let slice = 0; slice < 5; slice += 1) {
    assert.ok(!set.admits('u', slice % 2 === 0));
    set.nextSlice();
  }
  assert.equal(set.failedCount, 1);
});

test('a failure that does not count drops nobody', () => {
  const set = new RiskSet();
  set.admits('u', false);
  set.admits('u', true);
  set.nextSlice();
  assert.ok(set.admits('u', false));
});

test('who failed is known to the next process', () => {
  const set = new RiskSet();
  for (const user of ['c', 'a', 'b']) set.admits(user, true);
  set.admits('well', false);
  const snapshot: string[] = JSON.parse(JSON.stringify(set.snapshot()));
  assert.deepEqual(snapshot, ['c', 'a', 'b']);
  const next = new RiskSet(snapshot);
  assert.ok(!next.admits('a', false));
  assert.ok(next.admits('well', false));
});

test('it is bounded: who failed first is forgotten first', () => {
  const set = new RiskSet();
  for (let i = 0; i <= maxFailedUserCount; i += 1) set.admits(`u${i}`, true);
  assert.equal(set.failedCount, maxFailedUserCount);
  set.nextSlice();
  assert.ok(set.admits('u0', false), 'the first is forgotten');
  assert.ok(!set.admits('u1', false) && !set.admits(`u${maxFailedUserCount}`, false), 'the others are not');
});

const long = (end: string): string => 'x'.repeat(15_000) + end;

test('what is remembered of a user is short, however long the ID that a client chose', () => {
  const set = new RiskSet();
  assert.ok(set.admits(long('a'), true));
  assert.ok(set.admits(long('b'), true));
  assert.ok(!set.admits(long('a'), false));
  assert.ok(set.snapshot().every((key) => key.length <= 64));
  const restored = new RiskSet(set.snapshot());
  assert.ok(!restored.admits(long('b'), false));
  assert.ok(restored.admits(long('c'), false));
});
