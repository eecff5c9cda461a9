// The embedded store: the contract, and what is true of it alone.

import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openSqliteStore, workerUrl } from '../../src/store/sqlite-store.ts';
import { storeContract } from './contract.ts';
import { statusThat, withDirectory, withStore } from './places.ts';
import { historySlice, stateChange } from './samples.ts';

storeContract('the embedded store', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'graygate-store-'));
  return {
    open: () => openSqliteStore({ path: join(directory, 'graygate.db') }),
    remove: () => rm(directory, { recursive: true }),
  };
});

test('the thread is started from TypeScript in a checkout and from JavaScript once built', () => {
  assert.equal(workerUrl('file:///a/src/store/sqlite-store.ts').href, 'file:///a/src/store/worker.ts');
  assert.equal(workerUrl('file:///a/dist/store/sqlite-store.js').href, 'file:///a/dist/store/worker.js');
});

test('directories that are missing are made', async () => {
  await withDirectory(async (directory) => {
    const path = join(directory, 'a', 'b', 'graygate.db');
    await withStore({ path }, async (store) => assert.deepEqual(await store.states.loadAll(), []));
    assert.ok((await stat(path)).isFile());
  });
});

test('the main thread goes on while the store waits for a lock', async () => {
  await withDirectory(async (directory) => {
    const path = join(directory, 'graygate.db');
    await withStore({ path, busyTimeoutMs: 8_000 }, async (store) => {
      await store.states.loadAll();
      const foreign = new DatabaseSync(path);
      foreign.exec('BEGIN EXCLUSIVE');
      const saving = store.states.save(stateChange('shop', 0));
      // Only a main thread that is not blocked gets to let the lock go.
      for (let turn = 0; turn < 10; turn += 1) await sleep(10);
      foreign.exec('ROLLBACK');
      foreign.close();
      assert.deepEqual(await saving, { revision: 1 });
    });
  });
});

test('appended slices reach the disk by themselves, without a query', async () => {
  await withDirectory(async (directory) => {
    const path = join(directory, 'graygate.db');
    await withStore({ path }, async (writer) => {
      await statusThat(writer, (status) => status.history.ok);
      await writer.history.append([historySlice(5_000, 2)]);
      await withStore({ path }, async (reader) => {
        await statusThat(reader, (status) => status.history.ok);
        const read = async () => reader.history.query({ rollout: 'shop', sinceMs: 0, resolution: 'second' });
        while ((await read()).length === 0) await sleep(20);
        assert.equal((await read())[0]?.sums['requests'], 2);
      });
    });
  });
});

test('two processes on one file see each other, and the one that is behind is refused', async () => {
  await withDirectory(async (directory) => {
    const path = join(directory, 'graygate.db');
    const options = { path, busyTimeoutMs: 8_000 };
    await withStore(options, async (one) => {
      // SQLite does not wait for a lock while a new file is made, so the second comes after that.
      await one.states.loadAll();
      await withStore(options, async (other) => {
        await one.states.save(stateChange('shop', 0));
        await other.states.save(stateChange('shop', 1));
        await assert.rejects(one.states.save(stateChange('shop', 1)), {
          code: 'store-conflict',
          message: 'the state of "shop" has changed meanwhile: expected revision 1, found revision 2',
        });
        assert.equal(one.status().ok, true);
      });
    });
  });
});

test('a slice that cannot be kept is dropped and counted, and does not come back', async () => {
  await withDirectory(async (directory) => {
    await withStore({ path: join(directory, 'graygate.db') }, async (store) => {
      const query = async () => store.history.query({ rollout: 'shop', sinceMs: 0, resolution: 'second' });
      await store.history.append([historySlice(Number.NaN, 1)]);
      assert.deepEqual(await query(), []);
      const { droppedHistoryCount, history } = store.status();
      assert.deepEqual([droppedHistoryCount, history.ok], [1, true]);
      await store.history.append([historySlice(5_000, 2)]);
      assert.equal((await query()).length, 1);
      assert.equal(store.status().droppedHistoryCount, 1);
    });
  });
});
