// YAML that is small to write and costly to read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readYaml } from '../../src/config/yaml-source.ts';

test('a file of nothing but aliases is refused without looking each of them up', { timeout: 30_000 }, () => {
  const { tree, problems } = readYaml('many.yaml', `a: &a 1\nx: [${'*a,'.repeat(5_000)}]\n`);
  assert.equal(tree, undefined);
  assert.match(problems[0]!.problem, /so many aliases/);
});
