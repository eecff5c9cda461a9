// One SQLite file inside the store's thread: opened when asked, given up when it cannot be trusted, opened again on a probe.
// Between a failure and the next probe every verb fails at once, so that a locked file does not hold up the other part.

import type { DatabaseSync } from 'node:sqlite';
import { GraygateError } from '../errors.ts';
import { describeFailure, needsReopening, type StoreFailure } from './sqlite-failure.ts';
import { fileIdentity, openSqliteFile, type SqliteFileSpec } from './sqlite-file.ts';

const FILLER_BYTES = 65_536;

export type WorkerPart<Verbs> = {
  /** Runs a verb on the open file; throws a `GraygateError` that says what is wrong. */
  run(work: (verbs: Verbs) => unknown): unknown;
  /** Opens the file if need be and writes to it what a save might need; throws as `run` does. */
  probe(): void;
  close(): void;
};

type OpenFile<Verbs> = { readonly database: DatabaseSync; readonly verbs: Verbs; readonly identity: string | null };

/** `prepare` makes the verbs for a file that was just opened. */
export function createWorkerPart<Verbs>(
  spec: SqliteFileSpec,
  prepare: (database: DatabaseSync) => Verbs,
): WorkerPart<Verbs> {
  let open: OpenFile<Verbs> | null = null;
  let mustReopen = false;
  let isSuspect = false;
  let failure: StoreFailure = { code: 'store-unavailable', message: `${spec.path} is not open yet` };

  function letGo(): void {
    const closing = open;
    open = null;
    try {
      closing?.database.close();
    } catch {
      // The file is given up because it failed: a second failure says nothing new.
    }
  }

  function guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const described = describeFailure(error, spec.path);
      // A file that only cannot be written can still be read until the next probe opens it anew.
      mustReopen ||= needsReopening(error);
      isSuspect ||= described.code === 'store-corrupt';
      if (open === null || isSuspect) {
        failure = described;
        letGo();
      }
      throw new GraygateError(described.code, described.message, { cause: error });
    }
  }

  function openNow(): OpenFile<Verbs> {
    // Damage that was found once by chance is not trusted to show itself again.
    const database = openSqliteFile({ ...spec, checkWhole: spec.checkWhole || isSuspect });
    isSuspect = false;
    try {
      return { database, verbs: prepare(database), identity: fileIdentity(spec.path) };
    } catch (error) {
      database.close();
      throw error;
    }
  }

  return {
    run(work) {
      if (open === null) throw new GraygateError(failure.code, failure.message);
      const { verbs, identity } = open;
      return guarded(() => {
        refuseReplaced(spec.path, identity);
        return work(verbs);
      });
    },
    probe() {
      guarded(() => {
        if (mustReopen) letGo();
        mustReopen = false;
        open ??= openNow();
        refuseReplaced(spec.path, open.identity);
        writeFiller(open.database);
      });
    },
    close: letGo,
  };
}

/** Else SQLite would go on writing into a file that no name leads to, and everything saved would be lost. */
function refuseReplaced(path: string, identity: string | null): void {
  if (fileIdentity(path) === identity) return;
  throw new GraygateError('store-unavailable', `${path} was removed or replaced while in use; it is opened anew`);
}

/** Two transactions, because pages that are freed before the commit never reach the disk. */
function writeFiller(database: DatabaseSync): void {
  database.prepare('INSERT OR REPLACE INTO probe (id, filler) VALUES (1, zeroblob(?))').run(FILLER_BYTES);
  database.exec('DELETE FROM probe');
}
