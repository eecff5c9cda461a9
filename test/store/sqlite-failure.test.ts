// What each failure of SQLite or the file system is called, and whether the file has to be opened anew after it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GraygateError } from '../../src/errors.ts';
import { describeFailure, needsReopening } from '../../src/store/sqlite-failure.ts';

function sqliteError(errcode: number, message: string): Error {
  return Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', errcode });
}

const rows: readonly [name: string, error: unknown, code: string, message: RegExp, reopen: boolean][] = [
  ['a full disk', sqliteError(13, 'full'), 'store-unavailable', /^g\.db: the disk is full \(full\)$/, false],
  ['a lock', sqliteError(5, 'locked'), 'store-unavailable', /^g\.db: another process keeps the file locked/, false],
  ['a lock, in an extended code', sqliteError(5 | (2 << 8), 'x'), 'store-unavailable', /keeps the file locked/, false],
  ['a failed sync', sqliteError(10 | (4 << 8), 'x'), 'store-unavailable', /reading or writing the file failed/, true],
  ['a read-only file', sqliteError(8, 'x'), 'store-unavailable', /cannot be written/, true],
  ['a damaged file', sqliteError(11, 'x'), 'store-corrupt', /^g\.db is corrupt \(x\).*g\.db-wal and g\.db-shm/, true],
  ['a file that is no database', sqliteError(26, 'x'), 'store-corrupt', /is corrupt/, true],
  ['a violated constraint', sqliteError(19, 'x'), 'internal', /^the store refused a statement: x$/, false],
  [
    'a directory that cannot be made',
    Object.assign(new Error('EACCES: no'), { syscall: 'mkdir' }),
    'store-unavailable',
    /^g\.db: EACCES: no$/,
    true,
  ],
  ['a stale writer', new GraygateError('store-conflict', 'stale'), 'store-conflict', /^stale$/, false],
  ['a replaced file', new GraygateError('store-unavailable', 'gone'), 'store-unavailable', /^gone$/, true],
  [
    'a mistake of graygate',
    new TypeError('x is not a function'),
    'internal',
    /^the store failed: x is not a function$/,
    true,
  ],
  ['something that is no error', 'oops', 'internal', /^the store threw oops$/, true],
];

for (const [name, error, code, message, reopen] of rows) {
  test(`${name} is ${code}, ${reopen ? 'and the file is opened anew' : 'and the file stays open'}`, () => {
    const failure = describeFailure(error, 'g.db');
    assert.equal(failure.code, code);
    assert.match(failure.message, message);
    assert.equal(needsReopening(error), reopen);
  });
}
