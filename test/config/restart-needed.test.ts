import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restartNeeded } from '../../src/config/restart-needed.ts';
import { policyIn, shopPolicy } from './policy-folder.ts';

test('only keys that need a restart and differ are named', async (t) => {
  const running = await policyIn(t, shopPolicy());
  const admin = 'admin: { listen: 127.0.0.1:9091 }\n';
  const cases: [content: string, keys: string[]][] = [
    [shopPolicy(), []],
    [shopPolicy('    split: { canary: 20 }\n', 'timeouts: { drain: 1s }\n'), []],
    [shopPolicy().replace('127.0.0.1:0', '127.0.0.1:8081'), ['listen']],
    [shopPolicy().replace('127.0.0.1:0', '0.0.0.0:0'), ['listen']],
    [shopPolicy(undefined, admin).replace('127.0.0.1:0', '"[::1]:0"'), ['listen', 'admin.listen']],
    [shopPolicy(undefined, admin), ['admin.listen']],
    [shopPolicy(undefined, 'workers: 1\n'), []],
    [shopPolicy(undefined, 'workers: 2\n'), ['workers']],
  ];
  for (const [content, keys] of cases) assert.deepEqual(restartNeeded(running, await policyIn(t, content)), keys);
});
