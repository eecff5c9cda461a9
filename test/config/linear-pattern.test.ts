import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { toByteString } from '../../src/config/byte-string.ts';
import { parsePattern } from '../../src/config/linear-pattern.ts';

function matches(source: string, text: string): boolean {
  const reading = parsePattern(source);
  if (!reading.ok) throw new Error(reading.problem);
  return reading.value.test(toByteString(text));
}

suite('matching', () => {
  const rows: [source: string, text: string, matches: boolean][] = [
    ['pro', 'my-pro-plan', true],
    ['^pro$', 'my-pro-plan', false],
    ['^(pro|team)$', 'team', true],
    ['(?i)^shenzhen$', 'ShenZhen', true],
    ['^\\d{3}$', '123', true],
    ['^.$', '深', true],
    ['^\\p{Han}+$', '深圳', true],
    ['^深', '深圳', true],
    ['^[^a-z]+$', 'é', true],
    ['', 'anything', true],
  ];
  for (const [source, text, expected] of rows) {
    test(`/${source}/ ${expected ? 'matches' : 'does not match'} ${text}`, () =>
      assert.equal(matches(source, text), expected));
  }
});

suite('patterns that could backtrack', () => {
  const rows: [source: string, problem: RegExp][] = [
    ['a(?=b)', /look-around/],
    ['a(?!b)', /look-around/],
    ['(?<=a)b', /look-around/],
    ['(?<!a)b', /look-around/],
    ['(a)\\1', /back-reference/],
    ['(?P<n>a)(?P=n)', /back-reference/],
    ['(?<n>a)\\k<n>', /back-reference/],
    ['(?>a)', /atomic/],
    ['a*+b', /possessive/],
  ];
  for (const [source, problem] of rows) {
    test(`${source} is refused and told why`, () => {
      const reading = parsePattern(source);
      assert.match(reading.ok ? 'taken' : reading.problem, problem);
    });
  }
});

test('a broken pattern is refused without being repeated, for it may come from the environment', () => {
  for (const source of [
    '[hunter2',
    'hunter2(',
    '*hunter2',
    'hunter2{9999}',
    '\\Qhunter2',
    'hunter2**',
    '(?hunter2)',
    '\\zhunter2\\',
  ]) {
    const reading = parsePattern(source);
    if (!reading.ok) assert.doesNotMatch(`${reading.problem} ${reading.hint}`, /hunter2/);
    if (source !== '\\Qhunter2') assert.equal(reading.ok, false, source);
  }
});

test('what makes a backtracking engine take for ever takes no time', { timeout: 60_000 }, () => {
  assert.equal(matches('^(a+)+$', `${'a'.repeat(10_000)}!`), false);
  assert.equal(matches('(x+x+)+y', 'x'.repeat(10_000)), false);
});
