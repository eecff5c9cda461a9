// Experiments in the embedded store: what is on the disk and what is not, and what happens beside them, to them and around them.

import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { ExperimentEntry } from '../../src/rollout/experiment/entries.ts';
import { batchOf, exposureEntry, purchaseEntry, revenueOf, splitEntry } from './experiment-entries.ts';
import { statusThat, withDirectory, withStore } from './places.ts';
import { stateChange, T0 } from './samples.ts';

const DAY_MS = 86_400_000;

async function withPath(body: (path: string) => Promise<void>): Promise<void> {
  await withDirectory(async (directory) => body(join(directory, 'graygate.db')));
}

const first = [
  splitEntry(T0),
  exposureEntry('alice@example.com', T0),
  purchaseEntry('order-4711', 'alice@example.com', T0),
];

test('without experiments there is no file of them', async () => {
  await withDirectory(async (directory) => {
    await withStore({ path: join(directory, 'graygate.db') }, async (store) => {
      await store.states.save(stateChange('shop', 0));
      assert.deepEqual(await store.experiments.tend({ nowMs: T0 }), { isDone: true });
      assert.equal(store.experiments.health(), null);
      assert.deepEqual(
        (await readdir(directory)).filter((name) => name.includes('experiments')),
        [],
      );
    });
  });
});

test('no file ever holds the ID of a user or of an event, and two stores know a user by different names', async () => {
  const hashes: string[] = [];
  for (let i = 0; i < 2; i += 1) {
    await withDirectory(async (directory) => {
      const path = join(directory, 'graygate.db');
      await withStore({ path }, async (store) => {
        await store.experiments.apply(batchOf(T0, first));
        const files = (await readdir(directory)).filter((name) => name.includes('experiments'));
        assert.ok(files.length > 1, 'the file and what is not in it yet');
        for (const name of files) {
          const bytes = await readFile(join(directory, name));
          for (const id of ['alice', 'order-4711']) assert.equal(bytes.indexOf(id), -1, `${id} is in ${name}`);
        }
      });
      const database = new DatabaseSync(`${path}.experiments`, { readOnly: true });
      hashes.push(String(database.prepare('SELECT hex(user) AS user FROM user_record').get()?.['user']));
      database.close();
    });
  }
  assert.equal(hashes[0]?.length, 32);
  assert.notEqual(hashes[0], hashes[1]);
});

test('a batch that cannot be applied as a whole is not applied at all, and the next one is', async () => {
  await withPath(async (path) => {
    await withStore({ path }, async (store) => {
      await store.experiments.apply(batchOf(T0, [splitEntry(T0), exposureEntry('u-1', T0)]));
      const poison = {
        kind: 'event',
        event: { ...first[2]!, rollout: 'shop', id: 'x', user: 'u-1', event: 'purchase', value: {} },
      };
      const batch = [purchaseEntry('e-1', 'u-1', T0), exposureEntry('u-2', T0), poison as unknown as ExperimentEntry];
      await assert.rejects(store.experiments.apply(batchOf(T0, batch)), { code: 'internal' });
      const figures = await store.experiments.figures({ rollout: 'shop', release: null, nowMs: T0 });
      assert.deepEqual([figures?.events, figures?.phases[0]?.exposed, revenueOf(figures!)], [[], [0, 1], [0, 0]]);
      assert.deepEqual(await store.experiments.apply(batchOf(T0, [purchaseEntry('e-1', 'u-1', T0)])), [
        { version: 'canary' },
      ]);
      assert.equal(store.experiments.health()?.ok, true, 'a mistake of the caller is no illness');
    });
  });
});

test('two processes that write in turn agree on what was counted', async () => {
  await withPath(async (path) => {
    await withStore({ path, busyTimeoutMs: 8_000 }, async (one) => {
      await one.experiments.apply(batchOf(T0, [splitEntry(T0), exposureEntry('u-1', T0)]));
      await withStore({ path, busyTimeoutMs: 8_000 }, async (other) => {
        for (let i = 0; i < 6; i += 1) {
          const batch = batchOf(T0, [purchaseEntry(`e-${i}`, 'u-1', T0), exposureEntry(`v-${i}`, T0)]);
          await (i % 2 === 0 ? other : one).experiments.apply(batch);
        }
        for (const store of [one, other]) {
          const figures = await store.experiments.figures({ rollout: 'shop', release: null, nowMs: T0 });
          assert.deepEqual(
            [revenueOf(figures!), figures?.phases[0]?.exposed],
            [
              [0, 60],
              [0, 7],
            ],
          );
        }
      });
    });
  });
});

test('a damaged file of experiments is told and left alone, and stops no decision', async () => {
  await withPath(async (path) => {
    await withStore({ path }, async (store) => void (await store.experiments.apply(batchOf(T0, first))));
    await writeFile(`${path}.experiments`, 'noise'.repeat(4_000));
    await withStore({ path }, async (store) => {
      await assert.rejects(store.experiments.apply(batchOf(T0, first)), {
        code: 'store-corrupt',
        message: /graygate\.db\.experiments is corrupt/,
      });
      assert.equal(store.experiments.health()?.ok, false);
      assert.deepEqual(await store.states.save(stateChange('shop', 0)), { revision: 1 });
      assert.equal(store.status().ok, true);
    });
  });
});

test('a lock that another process holds is told, and over when the lock is', async () => {
  await withPath(async (path) => {
    await withStore({ path }, async (store) => {
      await store.experiments.apply(batchOf(T0, [splitEntry(T0)]));
      const foreign = new DatabaseSync(`${path}.experiments`);
      foreign.exec('BEGIN EXCLUSIVE');
      await assert.rejects(store.experiments.apply(batchOf(T0, first)), {
        code: 'store-unavailable',
        message: /locked/,
      });
      assert.equal(store.experiments.health()?.ok, false);
      const { promise: well, resolve } = Promise.withResolvers<void>();
      const stop = store.experiments.onHealthChange(() => {
        if (store.experiments.health()?.ok === true) resolve();
      });
      foreign.exec('ROLLBACK');
      foreign.close();
      await well;
      stop();
      assert.deepEqual(await store.experiments.apply(batchOf(T0, first)), [{ version: 'canary' }]);
    });
  });
});

function recordCount(path: string): unknown {
  const database = new DatabaseSync(`${path}.experiments`, { readOnly: true });
  const found = database.prepare('SELECT count(*) AS count FROM user_record').get();
  database.close();
  return found?.['count'];
}

test('of users who are in no comparison nothing stays but what they did of late', async () => {
  await withPath(async (path) => {
    await withStore({ path }, async (store) => {
      const noChance = { percents: [100, 0], version: 'stable' };
      const said: ExperimentEntry = {
        kind: 'event',
        event: { id: 'e-1', rollout: 'shop', user: 'u-2', event: 'signup', value: 0, atMs: T0 },
      };
      await store.experiments.apply(batchOf(T0, [splitEntry(T0, noChance), exposureEntry('u-1', T0, noChance), said]));
      assert.equal(recordCount(path), 0);
      await store.experiments.apply(batchOf(T0, [purchaseEntry('e-2', 'u-3', T0)]));
      assert.equal(recordCount(path), 1);
      while (!(await store.experiments.tend({ nowMs: T0 + 10 * DAY_MS + 3_600_000 })).isDone);
      assert.equal(recordCount(path), 0);
    });
  });
});

test('the sweep comes to its end while another process writes', async () => {
  await withPath(async (path) => {
    await withStore({ path, busyTimeoutMs: 8_000 }, async (one) => {
      const users = Array.from({ length: 2_500 }, (_, i) => exposureEntry(`u-${i}`, T0));
      await one.experiments.apply(batchOf(T0, [splitEntry(T0), ...users]));
      await withStore({ path, busyTimeoutMs: 8_000 }, async (other) => {
        const nowMs = T0 + DAY_MS;
        let steps = 0;
        while (!(await one.experiments.tend({ nowMs })).isDone && steps < 20) {
          steps += 1;
          await other.experiments.apply(batchOf(nowMs, [exposureEntry(`v-${steps}`, nowMs)]));
        }
        assert.ok(steps < 20, 'it ends');
        assert.equal(recordCount(path), 2_500 + steps);
      });
    });
  });
});

function idTables(path: string): unknown[] {
  const database = new DatabaseSync(`${path}.experiments`, { readOnly: true });
  const found = database.prepare(`SELECT name FROM sqlite_schema WHERE name GLOB 'seen_*' ORDER BY name`).all();
  database.close();
  return found.map(({ name }) => name);
}

test('a day of ids is let go of in steps, and its table with the last of them', async () => {
  await withPath(async (path) => {
    await withStore({ path }, async (store) => {
      const events = Array.from({ length: 10_001 }, (_, i) => purchaseEntry(`e-${i}`, 'u-1', T0));
      await store.experiments.apply(batchOf(T0, events));
      const nowMs = T0 + 8 * DAY_MS;
      await store.experiments.apply(batchOf(nowMs, [purchaseEntry('today', 'u-1', nowMs)]));
      const [old, today] = [Math.floor(T0 / DAY_MS), Math.floor(nowMs / DAY_MS)];
      let steps = 0;
      const seen = new Set<unknown>([String(idTables(path))]);
      while (!(await store.experiments.tend({ nowMs })).isDone) {
        steps += 1;
        seen.add(String(idTables(path)));
      }
      assert.ok(steps >= 4, `${steps} steps`);
      assert.deepEqual([...seen], [`seen_${old},seen_${today}`, `seen_${today}`]);
      const after = [purchaseEntry('today', 'u-1', nowMs), purchaseEntry('e-1', 'u-1', nowMs)];
      assert.deepEqual(await store.experiments.apply(batchOf(nowMs, after)), [null, { version: null }]);
    });
  });
});

test('a save of a decision does not wait for a batch of events', async () => {
  await withPath(async (path) => {
    await withStore({ path }, async (store) => {
      await statusThat(store, ({ ok }) => ok);
      const events = Array.from({ length: 20_000 }, (_, i) => purchaseEntry(`e-${i}`, `u-${i % 997}`, T0));
      let isApplied = false;
      const applying = store.experiments.apply(batchOf(T0, [splitEntry(T0), ...events])).then(() => (isApplied = true));
      await store.states.save(stateChange('shop', 0));
      assert.equal(isApplied, false);
      await applying;
    });
  });
});
