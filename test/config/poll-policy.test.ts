// The safety net by itself: file systems that tell nobody of a change. In a file of its own since it takes fs.watch away.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { percentPolicy, recordPolicy } from './policy-recorder.ts';

test('where folders cannot be watched changes are seen by looking now and then', { timeout: 60_000 }, async (t) => {
  const watch = t.mock.method(fs, 'watch', () => {
    throw Object.assign(new Error('no more watches'), { code: 'ENOSPC' });
  });
  syncBuiltinESMExports();
  t.after(() => {
    watch.mock.restore();
    syncBuiltinESMExports();
  });
  const { folder, file, reports, reported } = await recordPolicy(t, { pollMs: 50 });
  assert.ok(watch.mock.callCount() > 0, 'expected that watching was tried');
  await writeFile(file, percentPolicy(20));
  await reported(1);
  await writeFile(join(folder, 'next'), percentPolicy(30));
  await rename(join(folder, 'next'), file);
  await reported(2);
  assert.deepEqual(reports, [20, 30]);
});
