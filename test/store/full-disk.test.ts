// The embedded store on a disk that runs full for real: a tiny file system of its own, and a limit on the size of files.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { withDirectory } from './places.ts';

const child = join(import.meta.dirname, 'full-disk-child.ts');
const run = promisify(execFile);

const mountProgram = `mount -t tmpfs -o size=8m tmpfs "$1" && exec "$2" "$3" "$1/graygate.db" ballast`;
const limitProgram = `ulimit -S -f 1024 && exec "$2" "$3" "$1/graygate.db" limit`;

/** A child that hangs is a failure, not a test that never ends. */
const patience = { timeout: 60_000, killSignal: 'SIGKILL' } as const;

const cannotMount = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status !== 0;
const cannotLimit = spawnSync('prlimit', ['--version']).status !== 0;

test(
  'a full disk refuses saves, drops only figures, leaves what was saved readable, and heals',
  { skip: cannotMount && 'needs Linux with user namespaces' },
  async () => {
    await withDirectory(async (directory) => {
      const { stdout } = await run('unshare', [
        '-rm',
        'sh',
        '-c',
        mountProgram,
        'sh',
        directory,
        process.execPath,
        child,
      ]);
      expectHealed(JSON.parse(stdout), /graygate\.db: the disk is full/);
    });
  },
);

test('a limit on the size of files does the same', { skip: cannotLimit && 'needs prlimit' }, async () => {
  await withDirectory(async (directory) => {
    const { stdout } = await run('sh', ['-c', limitProgram, 'sh', directory, process.execPath, child], patience);
    expectHealed(JSON.parse(stdout), /graygate\.db: reading or writing the file failed/);
  });
});

type Report = {
  readonly refusal: { readonly code: string; readonly message: string; readonly savedRevision: number };
  readonly statusWhenFull: { readonly ok: boolean; readonly reason: string };
  readonly whenFull: { readonly revision: number; readonly entryCount: number };
  readonly droppedHistoryCount: number;
  readonly freed: { readonly revision: number; readonly entryCount: number };
  readonly revision: number;
  readonly pointCount: number;
};

function expectHealed(report: Report, message: RegExp): void {
  const saved = { revision: report.refusal.savedRevision, entryCount: report.refusal.savedRevision };
  assert.equal(report.refusal.code, 'store-unavailable');
  assert.match(report.refusal.message, message);
  assert.deepEqual([report.statusWhenFull.ok, report.statusWhenFull.reason], [false, report.refusal.message]);
  assert.deepEqual(report.whenFull, saved, 'what was saved can be read, and nothing else is there');
  assert.ok(report.droppedHistoryCount >= 400, `${report.droppedHistoryCount} slices dropped`);
  assert.deepEqual(report.freed, saved);
  assert.equal(report.revision, saved.revision + 1);
  assert.equal(report.pointCount, 1_000 - report.droppedHistoryCount);
}
