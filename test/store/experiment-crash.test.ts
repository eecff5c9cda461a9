// Events whose sender repeats what was not acknowledged, to processes that are killed at any moment: each counts once.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { revenueOf } from './experiment-entries.ts';
import { eventsInBatch } from './experiment-crash-entries.ts';
import { withDirectory } from './places.ts';
import { T0 } from './samples.ts';

const KILL_COUNT = 40;

test('40 processes killed between events leave ids, records, sums and totals of one mind, and count every event once', async (t) => {
  await withDirectory(async (directory) => {
    const path = join(directory, 'graygate.db');
    let announced = 0;
    let aheadCount = 0;
    for (let kill = 0; kill < KILL_COUNT; kill += 1) {
      announced = (await announcedUntilKilled(path, announced, kill % 2 === 0 ? 'opened' : 'announced')) ?? announced;
      const counted = countedBatches(path);
      assert.ok(counted === announced || counted === announced + 1, `announced ${announced}, found ${counted}`);
      if (counted > announced) aheadCount += 1;
    }
    const last = announced + 5;
    assert.deepEqual(await finish(path, announced, last), [0, null]);
    assert.equal(countedBatches(path), last);
    t.diagnostic(`${announced} batches announced; ${aheadCount} kills between a batch and its announcement`);
    assert.ok(announced >= KILL_COUNT / 2, 'the processes lived long enough');
    await expectFigures(path, last);
  });
});

/** Kills a while after the process said a word for the first time. */
async function announcedUntilKilled(path: string, from: number, word: 'opened' | 'announced'): Promise<number | null> {
  const child = start(path, from, 1_000_000);
  let said = '';
  const begun = Promise.withResolvers<void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.includes(word)) begun.resolve();
  });
  const closed = once(child, 'close');
  await Promise.race([begun.promise, closed]);
  await sleep(Math.random() * 60);
  child.kill('SIGKILL');
  await closed;
  assert.equal(child.signalCode, 'SIGKILL', 'it was killed, and did not fail by itself');
  const line = said.split('\n').findLast((one) => one.startsWith('announced'));
  return line === undefined ? null : Number(line.split(' ')[1]);
}

async function finish(path: string, from: number, to: number): Promise<unknown[]> {
  const child = start(path, from, to);
  child.stdout.resume();
  return once(child, 'close');
}

function start(path: string, from: number, to: number) {
  const program = join(import.meta.dirname, 'experiment-crash-child.ts');
  return spawn(process.execPath, [program, path, String(from), String(to)], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** How many batches are in the file, after everything in it was found to agree. Reads only, so that the next process has to recover. */
function countedBatches(path: string): number {
  const database = new DatabaseSync(`${path}.experiments`, { readOnly: true });
  try {
    assert.equal(database.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
    const numberOf = (query: string): number => Number(Object.values(database.prepare(query).get()!)[0] ?? 0);
    const events = numberOf('SELECT sum(count) FROM event_total');
    const tables = database.prepare(`SELECT name FROM sqlite_schema WHERE name GLOB 'seen_*'`).all();
    const ids = tables.reduce((sum, { name }) => sum + numberOf(`SELECT count(*) FROM ${String(name)}`), 0);
    const users = numberOf('SELECT count(*) FROM user_record');
    assert.equal(ids, events + 1, 'those of the events and of the change of the split');
    assert.equal(numberOf('SELECT sum(value_sum) FROM event_total'), events * 10);
    assert.equal(events, users * eventsInBatch, 'a batch is there as a whole or not at all');
    return users;
  } finally {
    database.close();
  }
}

async function expectFigures(path: string, batches: number): Promise<void> {
  const store = openSqliteStore({ path });
  const figures = (await store.experiments.figures({ rollout: 'shop', release: null, nowMs: T0 }))!;
  await store.close();
  const canaries = Math.ceil(batches / 2);
  assert.deepEqual(figures.phases[0]?.exposed, [batches - canaries, canaries]);
  assert.deepEqual(figures.events, [
    { event: 'purchase', count: batches * eventsInBatch, valueSum: batches * eventsInBatch * 10 },
  ]);
  assert.equal(
    revenueOf(figures).reduce((sum, each) => sum + each),
    batches * eventsInBatch * 10,
  );
}
