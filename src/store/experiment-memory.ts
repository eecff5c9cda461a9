// What is held in memory of the file of experiments, and every transaction on it. Runs in the thread of the experiments only.

import type { DatabaseSync } from 'node:sqlite';
import { ExperimentShelf } from './experiment-shelf.ts';
import { openSeenIds, type SeenIds } from './seen-ids.ts';
import { inTransaction } from './sqlite-file.ts';
import { openUserRecords, type UserRecords } from './user-records.ts';

export type ExperimentMemory = {
  readonly shelf: ExperimentShelf;
  readonly seen: SeenIds;
  readonly users: UserRecords;
};

/** Runs work in one transaction: all that it changes is written, or, when it throws, nothing. */
export type Transact = <T>(work: (held: ExperimentMemory) => T) => T;

/** The transactions on a file. What is held is let go of when the file takes nothing of it, and when another process has written to the file. */
export function openExperimentMemory(database: DatabaseSync): Transact {
  const selectDataVersion = database.prepare('PRAGMA data_version');
  /** What is in memory of the file as it was at `version`; null: nothing that is right. */
  let known: { readonly held: ExperimentMemory; readonly version: number } | null = null;
  return (work) => {
    try {
      return inTransaction(database, () => {
        const version = Number(selectDataVersion.get()!['data_version']);
        if (known?.version !== version) known = { held: opened(database), version };
        const { held } = known;
        const result = work(held);
        held.users.write();
        held.shelf.write();
        return result;
      });
    } catch (error) {
      known = null;
      throw error;
    }
  };
}

function opened(database: DatabaseSync): ExperimentMemory {
  return { shelf: new ExperimentShelf(database), seen: openSeenIds(database), users: openUserRecords(database) };
}
