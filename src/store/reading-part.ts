// One SQLite file that another thread writes, as a thread sees it that only reads: opened for each question, and let go of after it, so
// that the thread that writes is always free to give the file up. It has no health of its own: who writes knows what ails the file.

import type { DatabaseSync } from 'node:sqlite';
import { GraygateError } from '../errors.ts';
import { fileIdentity, openSqliteReader, type SqliteFileSpec } from './sqlite-file.ts';

export class ReadingPart<Verbs> {
  readonly #spec: SqliteFileSpec;
  readonly #prepare: (database: DatabaseSync) => Verbs;
  /** Which file it was at the last question; undefined: none was asked. */
  #identity: string | null | undefined;

  /** `prepare` makes the verbs for a file that was just opened. */
  constructor(spec: SqliteFileSpec, prepare: (database: DatabaseSync) => Verbs) {
    this.#spec = spec;
    this.#prepare = prepare;
  }

  /** Opens the file, runs a verb on it, and closes it; throws whatever is wrong. */
  run(work: (verbs: Verbs) => unknown): unknown {
    this.#refuseReplaced();
    const database = openSqliteReader(this.#spec);
    try {
      return work(this.#prepare(database));
    } finally {
      database.close();
    }
  }

  /** Once: the thread that writes may still be at the old one, with a journal that does not belong to the new one. */
  #refuseReplaced(): void {
    const known = this.#identity;
    this.#identity = fileIdentity(this.#spec.path);
    if (known === undefined || known === this.#identity) return;
    throw new GraygateError('store-unavailable', `${this.#spec.path} is not the file that was read before`);
  }
}
