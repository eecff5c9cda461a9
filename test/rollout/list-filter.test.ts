import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { ListFilter } from '../../src/rollout/list-filter.ts';
import { bytesOf } from '../support/decisions.ts';

describe('ListFilter', () => {
  test('never denies a value that the list holds', () => {
    const value = fc.string({ unit: 'binary' }).map(bytesOf);
    fc.assert(
      fc.property(fc.uniqueArray(value, { maxLength: 200 }), (values) => {
        const filter = new ListFilter(new Set(values));
        assert.ok(values.every((each) => filter.mayHold(each)));
      }),
      { seed: 41, numRuns: 300 },
    );
  });

  const forms: readonly (readonly [name: string, idOf: (i: number) => string])[] = [
    ['numbers', String],
    ['mail addresses of one domain', (i) => `user${i}@mail.example.com`],
    ['padded numbers', (i) => `account-${String(i).padStart(12, '0')}`],
    ['Chinese names', (i) => bytesOf(`用户${String.fromCharCode(0x4e00 + (i % 20_000))}${i}`)],
  ];
  for (const [name, idOf] of forms) {
    test(`tells at least four in five other IDs apart where IDs are ${name}`, () => {
      const listed = new Set(Array.from({ length: 50_000 }, (_, i) => idOf(2 * i)));
      const filter = new ListFilter(listed);
      const others = Array.from({ length: 50_000 }, (_, i) => idOf(2 * i + 1));
      const deniedRatio = others.filter((id) => !filter.mayHold(id)).length / others.length;
      assert.ok(deniedRatio > 0.8, `expected more than 0.8, got ${deniedRatio}`);
    });
  }
});
