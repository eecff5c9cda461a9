import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FirstSeen } from '../../src/telemetry/first-seen.ts';
import { randomFrom } from '../stats/random.ts';

test('a hash is new once', () => {
  const seen = new FirstSeen();
  for (const hash of [0, 1, 31, 32, 2 ** 24 - 1, 2 ** 31 + 5, 2 ** 32 - 3, -5]) {
    assert.equal(seen.isNew(hash), true, `${hash}`);
    assert.equal(seen.isNew(hash), false, `${hash}`);
  }
});

test('hashes that share a bit count as one', () => {
  const seen = new FirstSeen();
  assert.ok(seen.isNew(7));
  assert.ok(!seen.isNew(7 + 2 ** 24));
});

test('a hundred thousand users are told apart but for the few that share a bit', () => {
  const seen = new FirstSeen();
  const random = randomFrom(7);
  let newCount = 0;
  for (let i = 0; i < 100_000; i += 1) if (seen.isNew(Math.floor(random.uniform() * 2 ** 32))) newCount += 1;
  // Of n users in m bits m(1 - exp(-n/m)) are seen as new.
  const expected = 2 ** 24 * (1 - Math.exp(-100_000 / 2 ** 24));
  assert.ok(Math.abs(newCount - expected) < 100, `${newCount} of about ${Math.round(expected)}`);
});
