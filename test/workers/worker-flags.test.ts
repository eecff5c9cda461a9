// What a worker's process begins with.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerFlags } from '../../src/workers/worker-flags.ts';

const bound = '--max-semi-space-size=16';
const rows: readonly [what: string, ownFlags: string[], nodeOptions: string | undefined, flags: string[]][] = [
  ['nothing is said', [], undefined, [bound]],
  ['other flags are set', ['--inspect'], '--max-old-space-size=512', [bound, '--inspect']],
  ['the control process has a bound', ['--max-semi-space-size=64'], '', ['--max-semi-space-size=64']],
  ['the control process has one in V8 spelling', ['--max_semi_space_size', '8'], '', ['--max_semi_space_size', '8']],
  ['the environment has a bound', ['--inspect'], '-r x.js --max-semi-space-size=2', ['--inspect']],
];
for (const [what, ownFlags, nodeOptions, flags] of rows) {
  test(`the young generation of a worker where ${what}`, () => {
    assert.deepEqual(workerFlags(ownFlags, nodeOptions), flags);
  });
}
