// Opening a SQLite file: the steps from one schema to the next, taken once, whole, and never backwards.

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSqliteFile, openSqliteReader, type SqliteFileSpec } from '../../src/store/sqlite-file.ts';
import { withDirectory } from './places.ts';

const first = 'CREATE TABLE thing (name TEXT NOT NULL) STRICT';
const second =
  "ALTER TABLE thing ADD COLUMN size INTEGER NOT NULL DEFAULT 1; UPDATE thing SET size = 2 WHERE name = 'a'";
const broken = 'CREATE TABLE other (name TEXT); INSERT INTO missing VALUES (1)';

function spec(directory: string, migrations: readonly string[]): SqliteFileSpec {
  return {
    path: join(directory, 'file.db'),
    applicationId: 12_345,
    migrations,
    synchronous: 'FULL',
    busyTimeoutMs: 100,
    checkWhole: true,
  };
}

test('a file goes from any earlier schema to the newest with what was in it, and each step is taken once', async () => {
  await withDirectory(async (directory) => {
    const old = openSqliteFile(spec(directory, [first]));
    old.exec("INSERT INTO thing VALUES ('a'), ('b')");
    old.close();
    for (let time = 0; time < 2; time += 1) {
      const database = openSqliteFile(spec(directory, [first, second]));
      assert.deepEqual(
        database
          .prepare('SELECT name, size FROM thing ORDER BY name')
          .all()
          .map((row) => ({ ...row })),
        [
          { name: 'a', size: 2 },
          { name: 'b', size: 1 },
        ],
      );
      assert.equal(database.prepare('PRAGMA user_version').get()?.['user_version'], 2);
      database.close();
    }
  });
});

test('a step that fails leaves the file at the schema before it', async () => {
  await withDirectory(async (directory) => {
    openSqliteFile(spec(directory, [first])).close();
    assert.throws(() => openSqliteFile(spec(directory, [first, broken])), /no such table: missing/);
    const database = openSqliteFile(spec(directory, [first]));
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    assert.deepEqual(
      tables.map(({ name }) => name),
      ['thing'],
    );
    database.close();
  });
});

test('a newer schema is refused', async () => {
  await withDirectory(async (directory) => {
    openSqliteFile(spec(directory, [first, second])).close();
    assert.throws(() => openSqliteFile(spec(directory, [first])), {
      code: 'store-unavailable',
      message: /schema 2, this one knows up to 1/,
    });
  });
});

test('who reads a file that another thread writes sees what is committed, writes nothing, and takes no other file', async () => {
  await withDirectory(async (directory) => {
    const [before, now] = [spec(directory, [first]), spec(directory, [first, second])];
    assert.throws(() => openSqliteReader(now), /unable to open database file/);
    const writer = openSqliteFile(before);
    assert.throws(() => openSqliteReader(now), {
      code: 'store-unavailable',
      message: /expected application 12345 at schema 2, found application 12345 at schema 1$/,
    });
    assert.throws(() => openSqliteReader({ ...before, applicationId: 1 }), /expected application 1 at schema 1/);
    const reader = openSqliteReader(before);
    const namesIn = (): unknown[] =>
      reader
        .prepare('SELECT name FROM thing')
        .all()
        .map(({ name }) => name);
    writer.exec("INSERT INTO thing VALUES ('a')");
    writer.exec("BEGIN; INSERT INTO thing VALUES ('b')");
    assert.deepEqual(namesIn(), ['a']);
    assert.throws(() => reader.exec("INSERT INTO thing VALUES ('c')"), /readonly/);
    writer.exec('COMMIT');
    assert.deepEqual(namesIn(), ['a', 'b']);
    for (const database of [reader, writer]) database.close();
  });
});

test('every commit of a decision is on the disk before it is told', async () => {
  await withDirectory(async (directory) => {
    const database = openSqliteFile(spec(directory, [first]));
    const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    assert.deepEqual([pragma('journal_mode'), pragma('synchronous'), pragma('fullfsync')], ['wal', 2, 1]);
    database.close();
  });
});

test('a new file, and the journals beside it, are for their owner only', async () => {
  await withDirectory(async (directory) => {
    const database = openSqliteFile(spec(directory, [first]));
    database.exec("INSERT INTO thing VALUES ('a')");
    for (const end of ['', '-wal', '-shm']) {
      const { mode } = statSync(`${join(directory, 'file.db')}${end}`);
      assert.equal(mode & 0o777, 0o600, `file.db${end}`);
    }
    database.close();
  });
});
