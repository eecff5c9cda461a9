// Opens one SQLite file the way graygate trusts it: directory made, ours, whole, and at this release's schema.
// Runs in the store's thread only: every call blocks.

import { closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { GraygateError } from '../errors.ts';
import { corruptMessage } from './sqlite-failure.ts';

export type SqliteFileSpec = {
  readonly path: string;
  /** Tells graygate's files from other programs' (https://www.sqlite.org/pragma.html#pragma_application_id). */
  readonly applicationId: number;
  readonly migrations: readonly string[];
  /** `FULL` survives a power cut at every commit; `NORMAL` may lose the last commits, never the file. */
  readonly synchronous: 'FULL' | 'NORMAL';
  /** How long a foreign lock is waited for. */
  readonly busyTimeoutMs: number;
  /** Whether the whole file is read at opening to find damage early; else it is found when touched. */
  readonly checkWhole: boolean;
  /** Of a file that is made now: small ones where what is written lies scattered. Absent: as SQLite does. */
  readonly pageBytes?: number;
  /** Pages held in memory; absent: as SQLite does. */
  readonly cacheBytes?: number;
  /** Pages that gather in the journal before they are copied into the file; absent: as SQLite does. */
  readonly checkpointPageCount?: number;
};

/** Opens or creates the file. Throws SQLite's errors, `store-corrupt`, or `store-unavailable` for a file that is not ours to use. */
export function openSqliteFile(spec: SqliteFileSpec): DatabaseSync {
  mkdirSync(dirname(spec.path), { recursive: true });
  // Users and reasons are nobody else's to read; SQLite gives its journals the mode of the file.
  if (!existsSync(spec.path)) closeSync(openSync(spec.path, 'a', 0o600));
  const database = new DatabaseSync(spec.path, { timeout: spec.busyTimeoutMs });
  try {
    refuseForeign(database, spec);
    if (spec.pageBytes !== undefined) database.exec(`PRAGMA page_size = ${spec.pageBytes}`);
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = ${spec.synchronous};
      PRAGMA fullfsync = ON;
      PRAGMA cell_size_check = ON;
      PRAGMA journal_size_limit = 16777216;
    `);
    if (spec.cacheBytes !== undefined) database.exec(`PRAGMA cache_size = ${-Math.floor(spec.cacheBytes / 1_024)}`);
    if (spec.checkpointPageCount !== undefined) {
      database.exec(`PRAGMA wal_autocheckpoint = ${spec.checkpointPageCount}`);
    }
    if (spec.checkWhole) refuseDamaged(database, spec.path);
    migrate(database, spec);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Opens a file that another thread keeps open and at this release's schema, to read from it. Throws as `openSqliteFile` does. */
export function openSqliteReader({
  path,
  applicationId,
  migrations,
  busyTimeoutMs,
}: Pick<SqliteFileSpec, 'path' | 'applicationId' | 'migrations' | 'busyTimeoutMs'>): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs });
  try {
    database.exec('PRAGMA cell_size_check = ON');
    const [owner, schema] = [pragmaNumber(database, 'application_id'), pragmaNumber(database, 'user_version')];
    if (owner === applicationId && schema === migrations.length) return database;
    const found = `application ${owner} at schema ${schema}`;
    throw new GraygateError(
      'store-unavailable',
      `${path}: expected application ${applicationId} at schema ${migrations.length}, found ${found}`,
    );
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Runs `work` in one transaction: all of it is kept, or, when it throws, nothing. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // A full disk or a failed read has rolled back by itself already.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Runs `work` on one state of the file, however others write to it meanwhile; `work` must write nothing. */
export function inSnapshot<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN');
  try {
    return work();
  } finally {
    // A failed read may have ended it already.
    if (database.isTransaction) database.exec('ROLLBACK');
  }
}

/** The rows of a query as the type the statement selects; the caller answers for the match. */
export function allRows<Row>(statement: StatementSync, ...parameters: SQLInputValue[]): Row[] {
  return statement.all(...parameters).map((found) => asRow<Row>(found));
}

/** One row of a query as the type the statement selects. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- names the row's type at the call
export function asRow<Row>(found: Record<string, SQLOutputValue>): Row {
  return found as Row;
}

/** Which file a path names now, as text that changes when it is replaced; null when there is none. */
export function fileIdentity(path: string): string | null {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? null : `${stats.dev}:${stats.ino}`;
}

function refuseForeign(database: DatabaseSync, { path, applicationId, migrations }: SqliteFileSpec): void {
  const owner = pragmaNumber(database, 'application_id');
  const hasTables = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined;
  if (owner !== applicationId && hasTables) {
    throw new GraygateError('store-unavailable', `${path} is a database of another program; name another file`);
  }
  const schema = pragmaNumber(database, 'user_version');
  if (schema > migrations.length) throw new GraygateError('store-unavailable', newerMessage(path, schema, migrations));
}

function newerMessage(path: string, schema: number, migrations: readonly string[]): string {
  return (
    `${path} was written by a newer graygate (schema ${schema}, this one knows up to ${migrations.length}); ` +
    'start that release again, or put the backup from before the upgrade in its place'
  );
}

function refuseDamaged(database: DatabaseSync, path: string): void {
  const finding = String(database.prepare('PRAGMA quick_check(1)').get()?.['quick_check']);
  // The finding comes below a line that names the database.
  const detail = finding.split('\n').at(-1) ?? finding;
  if (finding !== 'ok') throw new GraygateError('store-corrupt', corruptMessage(path, detail));
}

function migrate(database: DatabaseSync, { applicationId, migrations }: SqliteFileSpec): void {
  while (pragmaNumber(database, 'user_version') < migrations.length) {
    inTransaction(database, () => {
      // Read again inside: another process may have taken this step while the lock was waited for.
      const step = pragmaNumber(database, 'user_version');
      const statements = migrations[step];
      if (statements === undefined) return;
      database.exec(statements);
      database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${step + 1};`);
    });
  }
}

function pragmaNumber(database: DatabaseSync, name: 'application_id' | 'user_version'): number {
  const row = database.prepare(`PRAGMA ${name}`).get();
  return Number(row?.[name]);
}
