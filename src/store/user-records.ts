// The records of users in SQLite, each read and written once a batch however often it changes. Runs in the thread of the experiments only.

import type { DatabaseSync } from 'node:sqlite';
import {
  isEmptyRecord,
  packRecord,
  unknownUser,
  unpackRecord,
  type UserRecord,
} from '../rollout/experiment/user-record.ts';
import { allRows } from './sqlite-file.ts';

const hourMs = 3_600_000;

export type UserRecords = {
  /** The record of a user, as the batch has left it so far. */
  get(experiment: number, user: Uint8Array): UserRecord;
  set(experiment: number, user: Uint8Array, record: UserRecord): void;
  /** Writes what was set, of records that say something, and ends the batch. */
  write(): void;
  remove(experiment: number, user: Uint8Array): boolean;
  /**
   * Looks at the next `stepCount` records after `from` and removes the old ones: last seen before what `oldestMs` says, null for all.
   * Returns where to go on; null: that was the last.
   */
  sweepStep(oldestMs: (experiment: number) => number | null, from: RecordPlace | null): RecordPlace | null;
};

export type RecordPlace = { readonly experiment: number; readonly user: Uint8Array };

type Held = { readonly experiment: number; readonly user: Uint8Array; record: UserRecord; isChanged: boolean };
type SweptRow = RecordPlace & { readonly seenHour: number };

const stepCount = 1_000;
const beginning: RecordPlace = { experiment: -1, user: new Uint8Array() };

/** The records of a file. */
export function openUserRecords(database: DatabaseSync): UserRecords {
  const select = database.prepare('SELECT record FROM user_record WHERE experiment = ? AND user = ?');
  const upsert = database.prepare(
    'INSERT OR REPLACE INTO user_record (experiment, user, seen_hour, record) VALUES (?, ?, ?, ?)',
  );
  const remove = database.prepare('DELETE FROM user_record WHERE experiment = ? AND user = ?');
  const selectNext = database.prepare(
    `SELECT experiment, user, seen_hour AS seenHour FROM user_record
     WHERE (experiment, user) > (?, ?) ORDER BY experiment, user LIMIT ${stepCount}`,
  );
  const held = new Map<string, Held>();

  function hold(experiment: number, user: Uint8Array): Held {
    const key = `${experiment}/${Buffer.from(user.buffer, user.byteOffset, user.byteLength).toString('latin1')}`;
    const known = held.get(key);
    if (known !== undefined) return known;
    const text = select.get(experiment, user)?.['record'];
    const record = typeof text === 'string' ? unpackRecord(text) : unknownUser;
    const one = { experiment, user, record, isChanged: false };
    held.set(key, one);
    return one;
  }

  return {
    get: (experiment, user) => hold(experiment, user).record,
    set(experiment, user, record) {
      const one = hold(experiment, user);
      if (one.record === record) return;
      one.record = record;
      one.isChanged = true;
    },
    write() {
      for (const { experiment, user, record, isChanged } of held.values()) {
        if (isChanged && !isEmptyRecord(record))
          upsert.run(experiment, user, Math.floor(record.seenMs / hourMs), packRecord(record));
      }
      held.clear();
    },
    remove: (experiment, user) => remove.run(experiment, user).changes === 1,
    sweepStep(oldestMs, from) {
      const after = from ?? beginning;
      const rows = allRows<SweptRow>(selectNext, after.experiment, after.user);
      for (const { experiment, user, seenHour } of rows) {
        const limitMs = oldestMs(experiment);
        if (limitMs === null || (seenHour + 1) * hourMs <= limitMs) remove.run(experiment, user);
      }
      return rows.length < stepCount ? null : rows.at(-1)!;
    },
  };
}
