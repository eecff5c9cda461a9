// What hostile names of headers can and cannot do to what is remembered of names.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NameCache } from '../../../src/gateway/upstream/name-cache.ts';

test('what was found out about a name is known, also where it is nothing good', () => {
  const cache = new NameCache<boolean>();
  assert.deepEqual([cache.get('a'), cache.add('a', false), cache.get('a')], [undefined, false, false]);
});

test('long names are not remembered', () => {
  const cache = new NameCache<number>();
  assert.equal(cache.add('x'.repeat(65), 1), 1);
  cache.add('x'.repeat(64), 2);
  assert.deepEqual([cache.get('x'.repeat(65)), cache.get('x'.repeat(64))], [undefined, 2]);
});

test('junk neither grows without bound nor keeps out the names that come after it', () => {
  const cache = new NameCache<number>();
  const junk = Array.from({ length: 10_500 }, (_, index) => `junk-${index}`);
  for (const name of junk) cache.add(name, 1);
  assert.ok(junk.filter((name) => cache.get(name) !== undefined).length <= 1_000);
  cache.add('accept', 1);
  assert.equal(cache.get('accept'), 1);
});
