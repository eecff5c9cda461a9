// A process whose file of experiments may not grow for a while: batches are refused, are sent again, and are taken when there is room.
// Prints as JSON what it sent, how it was refused, and what the figures say.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { GraygateError } from '../../src/errors.ts';
import type { ExperimentEntry } from '../../src/rollout/experiment/entries.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { batchOf, exposureEntry, purchaseEntry, revenueOf, splitEntry } from './experiment-entries.ts';
import { untilExperimentsAreWell } from './places.ts';
import { T0 } from './samples.ts';

const store = openSqliteStore({ path: process.argv[2]!, backOff: { firstMs: 10, maxMs: 50 } });
const { experiments } = store;
await experiments.apply(batchOf(T0, [splitEntry(T0)]));
let number = 0;
const refusals: { readonly code: string; readonly message: string }[] = [];
// An attempt to open the file anew may make room for a batch or two.
while (refusals.length < 6) {
  const refusal = await send(number);
  if (refusal === null) number += 1;
  else refusals.push(refusal);
}
await promisify(execFile)('prlimit', ['--pid', String(process.pid), '--fsize=unlimited']);
await untilExperimentsAreWell(store);
const taken: (string | null)[] = [];
for (let again = Math.max(0, number - 2); again < number + 3; again += 1) taken.push((await send(again))?.code ?? null);
const figures = (await experiments.figures({ rollout: 'shop', release: null, nowMs: T0 }))!;
await store.close();
const { phases, events } = figures;
const found = { exposed: phases[0]?.exposed, events, revenue: revenueOf(figures) };
process.stdout.write(JSON.stringify({ batchCount: number + 3, refusals, taken, found }));

/** Null when it was taken. */
async function send(batch: number) {
  try {
    await experiments.apply(batchOf(T0, entriesOf(batch)));
    return null;
  } catch (error) {
    if (error instanceof GraygateError) return { code: error.code, message: error.message };
    throw error;
  }
}

/** Two hundred new users who buy, and one who buys in each batch. */
function entriesOf(batch: number): ExperimentEntry[] {
  const users = Array.from({ length: 200 }, (_, i) => `u-${batch}-${i}`);
  return [
    ...users.map((user) => exposureEntry(user, T0)),
    ...users.map((user) => purchaseEntry(`e-${user}`, user, T0)),
    exposureEntry('regular', T0, { version: 'stable' }),
    purchaseEntry(`r-${batch}`, 'regular', T0),
  ];
}
