// A process whose disk runs full and then is freed: it says at each step what its store did, as one line of JSON.
// Arguments: the store's path, and what fills up: `ballast` (a file that takes all room) or `limit` (the process's own limit).

import { execFile } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { GraygateError } from '../../src/errors.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { statusThat } from './places.ts';
import { historySlice, stateChange, T0 } from './samples.ts';

const [path, kind] = [process.argv[2]!, process.argv[3]!];
const ballastPath = `${path}.ballast`;
const store = openSqliteStore({ path, backOff: { firstMs: 10, maxMs: 100 }, historyCapacityCount: 600 });
const read = async () => ({
  revision: (await store.states.loadAll())[0]?.revision,
  entryCount: (await store.audit.query({ rollout: 'shop', sinceMs: 0, limit: 100_000 })).length,
});

await store.states.save(stateChange('shop', 0, { entries: [{ format: 1, value: 1 }] }));
if (kind === 'ballast') await fill();
const refusal = await saveUntilRefused();
const statusWhenFull = store.status();
const whenFull = await read();
const slices = Array.from({ length: 1_000 }, (_, n) =>
  historySlice(T0 + n * 1_000, 1, { sums: { requests: 1, note: Object.fromEntries(names(50)) } }),
);
await store.history.append(slices);
await store.history.query({ rollout: 'shop', sinceMs: 0, resolution: 'hour' });
const { droppedHistoryCount } = store.status();
await free();
await statusThat(store, (status) => status.ok && status.history.ok);
const freed = await read();
const { revision } = await store.states.save(stateChange('shop', freed.revision ?? 0));
const points = await store.history.query({ rollout: 'shop', sinceMs: 0, resolution: 'second' });
await store.close();
process.stdout.write(
  JSON.stringify({
    refusal,
    statusWhenFull,
    whenFull,
    droppedHistoryCount,
    freed,
    revision,
    pointCount: points.length,
  }),
);

/** Saves larger and larger audit logs; returns how the first one that did not fit was refused, and what had been saved. */
async function saveUntilRefused() {
  for (let from = 1; ; from += 1) {
    try {
      await store.states.save(stateChange('shop', from, { entries: [{ format: 1, value: 'x'.repeat(20_000) }] }));
    } catch (error) {
      if (error instanceof GraygateError) return { code: error.code, message: error.message, savedRevision: from };
      throw error;
    }
  }
}

function names(count: number): [string, number][] {
  return Array.from({ length: count }, (_, n) => [`a name of some length ${n}`, n]);
}

async function fill(): Promise<void> {
  const ballast = await open(ballastPath, 'w');
  const chunk = Buffer.alloc(4_096);
  try {
    for (;;) await ballast.write(chunk);
  } catch {
    // No room is left, as intended.
  } finally {
    await ballast.close();
  }
}

async function free(): Promise<void> {
  if (kind === 'ballast') await rm(ballastPath);
  else await promisify(execFile)('prlimit', ['--pid', String(process.pid), '--fsize=unlimited']);
}
