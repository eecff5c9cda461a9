import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { decodePercent, isPathWithin, normalizePath } from '../../src/rollout/path.ts';

const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

const cases: readonly [sentence: string, path: string, expected: string][] = [
  ['a plain path stays', '/item/1', '/item/1'],
  ['an empty path is the root', '', '/'],
  ['the asterisk form stays', '*', '*'],
  ['an unreserved escape is decoded', '/%69t%65m%2d%7E%5f', '/item-~_'],
  ['a reserved escape stays, in upper case', '/a%3ab%3Bc', '/a%3Ab%3Bc'],
  ['an escaped slash stays one segment', '/a%2fb/%2F..', '/a%2Fb/%2F..'],
  ['an escaped backslash stays', '/a%5c..%5cb', '/a%5C..%5Cb'],
  ['a raw backslash is no slash', '/a\\..\\b', '/a%5C..%5Cb'],
  ['decoding happens once', '/%252e%252e/%2541', '/%252e%252e/%2541'],
  ['a broken escape stays', '/%zz/%/%4', '/%zz/%/%4'],
  ['a broken escape is not completed from its right', '/%%34e', '/%%34e'],
  ['a broken escape is not completed at its second digit', '/%2%65', '/%2%65'],
  ['a dot segment behind a broken escape is still removed', '/a/%/%2e%2e/b', '/a/b'],
  ['a word behind a broken escape is still decoded', '/%/%61dmin', '/%/admin'],
  ['dot segments are removed', '/a/b/c/./../../g', '/a/g'],
  ['escaped dot segments are removed', '/x/%2e%2E/item/%2e/1', '/item/1'],
  ['half escaped dot segments are removed', '/x/.%2e/item', '/item'],
  ['climbing above the root stays at the root', '/../../item', '/item'],
  ['a last dot segment leaves a folder', '/a/b/..', '/a/'],
  ['a last single dot leaves a folder', '/a/.', '/a/'],
  ['names that begin with dots are names', '/.well-known/..a/...', '/.well-known/..a/...'],
  ['double slashes are one', '//item///1', '/item/1'],
  ['double slashes are merged before dots are removed', '/a//../b', '/b'],
  ['a trailing slash stays', '/item/', '/item/'],
  ['trailing slashes are one', '/item//', '/item/'],
  ['a root made of slashes is the root', '///', '/'],
  ['a matrix parameter is part of its segment', '/item;v=1/..;/a', '/item;v=1/..;/a'],
  ['raw UTF-8 bytes equal their escapes', bytesOf('/商品'), '/%E5%95%86%E5%93%81'],
  ['lower-case escapes of UTF-8 equal upper-case ones', '/%e5%95%86%e5%93%81', '/%E5%95%86%E5%93%81'],
  ['an escaped NUL stays escaped', '/a%00', '/a%00'],
];

describe('normalizePath', () => {
  for (const [sentence, path, expected] of cases) {
    test(sentence, () => assert.equal(normalizePath(path), expected));
  }

  const part = fc.constantFrom(
    '/',
    '.',
    '%',
    '%2e',
    '%2F',
    '%41',
    '%34',
    'e',
    '2',
    'z',
    'item',
    ';',
    '%zz',
    '\xe5',
    '\\',
  );
  const anyPath = fc.oneof(
    fc.string({ unit: 'binary-ascii' }),
    fc.array(part, { maxLength: 20 }).map((parts) => `/${parts.join('')}`),
  );

  test('normalising twice is normalising once', () => {
    fc.assert(
      fc.property(anyPath, (path) => assert.equal(normalizePath(normalizePath(path)), normalizePath(path))),
      { seed: 1, numRuns: 3_000 },
    );
  });

  test('a normal path has no dot segment, no double slash and only legal characters', () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        const normal = normalizePath(`/${path}`);
        assert.doesNotMatch(normal, /\/\/|\/\.\.?(\/|$)|[^!-~]/);
        assert.ok(normal.startsWith('/'));
      }),
      { seed: 2, numRuns: 3_000 },
    );
  });

  test('escaping any unreserved character of a path changes nothing', () => {
    const spelled = fc
      .array(fc.tuple(fc.constantFrom('a', 'Z', '0', '-', '.', '_', '~', '/', '!'), fc.boolean()), { maxLength: 20 })
      .map((pairs) => ({
        plain: `/${pairs.map(([char]) => char).join('')}`,
        escaped: `/${pairs.map(([char, escapes]) => (escapes && !'/!'.includes(char) ? `%${char.charCodeAt(0).toString(16)}` : char)).join('')}`,
      }));
    fc.assert(
      fc.property(spelled, ({ plain, escaped }) => assert.equal(normalizePath(escaped), normalizePath(plain))),
      { seed: 3, numRuns: 3_000 },
    );
  });
});

describe('isPathWithin', () => {
  const rows: readonly [path: string, prefix: string, expected: boolean][] = [
    ['/item', '/item', true],
    ['/item/', '/item', true],
    ['/item/1', '/item', true],
    ['/items', '/item', false],
    ['/item;v=1', '/item', false],
    ['/ite', '/item', false],
    ['/ITEM', '/item', false],
    ['/', '', true],
    ['*', '', true],
  ];
  for (const [path, prefix, expected] of rows) {
    test(`${path} is ${expected ? '' : 'not '}within "${prefix}"`, () =>
      assert.equal(isPathWithin(path, prefix), expected));
  }
});

describe('decodePercent', () => {
  test('decodes every escape to one byte', () =>
    assert.equal(decodePercent('%E5%bc%a0+%2541'), `${bytesOf('张')}+%41`));
  test('leaves malformed sequences alone', () => assert.equal(decodePercent('100%&%zz%4'), '100%&%zz%4'));
  test('gives back what encodeURIComponent took', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        assert.equal(decodePercent(encodeURIComponent(text)), bytesOf(text));
      }),
      { seed: 4 },
    );
  });
});
