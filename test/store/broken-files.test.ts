// The embedded store on files that cannot be used: what it says, that it leaves them alone, and that it heals by itself.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFile, mkdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fork, spawn } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { statusThat, withDirectory, withStore } from './places.ts';
import { historySlice, stateChange, T0 } from './samples.ts';

/** Runs `body` with the path of a store that has one saved state, and was closed. */
async function withSavedStore(body: (path: string) => Promise<void>): Promise<void> {
  await withDirectory(async (directory) => {
    const path = join(directory, 'graygate.db');
    await withStore({ path }, async (store) => {
      const entries = Array.from({ length: 500 }, (_, n) => ({ format: 1, value: `entry ${n}` }));
      await store.states.save(stateChange('shop', 0, { entries }));
      await store.history.append(Array.from({ length: 500 }, (_, n) => historySlice(T0 + n * 1_000, 1)));
    });
    await body(path);
  });
}

test('a lock that another process holds is an error after a while, and over when the lock is', async () => {
  await withSavedStore(async (path) => {
    await withStore({ path }, async (store) => {
      await store.states.loadAll();
      const holder = spawn(process.execPath, ['-e', HOLD_LOCK, path], { stdio: ['pipe', 'pipe', 'inherit'] });
      await once(holder.stdout, 'data');
      await assert.rejects(store.states.save(stateChange('shop', 1)), {
        code: 'store-unavailable',
        message: /graygate\.db: another process keeps the file locked/,
      });
      const { ok, reason, history } = store.status();
      assert.equal(ok, false);
      assert.match(reason ?? '', /locked/);
      assert.equal(history.ok, true);
      assert.equal((await store.states.loadAll())[0]?.revision, 1, 'reading goes on');
      // Time for probes, which must not take a file that can be read for one that can be written.
      await sleep(300);
      assert.equal(store.status().ok, false);
      holder.stdin.end();
      await statusThat(store, (status) => status.ok);
      assert.deepEqual(await store.states.save(stateChange('shop', 1)), { revision: 2 });
    });
  });
});

const HOLD_LOCK = `
  const { DatabaseSync } = require('node:sqlite');
  const database = new DatabaseSync(process.argv[1]);
  database.exec('BEGIN EXCLUSIVE');
  console.log('locked');
  process.stdin.resume().on('end', () => database.close());
`;

test('a file that is locked when the store opens it is opened once the lock is gone', async () => {
  await withSavedStore(async (path) => {
    const holder = new DatabaseSync(path);
    holder.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    await withStore({ path }, async (store) => {
      await assert.rejects(store.states.loadAll(), { code: 'store-unavailable', message: /locked/ });
      holder.close();
      await statusThat(store, (status) => status.ok);
      assert.equal((await store.states.loadAll())[0]?.revision, 1);
    });
  });
});

/** Fills the page that holds `text` with noise. */
async function damagePageWith(path: string, text: string): Promise<void> {
  const bytes = await readFile(path);
  const start = Math.floor(bytes.indexOf(text) / 4_096) * 4_096;
  assert.ok(start > 0, 'the text is in the file, and not on the first page');
  await writeFile(path, bytes.fill(0xa5, start, start + 4_096));
}

const damages: readonly [string, (path: string) => Promise<void>][] = [
  ['is not a database at all', async (path) => writeFile(path, 'version: 1\nlisten: 0.0.0.0:8080\n'.repeat(400))],
  ['was cut off', async (path) => truncate(path, 8_192)],
  ['has a page of noise that nothing reads at the start', async (path) => damagePageWith(path, 'entry 250')],
];

for (const [kind, damage] of damages) {
  test(`a file that ${kind} is refused with what to do, left as it is, and replaced by a person`, async () => {
    await withSavedStore(async (path) => {
      await copyFile(path, `${path}.backup`);
      await damage(path);
      const damaged = await readFile(path);
      await withStore({ path }, async (store) => {
        const refusal = { code: 'store-corrupt', status: 503, message: /graygate\.db is corrupt .* move it away/ };
        await assert.rejects(store.states.loadAll(), refusal);
        await assert.rejects(store.states.save(stateChange('shop', 1)), refusal);
        assert.match(store.status().reason ?? '', /is corrupt/);
        assert.equal((await store.history.query({ rollout: 'shop', sinceMs: 0, resolution: 'hour' })).length, 1);
        assert.ok((await readFile(path)).equals(damaged), 'the file is as it was');
        await rename(`${path}.backup`, path);
        await statusThat(store, (status) => status.ok);
        assert.deepEqual(await store.states.save(stateChange('shop', 1)), { revision: 2 });
      });
    });
  });
}

test('corrupt figures stop no decision: they are refused, kept and counted until a person moves them away', async () => {
  await withSavedStore(async (path) => {
    const figures = `${path}.history`;
    await writeFile(figures, 'noise'.repeat(4_000));
    const damaged = await readFile(figures);
    await withStore({ path, historyCapacityCount: 5 }, async (store) => {
      assert.deepEqual(await store.states.save(stateChange('shop', 1)), { revision: 2 });
      await assert.rejects(store.history.query({ rollout: 'shop', sinceMs: 0, resolution: 'hour' }), {
        code: 'store-corrupt',
        message: /graygate\.db\.history is corrupt/,
      });
      await store.history.append(Array.from({ length: 7 }, (_, n) => historySlice(T0 + n * 1_000, n)));
      const { ok, droppedHistoryCount, history } = store.status();
      assert.deepEqual(
        { ok, droppedHistoryCount, historyOk: history.ok },
        { ok: true, droppedHistoryCount: 2, historyOk: false },
      );
      assert.ok((await readFile(figures)).equals(damaged), 'the file is as it was');
      await rename(figures, `${figures}.away`);
      await statusThat(store, (status) => status.history.ok);
      const points = await store.history.query({ rollout: 'shop', sinceMs: 0, resolution: 'second' });
      assert.deepEqual(
        points.map(({ sums }) => sums['requests']),
        [2, 3, 4, 5, 6],
      );
    });
  });
});

test('figures that turn out to be damaged when they are read are not written to again', async () => {
  await withSavedStore(async (path) => {
    const figures = `${path}.history`;
    await damagePageWith(figures, '"percent":1');
    await withStore({ path }, async (store) => {
      const query = async () => store.history.query({ rollout: 'shop', sinceMs: 0, resolution: 'second' });
      await assert.rejects(query(), { code: 'store-corrupt', message: /graygate\.db\.history is corrupt/ });
      const damaged = await readFile(figures);
      // Time for probes, which must find by themselves what the query ran into.
      await sleep(300);
      assert.equal(store.status().history.ok, false);
      await store.history.append([historySlice(T0, 1)]);
      await assert.rejects(query(), { code: 'store-corrupt' });
      assert.ok((await readFile(figures)).equals(damaged), 'the file is as it was');
    });
  });
});

test('a file of a newer release is refused by name and schema, and nothing in it changes', async () => {
  await withSavedStore(async (path) => {
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 99');
    database.close();
    const before = await readFile(path);
    await withStore({ path }, async (store) => {
      await assert.rejects(store.states.loadAll(), {
        code: 'store-unavailable',
        message:
          /graygate\.db was written by a newer graygate \(schema 99, this one knows up to \d\); start that release/,
      });
    });
    assert.ok((await readFile(path)).equals(before), 'the file is as it was');
  });
});

test("another program's database is refused and stays as it is", async () => {
  await withDirectory(async (directory) => {
    const path = join(directory, 'shop.db');
    const foreign = new DatabaseSync(path);
    foreign.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY)');
    foreign.close();
    const before = await readFile(path);
    await withStore({ path }, async (store) => {
      await assert.rejects(store.states.loadAll(), { code: 'store-unavailable', message: /another program/ });
    });
    assert.ok((await readFile(path)).equals(before), 'the file is as it was');
  });
});

test('a file that is removed while in use is noticed before anything is saved into nowhere', async () => {
  await withSavedStore(async (path) => {
    await withStore({ path }, async (store) => {
      await store.states.loadAll();
      for (const ending of ['', '-wal', '-shm']) await rm(`${path}${ending}`, { force: true });
      await assert.rejects(store.states.save(stateChange('shop', 1)), {
        code: 'store-unavailable',
        message: /was removed or replaced while in use/,
      });
      await statusThat(store, (status) => status.ok);
      await assert.rejects(store.states.save(stateChange('shop', 1)), {
        code: 'store-conflict',
        message: /expected revision 1, found no saved state/,
      });
      assert.deepEqual(await store.states.save(stateChange('shop', 0)), { revision: 1 });
    });
  });
});

test('a path that cannot hold a file is told as it is', async () => {
  await withDirectory(async (directory) => {
    await writeFile(join(directory, 'file'), '');
    await mkdir(join(directory, 'folder.db'));
    for (const path of [join(directory, 'file', 'graygate.db'), join(directory, 'folder.db')]) {
      await withStore({ path }, async (store) => {
        await assert.rejects(store.states.loadAll(), (error: Error & { code?: string }) => {
          assert.equal(error.code, 'store-unavailable');
          assert.ok(error.message.startsWith(`${path}: `), error.message);
          return true;
        });
      });
    }
  });
});

test('a directory that may not be written is told, and heals when it may', async () => {
  await withDirectory(async (directory) => {
    // Root may write everywhere, so the store is used as somebody else.
    const child = fork(join(import.meta.dirname, 'closed-directory-child.ts'), [join(directory, 'closed')], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const said = await Promise.race([once(child, 'message'), once(child, 'exit')]);
    assert.deepEqual(said[0], { refused: 'store-unavailable', healed: true });
  });
});

test('a store that never could open its file still closes', async () => {
  await withDirectory(async (directory) => {
    const path = join(directory, 'folder.db');
    await mkdir(path);
    const store = openSqliteStore({ path });
    await assert.rejects(store.states.loadAll(), { code: 'store-unavailable' });
    await store.close();
    await store.close();
  });
});
