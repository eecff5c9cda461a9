import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PrefixMap } from '../../src/rollout/prefix-map.ts';

const joined = (prefixes: readonly string[]): PrefixMap<string> =>
  new PrefixMap(
    new Map(prefixes.map((prefix) => [prefix, prefix || 'all'])),
    (inherited, own) => `${inherited} ${own}`,
  );

describe('PrefixMap', () => {
  const prefixes = ['/a/b', '', '/a', '/c/d/e'];
  const rows: readonly (readonly [path: string, expected: string])[] = [
    ['/', 'all'],
    ['*', 'all'],
    ['/a', 'all /a'],
    ['/a/', 'all /a'],
    ['/ab', 'all'],
    ['/a/b', 'all /a /a/b'],
    ['/a/b/c/d/e/f', 'all /a /a/b'],
    ['/a/bc', 'all /a'],
    ['/c/d', 'all'],
    ['/c/d/e/f', 'all /c/d/e'],
    [`/a${'/x'.repeat(5_000)}`, 'all /a'],
  ];
  for (const [path, expected] of rows) {
    test(`gives ${path.slice(0, 20)} what its prefixes have, merged from the shortest on`, () => {
      assert.equal(joined(prefixes).get(path), expected);
    });
  }

  test('gives nothing where no prefix holds the path', () => {
    assert.equal(joined(['/a/b']).get('/a'), undefined);
    assert.equal(joined([]).get('/a'), undefined);
  });
});
