// Which events were counted already: hashes of their ids, a table a day, so that a day is let go of as a whole. Runs in the thread of
// the experiments only.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { allRows } from './sqlite-file.ts';

const dayMs = 86_400_000;
/** Whole days for which an id is known at least. */
const keptDayCount = 7;
const stepCount = 5_000;

export type SeenIds = {
  /** Whether an id is new; from now on it is not. */
  take(id: Uint8Array, nowMs: number): boolean;
  /** Removes a bounded number of ids that are too old; false: there are none. */
  forgetStep(nowMs: number): boolean;
};

/** The ids that a file knows. */
export function openSeenIds(database: DatabaseSync): SeenIds {
  const days = new Set(dayTables(database));
  let today: number | null = null;
  let insert: StatementSync | null = null;
  let selectOther: StatementSync | null = null;

  function turnTo(day: number): void {
    database.exec(`CREATE TABLE IF NOT EXISTS ${tableOf(day)} (id BLOB PRIMARY KEY) STRICT, WITHOUT ROWID`);
    days.add(day);
    today = day;
    insert = database.prepare(`INSERT OR IGNORE INTO ${tableOf(day)} (id) VALUES (?)`);
    const others = [...days].filter((one) => one !== day).toSorted((a, b) => b - a);
    const selects = others.map((one) => `SELECT 1 FROM ${tableOf(one)} WHERE id = ?1`);
    selectOther = others.length === 0 ? null : database.prepare(`${selects.join(' UNION ALL ')} LIMIT 1`);
  }

  return {
    take(id, nowMs) {
      const day = Math.floor(nowMs / dayMs);
      if (day !== today) turnTo(day);
      if (selectOther?.get(id) !== undefined) return false;
      return insert!.run(id).changes === 1;
    },
    forgetStep(nowMs) {
      const old = [...days].find((day) => day < Math.floor(nowMs / dayMs) - keptDayCount);
      if (old === undefined) return false;
      const table = tableOf(old);
      const { changes } = database
        .prepare(`DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} ORDER BY id LIMIT ${stepCount})`)
        .run();
      if (changes === stepCount) return true;
      database.exec(`DROP TABLE ${table}`);
      days.delete(old);
      today = null;
      return true;
    },
  };
}

function tableOf(day: number): string {
  return `seen_${day}`;
}

function dayTables(database: DatabaseSync): number[] {
  const select = database.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'seen_[0-9]*'`);
  return allRows<{ name: string }>(select).map(({ name }) => Number(name.slice('seen_'.length)));
}
