// What went wrong with a SQLite file, in one place: SQLite's and the file system's errors become a code and a sentence.
// Says what to do where a person must act; decides nothing about retries.

import { GraygateError, type ErrorCode } from '../errors.ts';

export type StoreFailure = { readonly code: ErrorCode; readonly message: string };

const FULL_CODE = 13;
const BUSY_CODES = new Set([5, 6]);
const CORRUPT_CODES = new Set([11, 26]);

/** SQLite's primary result codes (https://www.sqlite.org/rescode.html) that the surroundings cause, not the statement. */
const surroundings: ReadonlyMap<number, string> = new Map([
  [3, 'access is denied'],
  [5, 'another process keeps the file locked'],
  [6, 'another process keeps the file locked'],
  [7, 'memory is used up'],
  [8, 'the file or its directory cannot be written'],
  [10, 'reading or writing the file failed'],
  [FULL_CODE, 'the disk is full'],
  [14, 'the file cannot be opened or created'],
  [15, 'another process keeps the file locked'],
  [22, 'the file is too large for the file system'],
]);

/** The code and sentence of whatever was thrown while using the file at `path`; `internal` when it is graygate's own fault. */
export function describeFailure(error: unknown, path: string): StoreFailure {
  if (error instanceof GraygateError) return { code: error.code, message: error.message };
  if (!(error instanceof Error)) return { code: 'internal', message: `the store threw ${String(error)}` };
  const sqliteCode = primaryCode(error);
  if (sqliteCode === null) return describeOther(error, path);
  if (CORRUPT_CODES.has(sqliteCode)) return { code: 'store-corrupt', message: corruptMessage(path, error.message) };
  const cause = surroundings.get(sqliteCode);
  if (cause === undefined) return { code: 'internal', message: `the store refused a statement: ${error.message}` };
  return { code: 'store-unavailable', message: `${path}: ${cause} (${error.message})` };
}

/** Whether the file must be opened anew before it can be trusted again; a full disk or a foreign lock passes without that. */
export function needsReopening(error: unknown): boolean {
  if (error instanceof GraygateError) return error.code !== 'store-conflict';
  const code = error instanceof Error ? primaryCode(error) : null;
  if (code === null) return true;
  return CORRUPT_CODES.has(code) || (surroundings.has(code) && code !== FULL_CODE && !BUSY_CODES.has(code));
}

/** What to tell about a file that SQLite cannot trust. The file is never touched again until someone replaces it. */
export function corruptMessage(path: string, finding: string): string {
  return (
    `${path} is corrupt (${finding}) and left as it is; ` +
    `move it away together with ${path}-wal and ${path}-shm, then put a backup in its place or let a new file begin`
  );
}

function primaryCode(error: Error): number | null {
  const extended = 'errcode' in error ? error.errcode : null;
  return typeof extended === 'number' ? extended & 0xff : null;
}

function describeOther(error: Error, path: string): StoreFailure {
  if ('syscall' in error) return { code: 'store-unavailable', message: `${path}: ${error.message}` };
  return { code: 'internal', message: `the store failed: ${error.message}` };
}
