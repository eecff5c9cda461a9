import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { readWorkers } from '../../src/config/worker-count.ts';
import { policyIn, shopPolicy } from './policy-folder.ts';

test('workers are a number, or one a core', async (t) => {
  assert.equal((await policyIn(t, shopPolicy())).workers, 1);
  assert.equal((await policyIn(t, shopPolicy(undefined, 'workers: 4\n'))).workers, 4);
  assert.equal((await policyIn(t, shopPolicy(undefined, 'workers: "2"\n'))).workers, 2);
  assert.equal((await policyIn(t, shopPolicy(undefined, 'workers: auto\n'))).workers, availableParallelism());
});

test('what is no number of processes is refused, and said', () => {
  for (const value of [0, -1, 1.5, 257, 'many', '']) {
    const reading = readWorkers(value);
    assert.ok(!reading.ok, String(value));
    assert.match(reading.hint ?? '', /1 to 256, or auto/);
  }
});
