// Reports of experiments beside the writing of batches: they wait for none, show each as a whole, and are as sound as the file is.

import assert from 'node:assert/strict';
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { ExperimentFigures } from '../../src/rollout/experiment.ts';
import type { Store } from '../../src/store/store.ts';
import { batchOf, exposureEntry, purchaseEntry, revenueOf, splitEntry } from './experiment-entries.ts';
import { untilExperimentsAreWell, withDirectory, withStore } from './places.ts';
import { T0 } from './samples.ts';

const DAY_MS = 86_400_000;
const userCount = 100;
const eventCount = 2_000;

/** A store in which a batch has been written and a report has been read. */
async function withReports(body: (store: Store, path: string) => Promise<void>): Promise<void> {
  await withDirectory(async (directory) => {
    const path = join(directory, 'graygate.db');
    await withStore({ path }, async (store) => {
      await store.experiments.apply(batchOf(T0, [splitEntry(T0), exposureEntry('first', T0, { version: 'stable' })]));
      await report(store);
      await body(store, path);
    });
  });
}

async function report(store: Store, nowMs = T0): Promise<ExperimentFigures> {
  const figures = await store.experiments.figures({ rollout: 'shop', release: null, nowMs });
  assert.ok(figures !== null);
  return figures;
}

async function write(store: Store, batch: number): Promise<void> {
  const users = Array.from({ length: userCount }, (_, i) => `u-${batch}-${i}`);
  const purchases = Array.from({ length: eventCount }, (_, i) =>
    purchaseEntry(`e-${batch}-${i}`, users[i % userCount]!, T0),
  );
  await store.experiments.apply(batchOf(T0, [...users.map((user) => exposureEntry(user, T0)), ...purchases]));
}

/** How many batches a report shows, after everything in it was found to be of the same ones. */
function shownIn(figures: ExperimentFigures): number {
  const shown = figures.phases[0]!.exposed[1]! / userCount;
  assert.equal(Number.isInteger(shown), true, 'a batch is there as a whole');
  const events =
    shown === 0 ? [] : [{ event: 'purchase', count: shown * eventCount, valueSum: shown * eventCount * 10 }];
  assert.deepEqual(figures.events, events);
  assert.deepEqual(revenueOf(figures), [0, shown * eventCount * 10]);
  return shown;
}

test('reports wait for no batch, show what was accepted before they were asked for, and never a part of a batch', async () => {
  await withReports(async (store) => {
    const batchCount = 8;
    const counted = { accepted: 0, reports: 0 };
    const writing = (async () => {
      for (; counted.accepted < batchCount; counted.accepted += 1) await write(store, counted.accepted);
    })();
    while (counted.accepted < batchCount) {
      const before = counted.accepted;
      const shown = shownIn(await report(store));
      assert.ok(shown >= before, `${before} batches accepted, ${shown} shown`);
      counted.reports += 1;
    }
    await writing;
    assert.equal(shownIn(await report(store)), batchCount);
    assert.ok(counted.reports > 2 * batchCount, `${counted.reports} reports while ${batchCount} batches were written`);
  });
});

test('a report tells of days that nobody has written down, and leaves it to others to do that', async () => {
  await withReports(async (store, path) => {
    const nowMs = T0 + 3 * DAY_MS;
    const first = await report(store, nowMs);
    assert.equal(first.days.length, 4);
    assert.deepEqual(await report(store, nowMs), first);
    const database = new DatabaseSync(`${path}.experiments`, { readOnly: true });
    assert.equal(database.prepare('SELECT count(*) AS count FROM experiment_day').get()?.['count'], 0);
    database.close();
  });
});

test('a report is read while another process keeps the file from being written', async () => {
  await withReports(async (store, path) => {
    const foreign = new DatabaseSync(`${path}.experiments`);
    foreign.exec('BEGIN IMMEDIATE');
    assert.equal(shownIn(await report(store)), 0);
    foreign.exec('ROLLBACK');
    foreign.close();
  });
});

function backUp(path: string, into: string): void {
  const database = new DatabaseSync(path, { readOnly: true });
  database.prepare('VACUUM INTO ?').run(into);
  database.close();
}

const troubles: readonly [what: string, make: (path: string, backup: string) => Promise<void>][] = [
  ['removed', async (path) => rm(path)],
  [
    'replaced by a backup',
    async (path, backup) => {
      for (const journal of ['-wal', '-shm']) await rm(`${path}${journal}`);
      await rename(backup, path);
    },
  ],
  [
    'replaced by something else',
    async (path) => {
      await writeFile(`${path}.new`, 'noise'.repeat(4_000));
      await rename(`${path}.new`, path);
    },
  ],
];

for (const [what, make] of troubles) {
  test(`a file that is ${what} under reports is told by whoever writes it`, async () => {
    await withReports(async (store, path) => {
      const backup = `${path}.backup`;
      backUp(`${path}.experiments`, backup);
      await write(store, 0);
      assert.equal(shownIn(await report(store)), 1);
      await make(`${path}.experiments`, backup);
      await assert.rejects(report(store), {
        code: 'store-unavailable',
        message: /was removed or replaced while in use/,
      });
      assert.equal(store.experiments.health()?.ok, false);
      if (what !== 'replaced by a backup') return;
      await untilExperimentsAreWell(store);
      assert.equal(shownIn(await report(store)), 0);
      await write(store, 1);
      assert.equal(shownIn(await report(store)), 1);
    });
  });
}

test('nothing but the files stays behind when a store is closed that reports were read from', async () => {
  await withDirectory(async (directory) => {
    await withStore({ path: join(directory, 'graygate.db') }, async (store) => {
      await store.experiments.apply(batchOf(T0, [splitEntry(T0)]));
      await Promise.all([report(store), report(store), store.close()]);
    });
    assert.deepEqual((await readdir(directory)).toSorted(), [
      'graygate.db',
      'graygate.db.experiments',
      'graygate.db.history',
    ]);
  });
});
