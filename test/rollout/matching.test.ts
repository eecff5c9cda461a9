import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { compileRollouts, hostFits, matchRollout } from '../../src/rollout/matching.ts';
import { isPathWithin } from '../../src/rollout/path.ts';
import type { HostPattern, Match } from '../../src/rollout/rule.ts';
import { buildFacts, buildRollout } from '../support/decisions.ts';

const pattern = (written: string): HostPattern =>
  written.startsWith('*') ? { kind: 'suffix', suffix: written.slice(1) } : { kind: 'exact', host: written };

type Written = { readonly hosts: readonly string[]; readonly paths: readonly string[] };

const matchOf = ({ hosts, paths }: Written): Match => ({ hosts: hosts.map(pattern), paths });

/** Names of the rollouts are their positions. */
const matched = (rollouts: readonly Written[], host: string, path: string): string | null => {
  const table = compileRollouts({
    rollouts: rollouts.map((written, i) => buildRollout({ name: `r${i}`, match: matchOf(written) })),
  });
  return matchRollout(table, buildFacts({ host, path }))?.rollout.name ?? null;
};

const everything: Written = { hosts: [], paths: [] };

describe('matchRollout', () => {
  const rows: readonly [sentence: string, rollouts: readonly Written[], request: string, expected: string | null][] = [
    ['without a match a rollout takes everything', [everything], 'a.com/x', 'r0'],
    ['no rollout fits: none', [{ hosts: ['a.com'], paths: [] }], 'b.com/', null],
    ['no rollouts at all: none', [], 'a.com/', null],
    ['an exact host fits itself', [{ hosts: ['a.com'], paths: [] }], 'a.com/', 'r0'],
    ['an exact host does not fit below', [{ hosts: ['a.com'], paths: [] }], 'x.a.com/', null],
    ['a suffix fits one label', [{ hosts: ['*.a.com'], paths: [] }], 'x.a.com/', 'r0'],
    ['a suffix fits two labels', [{ hosts: ['*.a.com'], paths: [] }], 'y.x.a.com/', 'r0'],
    ['a suffix does not fit the domain itself', [{ hosts: ['*.a.com'], paths: [] }], 'a.com/', null],
    ['a suffix does not fit its bare dot', [{ hosts: ['*.a.com'], paths: [] }], '.a.com/', null],
    ['a suffix does not fit inside a label', [{ hosts: ['*.a.com'], paths: [] }], 'xa.com/', null],
    ['any host of a list fits', [{ hosts: ['a.com', '*.b.com'], paths: [] }], 'x.b.com/', 'r0'],
    ['a path prefix fits itself', [{ hosts: [], paths: ['/item'] }], 'a.com/item', 'r0'],
    ['a path prefix fits below', [{ hosts: [], paths: ['/item'] }], 'a.com/item/1', 'r0'],
    ['a path prefix ends on a segment border', [{ hosts: [], paths: ['/item'] }], 'a.com/items', null],
    ['any path of a list fits', [{ hosts: [], paths: ['/item', '/cart/v2'] }], 'a.com/cart/v2/x', 'r0'],
    ['an empty prefix fits everything', [{ hosts: [], paths: [''] }], 'a.com*', 'r0'],
    ['host and path must both fit', [{ hosts: ['a.com'], paths: ['/item'] }], 'a.com/cart', null],
    ['the first listed wins over a longer path', [everything, { hosts: [], paths: ['/item'] }], 'a.com/item', 'r0'],
    ['the first listed wins over an exact host', [everything, { hosts: ['a.com'], paths: [] }], 'a.com/', 'r0'],
    [
      'a longer path that is listed first wins',
      [
        { hosts: [], paths: ['/item/new'] },
        { hosts: [], paths: ['/item'] },
      ],
      'a.com/item/new/1',
      'r0',
    ],
    [
      'a request passes by the longer path to the shorter',
      [
        { hosts: [], paths: ['/item/new'] },
        { hosts: [], paths: ['/item'] },
      ],
      'a.com/item/old',
      'r1',
    ],
    [
      'the first of two alike wins',
      [
        { hosts: [], paths: ['/item'] },
        { hosts: [], paths: ['/item'] },
      ],
      'a.com/item',
      'r0',
    ],
  ];
  for (const [sentence, rollouts, request, expected] of rows) {
    test(sentence, () => {
      const border = request.search(/[/*]/);
      assert.equal(matched(rollouts, request.slice(0, border), request.slice(border)), expected);
    });
  }

  test('finds what trying every rollout in listed order finds', () => {
    const host = fc.constantFrom('a.com', 'x.a.com', 'y.x.a.com', 'b.com', '.a.com', '');
    const path = fc.constantFrom('/', '/a', '/a/', '/a/b', '/a/b/c', '/ab', '/b', '*');
    const written = fc.record({
      hosts: fc.array(fc.constantFrom('a.com', '*.a.com', '*.x.a.com', 'b.com', '*.com'), { maxLength: 2 }),
      paths: fc.array(fc.constantFrom('', '/a', '/a/b', '/a/b/c', '/b'), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(fc.array(written, { maxLength: 6 }), host, path, (rollouts, asked, askedPath) => {
        const order = rollouts.findIndex(({ hosts, paths }) => {
          const hostIs = hosts.length === 0 || hosts.some((each) => hostFits(pattern(each), asked));
          return hostIs && (paths.length === 0 || paths.some((prefix) => isPathWithin(askedPath, prefix)));
        });
        assert.equal(matched(rollouts, asked, askedPath), order === -1 ? null : `r${order}`);
      }),
      { seed: 11, numRuns: 3_000 },
    );
  });

  test('a host of thousands of labels is matched by its suffix', () => {
    const rollouts = Array.from({ length: 200 }, (_, i) => ({ hosts: [`*.shop-${i}.example.com`], paths: [] }));
    assert.equal(matched(rollouts, `${'a.'.repeat(8_000)}shop-7.example.com`, '/'), 'r7');
  });
});
