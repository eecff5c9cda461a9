import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fromByteString, toByteString } from '../../src/config/byte-string.ts';

test('text becomes one char a byte of its UTF-8', () => {
  assert.equal(toByteString('u-1'), 'u-1');
  assert.equal(toByteString('用'), '\xe7\x94\xa8');
  assert.equal(toByteString('é'), '\xc3\xa9');
});

test('bytes become the text that they spell', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const bytes = toByteString(text);
      assert.match(bytes, /^[\0-\xff]*$/);
      assert.equal(fromByteString(bytes), text);
    }),
    { seed: 1 },
  );
});

test('bytes that are not UTF-8 become replacement characters', () => {
  assert.equal(fromByteString('a\xff'), 'a\u{fffd}');
});
