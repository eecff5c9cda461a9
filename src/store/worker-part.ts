// One SQLite file inside the store's thread: opened when asked, given up when it cannot be trusted, opened again on a probe.
// Between a failure and the next probe every verb fails at once, so that a locked file does not hold up the other part.

import type { DatabaseSync } from 'node:sqlite';
import { GraygateError } from '../errors.ts';
import { describeFailure, needsReopening, type StoreFailure } from './sqlite-failure.ts';
import { fileIdentity, openSqliteFile, type SqliteFileSpec } from './sqlite-file.ts';

const FILLER_BYTES = 65_536;

type OpenFile<Verbs> = { readonly database: DatabaseSync; readonly verbs: Verbs; readonly identity: string | null };

export class WorkerPart<Verbs> {
  readonly #spec: SqliteFileSpec;
  readonly #prepare: (database: DatabaseSync) => Verbs;
  #open: OpenFile<Verbs> | null = null;
  #mustReopen = false;
  /** Damage was found: nothing is read any more before the whole file was checked. */
  #isSuspect = false;
  /** Why nothing is open. */
  #failure: StoreFailure;

  /** `prepare` makes the verbs for a file that was just opened. */
  constructor(spec: SqliteFileSpec, prepare: (database: DatabaseSync) => Verbs) {
    this.#spec = spec;
    this.#prepare = prepare;
    this.#failure = { code: 'store-unavailable', message: `${spec.path} is not open yet` };
  }

  /** Runs a verb on the open file; throws a `GraygateError` that says what is wrong. */
  run(work: (verbs: Verbs) => unknown): unknown {
    if (this.#open === null) throw new GraygateError(this.#failure.code, this.#failure.message);
    const { verbs, identity } = this.#open;
    return this.#guarded(() => {
      refuseReplaced(this.#spec.path, identity);
      return work(verbs);
    });
  }

  /** Opens the file if need be and writes to it what a save might need; throws as `run` does. */
  probe(): void {
    this.#guarded(() => {
      if (this.#mustReopen) this.close();
      this.#mustReopen = false;
      this.#open ??= this.#openNow();
      refuseReplaced(this.#spec.path, this.#open.identity);
      writeFiller(this.#open.database);
    });
  }

  close(): void {
    const closing = this.#open;
    this.#open = null;
    try {
      closing?.database.close();
    } catch {
      // The file is given up because it failed: a second failure says nothing new.
    }
  }

  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const described = describeFailure(error, this.#spec.path);
      // A file that only cannot be written can still be read until the next probe opens it anew.
      this.#mustReopen ||= needsReopening(error);
      this.#isSuspect ||= described.code === 'store-corrupt';
      if (this.#open === null || this.#isSuspect) {
        this.#failure = described;
        this.close();
      }
      throw new GraygateError(described.code, described.message, { cause: error });
    }
  }

  #openNow(): OpenFile<Verbs> {
    const { path, checkWhole } = this.#spec;
    // Damage that was found once by chance is not trusted to show itself again.
    const database = openSqliteFile({ ...this.#spec, checkWhole: checkWhole || this.#isSuspect });
    this.#isSuspect = false;
    try {
      return { database, verbs: this.#prepare(database), identity: fileIdentity(path) };
    } catch (error) {
      database.close();
      throw error;
    }
  }
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
