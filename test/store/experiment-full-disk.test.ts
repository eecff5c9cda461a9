// The file of experiments when it may not grow: what is refused is not counted, and what is sent again afterwards is counted once.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { withDirectory } from './places.ts';

const child = join(import.meta.dirname, 'experiment-full-disk-child.ts');
const limitProgram = `ulimit -S -f 1024 && exec "$2" "$3" "$1/graygate.db"`;
/** A child that hangs is a failure, not a test that never ends. */
const patience = { timeout: 60_000, killSignal: 'SIGKILL' } as const;
const cannotLimit = spawnSync('prlimit', ['--version']).status !== 0;

test(
  'a full disk refuses batches, and counts are right when there is room again',
  { skip: cannotLimit && 'needs prlimit' },
  async () => {
    await withDirectory(async (directory) => {
      const { stdout } = await promisify(execFile)(
        'sh',
        ['-c', limitProgram, 'sh', directory, process.execPath, child],
        patience,
      );
      const { batchCount, refusals, taken, found } = JSON.parse(stdout);
      for (const { code, message } of refusals) {
        assert.equal(code, 'store-unavailable');
        assert.match(message, /graygate\.db\.experiments: (the disk is full|reading or writing the file failed)/);
      }
      assert.deepEqual(taken, [null, null, null, null, null]);
      const eventCount = batchCount * 201;
      assert.deepEqual(found, {
        exposed: [1, batchCount * 200],
        events: [{ event: 'purchase', count: eventCount, valueSum: eventCount * 10 }],
        // The one who buys in each batch; an order counts up to 50, here it is 10.
        revenue: [batchCount * 10, batchCount * 2_000],
      });
    });
  },
);
