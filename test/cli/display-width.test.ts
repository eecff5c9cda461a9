import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutToWidth, oneLine, widthOf, wrapToWidth } from '../../src/cli/display-width.ts';

const widths: [text: string, width: number][] = [
  ['', 0],
  ['checkout', 8],
  ['深圳', 4],
  ['错误率 4.9 %', 12],
  ['한국', 4],
  ['ｱ', 1],
  ['Ａ', 2],
  ['e\u0301', 1],
  ['a\u200bb', 2],
  ['👨‍👩‍👧', 2],
  ['❤️', 2],
  ['…→·', 3],
  ['\x1b[31m红\x1b[39m', 2],
];

for (const [text, width] of widths) {
  test(`${JSON.stringify(text)} takes ${width} columns`, () => assert.equal(widthOf(text), width));
}

test('a text is cut where it would not fit, never through a wide character', () => {
  assert.equal(cutToWidth('深圳市', 6), '深圳市');
  assert.equal(cutToWidth('深圳市', 5), '深圳…');
  assert.equal(cutToWidth('深圳市', 4), '深…');
  assert.equal(cutToWidth('abc', 1), '…');
  assert.equal(cutToWidth('abc', 0), '');
});

test('a text is broken at blanks, and Chinese between characters', () => {
  assert.deepEqual(wrapToWidth('canary fails 4.9 % of requests', 12), ['canary fails', '4.9 % of', 'requests']);
  assert.deepEqual(wrapToWidth('原因：错误率太高了', 8), ['原因：错', '误率太高', '了']);
  assert.deepEqual(wrapToWidth('as it is', Infinity), ['as it is']);
  assert.deepEqual(wrapToWidth('', 8), ['']);
  for (const line of wrapToWidth('新版本 的错误率太高了 and more words follow', 9)) assert.ok(widthOf(line) <= 9, line);
});

test('what steers a terminal is taken out of a text from elsewhere', () => {
  assert.equal(oneLine('a\x1b[2Jb\nc\rd'), 'ab c d');
  assert.equal(oneLine('\x1b]0;title\x07x\u202ey'), 'x y');
});
