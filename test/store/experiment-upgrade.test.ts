// A file of experiments that an earlier release of graygate has written.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { planOf } from '../../src/rollout/experiment/live-experiment.ts';
import { experimentVerbs } from '../../src/store/experiment-verbs.ts';
import { experimentMigrations } from '../../src/store/migrations.ts';
import { openSqliteFile } from '../../src/store/sqlite-file.ts';
import { batchOf } from './experiment-entries.ts';
import { withDirectory } from './places.ts';

const dayMs = 86_400_000;

test('figures that were kept without a word of when something was heard of them go a year after the upgrade', async () => {
  await withDirectory(async (directory) => {
    const spec = { path: join(directory, 'old'), applicationId: 1, synchronous: 'NORMAL', busyTimeoutMs: 0 } as const;
    const before = openSqliteFile({ ...spec, checkWhole: false, migrations: experimentMigrations.slice(0, 1) });
    const { experiment, versions } = batchOf(0, []).observations['shop']!;
    const insert = before.prepare(
      'INSERT INTO experiment (rollout, release, created_ms, superseded_ms, format, json) VALUES (?, ?, 0, ?, 1, ?)',
    );
    const plan = JSON.stringify(planOf(versions, experiment));
    const nowMs = Date.now();
    insert.run('shop', '1', nowMs - 300 * dayMs, plan);
    insert.run('shop', '2', null, plan);
    before.close();
    const database = openSqliteFile({ ...spec, checkWhole: false, migrations: experimentMigrations });
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
