import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { editDistance, nearestName, suggestName } from '../../src/rollout/nearest-name.ts';

suite('edit distance', () => {
  const distances: [string, string, number][] = [
    ['', '', 0],
    ['', 'abc', 3],
    ['canary', 'canari', 1],
    ['canary', 'canray', 1],
    ['canary', 'cnaary', 1],
    ['kitten', 'sitting', 3],
    ['ab', 'ba', 1],
    ['ca', 'abc', 3],
    ['versions', 'version', 1],
  ];
  for (const [from, to, distance] of distances) {
    test(`from "${from}" to "${to}" it is ${distance}`, () => assert.equal(editDistance(from, to), distance));
  }

  test('it is symmetric, zero only for equals, and at most the longer length', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 7 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        assert.equal(distance, editDistance(b, a));
        assert.equal(distance === 0, a === b);
        assert.ok(distance <= Math.max(a.length, b.length) && distance >= Math.abs(a.length - b.length));
      }),
      { seed: 7 },
    );
  });
});

test('the closest name is found, whatever its case', () => {
  assert.equal(nearestName('canari', ['stable', 'canary']), 'canary');
  assert.equal(nearestName('Listen', ['listen', 'limits']), 'listen');
  assert.equal(nearestName('splti', ['salt', 'split']), 'split');
});

test('a name that is not a slip of the hand has none', () => {
  assert.equal(nearestName('stages', ['name', 'match', 'split']), null);
  assert.equal(nearestName('blue', ['green']), null);
  assert.equal(nearestName('x', []), null);
});

test('where nothing is close the known names are listed, and nothing where there are none', () => {
  assert.equal(suggestName('blue', ['stable', 'canary'], 'versions'), 'versions: stable, canary');
  assert.equal(suggestName('blue', [], 'versions'), null);
});
