// A file of decisions that an earlier release of graygate has written.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { decisionMigrations } from '../../src/store/migrations.ts';
import { openSqliteFile } from '../../src/store/sqlite-file.ts';
import { outboxTable } from '../../src/store/state-tables.ts';
import { withDirectory } from './places.ts';

test('alerts that waited without a queue are in that of their rollout and target after the upgrade', async () => {
  await withDirectory(async (directory) => {
    const spec = { path: join(directory, 'old'), applicationId: 1, synchronous: 'NORMAL', busyTimeoutMs: 0 } as const;
    const before = openSqliteFile({ ...spec, checkWhole: false, migrations: decisionMigrations.slice(0, 1) });
    const insert = before.prepare(
      'INSERT INTO outbox (id, rollout, created_ms, due_ms, format, json) VALUES (?, ?, 0, 0, 1, ?)',
    );
    const waiting = [
      ['a1', 'shop', 'a'],
      ['a2', 'shop', 'a'],
      ['b1', 'shop', 'b'],
      ['item a1', 'item', 'a'],
    ] as const;
    for (const [id, rollout, target] of waiting) insert.run(id, rollout, JSON.stringify({ target, entry: {} }));
    before.close();
    const database = openSqliteFile({ ...spec, checkWhole: false, migrations: decisionMigrations });
    const outbox = outboxTable(database);
    const take = (): string[] => outbox.takeAlerts({ nowMs: 0, leaseMs: 1, limit: 9 }).map(({ id }) => id);
    assert.deepEqual(take(), ['a1', 'b1', 'item a1']);
    outbox.removeAlert('a1');
    assert.deepEqual(take(), ['a2']);
    database.close();
  });
});
