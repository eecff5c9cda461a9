// The records of users in SQLite, each read and written once a batch however often it changes. Runs in the thread of the experiments only.

import type { DatabaseSync } from 'node:sqlite';
import { packRecord, unknownUser, unpackRecord, type UserRecord } from '../rollout/experiment/user-record.ts';
import { allRows } from './sqlite-file.ts';

const hourMs = 3_600_000;

export type UserRecords = {
  /** The record of a user, as the batch has left it so far. */
  get(experiment: number, user: Uint8Array): UserRecord;
  set(experiment: number, user: Uint8Array, record: UserRecord): void;
  /** Writes what was set and ends the batch. */
  write(): void;
  remove(experiment: number, user: Uint8Array): boolean;
  /** Looks at the next `stepCount` records and removes the old ones: last seen before what `oldestMs` says, null for all. False: that was the last. */
  sweepStep(oldestMs: (experiment: number) => number | null): boolean;
};

type Held = { readonly experiment: number; readonly user: Uint8Array; record: UserRecord; isChanged: boolean };
type SweptRow = { readonly experiment: number; readonly user: Uint8Array; readonly seenHour: number };

const stepCount = 1_000;
const beginning = { experiment: -1, user: new Uint8Array() };

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
  let sweptTo: Pick<SweptRow, 'experiment' | 'user'> = beginning;

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
        if (isChanged) upsert.run(experiment, user, Math.floor(record.seenMs / hourMs), packRecord(record));
      }
      held.clear();
    },
    remove: (experiment, user) => remove.run(experiment, user).changes === 1,
    sweepStep(oldestMs) {
      const rows = allRows<SweptRow>(selectNext, sweptTo.experiment, sweptTo.user);
      for (const { experiment, user, seenHour } of rows) {
        const limitMs = oldestMs(experiment);
        if (limitMs === null || (seenHour + 1) * hourMs <= limitMs) remove.run(experiment, user);
      }
      sweptTo = rows.length < stepCount ? beginning : rows.at(-1)!;
      return rows.length === stepCount;
    },
  };
}
