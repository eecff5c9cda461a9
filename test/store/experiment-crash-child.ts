// A process to be killed: applies batch after batch from the number it is told, each of them twice, and prints what is safe.

import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { batchOf, splitEntry } from './experiment-entries.ts';
import { crashEntries } from './experiment-crash-entries.ts';
import { T0 } from './samples.ts';
import { say } from './say.ts';

const [path, from, to] = [process.argv[2]!, Number(process.argv[3]), Number(process.argv[4])];
const store = openSqliteStore({ path });
const { experiments } = store;
await experiments.apply(batchOf(T0, [splitEntry(T0)]));
say('opened');
for (let number = from; number < to; number += 1) {
  const batch = batchOf(T0 + number, crashEntries(number));
  await experiments.apply(batch);
  say(`announced ${number + 1}`);
  await experiments.apply(batch);
  if (number % 10 === 0) await experiments.tend({ nowMs: T0 + number + 90_000 * number });
}
await store.close();
