// The embedded store in a process that is killed at any moment: what was announced is there, and nothing is half there.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { withDirectory } from './places.ts';

/** Two files at a time, each outliving this many killed processes. */
const KILLS_PER_FILE = 100;
/** Every so often a file begins anew, so that its making is cut short too. */
const KILLS_UNTIL_NEW_FILE = 20;

test('200 processes killed at random moments leave every announced state whole, with its audit and alerts', async (t) => {
  await withDirectory(async (directory) => {
    const runs = await Promise.all(['a', 'b'].map(async (name) => killAgainAndAgain(join(directory, name))));
    const saved = runs.flat();
    t.diagnostic(
      `${saved.length} kills; ${saved.filter(({ wasAhead }) => wasAhead).length} between a save and its announcement`,
    );
    assert.equal(saved.length, 2 * KILLS_PER_FILE);
    assert.ok(
      saved.some(({ revision }) => revision > 50),
      'the processes lived long enough to save',
    );
  });
});

type Killed = { readonly revision: number; readonly wasAhead: boolean };

async function killAgainAndAgain(directory: string): Promise<Killed[]> {
  const all: Killed[] = [];
  await mkdir(directory);
  let before = 0;
  for (let kill = 0; kill < KILLS_PER_FILE; kill += 1) {
    const isNewFile = kill % KILLS_UNTIL_NEW_FILE === 0;
    if (isNewFile) before = 0;
    const path = join(directory, `${Math.floor(kill / KILLS_UNTIL_NEW_FILE)}.db`);
    const announced = (await announcedUntilKilled(path, isNewFile || kill % 4 === 0)) ?? before;
    const revision = soundRevision(path);
    assert.ok(revision >= announced, `kill ${kill}: announced ${announced}, found ${revision}`);
    assert.ok(
      revision <= announced + 1,
      `kill ${kill}: announced ${announced}, found ${revision} that nobody asked for`,
    );
    all.push({ revision, wasAhead: revision > announced });
    before = revision;
  }
  return all;
}

/** The last revision that the process announced or found; null when it was killed before. `isEarly`: while it opens the file. */
async function announcedUntilKilled(path: string, isEarly: boolean): Promise<number | null> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'crash-child.ts'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  const lived = Promise.withResolvers<void>();
  // Lines and not time, so that it saves as often on a slow disk.
  const lineCount = 1 + Math.random() * 20;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.split('\n').length > lineCount) lived.resolve();
  });
  const closed = once(child, 'close');
  if (isEarly) await sleep(40 + Math.random() * 80);
  else {
    await Promise.race([lived.promise, closed]);
    await sleep(Math.random() * 10);
  }
  child.kill('SIGKILL');
  await closed;
  assert.equal(child.signalCode, 'SIGKILL', 'it was killed, and did not fail by itself');
  const line = said.split('\n').at(-2);
  return line === undefined ? null : Number(line.split(' ')[1]);
}

/** The revision in the file, after everything in it was found whole. Reads only, so that the next process has to recover. */
function soundRevision(path: string): number {
  const counted = readWhole(`${path}.history`, `SELECT sum(figures ->> '$.sums.requests') AS count FROM figure`);
  const found = readWhole(
    path,
    `SELECT revision, json ->> '$.number' AS number,
       (SELECT count(*) FROM audit) AS entries,
       (SELECT count(*) FROM audit WHERE revision = id AND json = CAST(id AS TEXT)) AS rightEntries,
       (SELECT count(*) FROM outbox) AS alerts
     FROM rollout_state`,
  );
  const revision = Number(found?.['revision'] ?? 0);
  if (found !== undefined) {
    assert.deepEqual(
      { ...found },
      { revision, number: revision, entries: revision, rightEntries: revision, alerts: revision },
    );
  }
  assert.ok(Number(counted?.['count'] ?? 0) <= revision, 'no figure is counted twice');
  return revision;
}

/** One row of a file; undefined where there is no file yet, or nothing in it. */
function readWhole(path: string, query: string): Record<string, unknown> | undefined {
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(path, { readOnly: true });
  } catch {
    return undefined;
  }
  try {
    assert.equal(database.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
    if (database.prepare('PRAGMA user_version').get()?.['user_version'] === 0) return undefined;
    return database.prepare(query).get();
  } finally {
    database.close();
  }
}
