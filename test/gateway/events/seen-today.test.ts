// The table of who was noted today: never forgets at once, never takes one user for another, and stays as small as it is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SeenToday } from '../../../src/gateway/events/seen-today.ts';

const user = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)),
  minLength: 1,
});
const visit = fc.tuple(user, fc.nat({ max: 2 ** 33 }), fc.nat({ max: 40_000 }));

test('whoever was noted last is known, with that version and on that day only', () => {
  const seen = new SeenToday();
  const property = fc.property(visit, visit, ([id, version, day], [otherId, otherVersion, otherDay]) => {
    fc.pre(id !== otherId || version !== otherVersion || day !== otherDay);
    seen.note(id, version, day);
    assert.equal(seen.isNoted(id, version, day), true);
    seen.note(otherId, otherVersion, otherDay);
    assert.equal(seen.isNoted(otherId, otherVersion, otherDay), true);
    assert.equal(seen.isNoted(otherId, otherVersion, otherDay + 1), false);
    assert.equal(seen.isNoted(`${otherId}x`, otherVersion, otherDay), false);
  });
  fc.assert(property, { seed: 5, numRuns: 2_000 });
});

test('of a million other users none is taken for one of a hundred thousand who were noted', () => {
  const seen = new SeenToday();
  for (let i = 0; i < 100_000; i += 1) seen.note(`u-${i}`, i % 2, 20_000);
  for (let i = 100_000; i < 1_100_000; i += 1) assert.equal(seen.isNoted(`u-${i}`, i % 2, 20_000), false);
});

test('of half as many users as there are places most are still known', () => {
  const seen = new SeenToday();
  const count = 131_072;
  for (let i = 0; i < count; i += 1) seen.note(`u-${i}`, 0, 20_000);
  let knownCount = 0;
  for (let i = 0; i < count; i += 1) if (seen.isNoted(`u-${i}`, 0, 20_000)) knownCount += 1;
  // Of n users in 2n places a share of (1 - e^(-1/2)) / (1/2) = 0.787 is left, where the hash is even.
  assert.ok(Math.abs(knownCount / count - 0.787) < 0.01, `${knownCount} of ${count} are left`);
});
