import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJsonPath } from '../../src/config/json-path.ts';
import { valueAt } from '../../src/rollout/json-path.ts';

const good: readonly (readonly [string, readonly (string | null)[]])[] = [
  ['$', []],
  ['$.total', ['total']],
  ['$.items[0].unit-price', ['items', '0', 'unit-price']],
  ['$["two words"][1]', ['two words', '1']],
  ['$.items[*].id', ['items', null, 'id']],
  ['$.*', [null]],
];
for (const [written, steps] of good) {
  test(`${written} is a path`, () => {
    assert.deepEqual(parseJsonPath(written, { wildcards: true }), { ok: true, value: steps });
  });
}

for (const written of ['', 'total', '$total', '$.', '$..a', '$[a]', '$.a[?(@.b)]', '$.a b', `$.${'a'.repeat(300)}`]) {
  test(`"${written.slice(0, 20)}" is no path`, () => {
    assert.equal(parseJsonPath(written, { wildcards: true }).ok, false);
  });
}

test('a wildcard is refused where one place is meant', () => {
  const reading = parseJsonPath('$.items[*]', { wildcards: false });
  assert.equal(reading.ok ? '' : reading.problem, 'names more than one place');
});

test('a value is found by its path among own properties only', () => {
  const document = { items: [{ price: 3 }] };
  assert.equal(valueAt(document, ['items', '0', 'price']), 3);
  assert.equal(valueAt(document, ['items', '1', 'price']), undefined);
  assert.equal(valueAt(document, ['toString']), undefined);
  assert.equal(valueAt(document, ['items', 'length', 'x']), undefined);
  assert.equal(valueAt(5, []), 5);
});
