// A file of experiments that an earlier release of graygate has written.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { cellCount, cellOf } from '../../src/rollout/experiment/bucket-cells.ts';
import { usersColumn } from '../../src/rollout/experiment/experiment-sums.ts';
import { planOf } from '../../src/rollout/experiment/live-experiment.ts';
import { experimentVerbs } from '../../src/store/experiment-verbs.ts';
import { experimentMigrations } from '../../src/store/migrations.ts';
import { openSqliteFile } from '../../src/store/sqlite-file.ts';
import { experimentOf } from '../rollout/experiment/lives.ts';
import { batchOf, exposureEntry, purchaseEntry } from './experiment-entries.ts';
import { withDirectory } from './places.ts';
import { T0 } from './samples.ts';

const dayMs = 86_400_000;
const spec = { applicationId: 1, synchronous: 'NORMAL', busyTimeoutMs: 0, checkWhole: false } as const;

test('figures that were kept without a word of when something was heard of them go a year after the upgrade', async () => {
  await withDirectory(async (directory) => {
    const path = join(directory, 'old');
    const before = openSqliteFile({ ...spec, path, migrations: experimentMigrations.slice(0, 1) });
    const { experiment, versions } = batchOf(0, []).observations['shop']!;
    const insert = before.prepare(
      'INSERT INTO experiment (rollout, release, created_ms, superseded_ms, format, json) VALUES (?, ?, 0, ?, 1, ?)',
    );
    const plan = JSON.stringify(planOf(versions, experiment));
    const nowMs = Date.now();
    insert.run('shop', '1', nowMs - 300 * dayMs, plan);
    insert.run('shop', '2', null, plan);
    before.close();
    const database = openSqliteFile({ ...spec, path, migrations: experimentMigrations });
    const verbs = experimentVerbs(database);
    const keptAt = (days: number): boolean[] => {
      while (!verbs.tendStep(nowMs + days * dayMs).isDone);
      return ['1', '2'].map((release) => verbs.readFigures({ rollout: 'shop', release, nowMs }) !== null);
    };
    assert.deepEqual(
      [keptAt(65), keptAt(67), keptAt(365), keptAt(368)],
      [
        [true, true],
        [false, true],
        [false, true],
        [false, false],
      ],
    );
    database.close();
  });
});

const experiment = experimentOf();
const versions = ['stable', 'canary'];
/** Spent by one user before the upgrade: a double of this size is a multiple of 32. */
const spent = 2 ** 57;

/** A file without what rounding takes from sums: one user of the canary, who has converted. */
function writeOld(database: DatabaseSync): void {
  const phases = [{ beganMs: T0, percents: [50, 50], overMs: null }];
  const plan = JSON.stringify({ ...planOf(versions, experiment), phases, openDayMs: T0 - (T0 % dayMs) });
  database
    .prepare(
      `INSERT INTO experiment (rollout, release, created_ms, heard_ms, format, json) VALUES ('shop', '2', ?, ?, 1, ?)`,
    )
    .run(T0, T0, plan);
  const insert = database.prepare('INSERT INTO experiment_sum VALUES (1, ?, 0, 1, -1, ?)');
  const columnOf = (name: string): number => experiment.metrics.findIndex((metric) => metric.name === name);
  const sums: readonly [column: number, numbers: readonly number[]][] = [
    [usersColumn, [1, 0]],
    [columnOf('conversion'), [1, 1]],
    [columnOf('order-value'), [1, spent, 1, spent ** 2, 1, spent]],
    [columnOf('revenue'), [1, spent, spent ** 2, 0, 0, 0, 1]],
  ];
  for (const [column, numbers] of sums) {
    const doubles = new Float64Array(cellCount * numbers.length);
    doubles.set(numbers, cellOf(100) * numbers.length);
    insert.run(column, new Uint8Array(doubles.buffer));
  }
  database.prepare(`INSERT INTO event_total VALUES (1, 'purchase', 'canary', 1, ?)`).run(spent);
}

test('sums that were kept without what rounding takes from them go on, and lose nothing from the upgrade on', async () => {
  await withDirectory(async (directory) => {
    const path = join(directory, 'old');
    const before = openSqliteFile({ ...spec, path, migrations: experimentMigrations.slice(0, 2) });
    writeOld(before);
    before.close();
    const nowMs = T0 + 1;
    for (const id of ['e-1', 'e-2', 'e-3']) {
      const database = openSqliteFile({ ...spec, path, migrations: experimentMigrations });
      const entries = [exposureEntry('new', T0), purchaseEntry(id, 'new', nowMs)];
      experimentVerbs(database).applyEntries({
        ...batchOf(nowMs, entries),
        observations: { shop: { release: '2', versions, experiment } },
      });
      database.close();
    }
    const database = openSqliteFile({ ...spec, path, migrations: experimentMigrations });
    const verbs = experimentVerbs(database);
    const { phases, metrics, events } = verbs.readFigures({ rollout: 'shop', release: null, nowMs })!;
    const sampleOf = (name: string) => metrics.find(({ metric }) => metric.name === name)!.samples[0]![1]!;
    // With thirty more, of which each ten alone would be rounded away.
    const valueSum = spent + 32;
    assert.deepEqual(phases[0]!.exposed, [0, 2]);
    assert.deepEqual(sampleOf('conversion'), { kind: 'proportion', userCount: 1, hits: 1 });
    assert.deepEqual(
      { ...sampleOf('revenue'), sumOfSquares: 0 },
      { kind: 'mean', userCount: 2, sum: valueSum, sumOfSquares: 0 },
    );
    assert.deepEqual(
      { ...sampleOf('order-value'), valueSquares: 0 },
      { kind: 'ratio', userCount: 2, valueSum, unitSum: 4, valueSquares: 0, unitSquares: 10, products: spent + 96 },
    );
    assert.deepEqual(events, [{ event: 'purchase', count: 4, valueSum }]);
    assert.deepEqual(verbs.eventTotals(), [
      { rollout: 'shop', version: 'canary', event: 'purchase', count: 4, valueSum },
    ]);
    database.close();
  });
});
