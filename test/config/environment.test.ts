import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { replaceEnvironment, substitute } from '../../src/config/environment.ts';

const environment = { A: 'one', EMPTY: '', DOLLAR: '${A}', LONG_name_2: 'x' };

suite('one value', () => {
  const rows: [written: string, value: string][] = [
    ['plain', 'plain'],
    ['${A}', 'one'],
    ['<${A}-${LONG_name_2}>', '<one-x>'],
    ['${EMPTY}', ''],
    ['${EMPTY:-two}', 'two'],
    ['${NONE:-two}', 'two'],
    ['${NONE:-}', ''],
    ['${NONE:-http://a:-1}', 'http://a:-1'],
    ['${A:-two}', 'one'],
    ['${DOLLAR}', '${A}'],
    ['$${A}', '${A}'],
    ['$A $ {A} $', '$A $ {A} $'],
    ['^a$', '^a$'],
  ];
  for (const [written, value] of rows) {
    test(`${written} becomes "${value}"`, () =>
      assert.deepEqual(substitute(written, environment), { ok: true, value }));
  }

  test('a variable that is not set and has no default is a problem', () => {
    const reading = substitute('${NONE}-${A}-${OTHER}', environment);
    assert.equal(reading.ok ? '' : reading.problem, 'the environment variables NONE and OTHER are not set');
  });

  for (const written of ['${', '${}', '${A', '${A B}', '${1A}', '${A-two}', '${:-x}', '${A:two}']) {
    test(`${written} is malformed`, () => assert.equal(substitute(written, environment).ok, false));
  }
});

test('values in mappings and lists are replaced, keys and other kinds are not', () => {
  const { tree, findings } = replaceEnvironment({ '${A}': ['${A}', 1, true, null], b: { c: '${A}' } }, environment);
  assert.deepEqual(tree, { '${A}': ['one', 1, true, null], b: { c: 'one' } });
  assert.deepEqual(findings, []);
});

test('each value that cannot be replaced is found at its path and stays as written', () => {
  const { tree, findings } = replaceEnvironment({ a: ['${NONE}'], b: '${' }, environment);
  assert.deepEqual(tree, { a: ['${NONE}'], b: '${' });
  assert.deepEqual(
    findings.map(({ path }) => path),
    [['a', 0], ['b']],
  );
});

test('a key that JavaScript would swallow is found', () => {
  const tree: unknown = JSON.parse('{ "a": { "__proto__": { "b": 1 } } }');
  assert.deepEqual(
    replaceEnvironment(tree, {}).findings.map(({ path }) => path),
    [['a', '__proto__']],
  );
});

test('a tree that grows by following aliases is given up', () => {
  let bomb: unknown = ['x'];
  for (let i = 0; i < 6; i += 1) bomb = Array.from({ length: 10 }, () => bomb);
  const { findings } = replaceEnvironment(bomb, {});
  assert.match(findings[0]?.problem ?? '', /more than 200000 values/);
});
