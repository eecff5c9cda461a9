// A process to be killed: saves state after state with an audit entry and an alert each, figures in between, and prints what is safe.

import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { historySlice, stateChange, T0 } from './samples.ts';
import { say } from './say.ts';

const store = openSqliteStore({ path: process.argv[2]! });
const [saved] = await store.states.loadAll();
let revision = saved?.revision ?? 0;
say(`opened ${revision}`);
for (;;) {
  const next = revision + 1;
  await store.states.save(
    stateChange('shop', revision, {
      state: { format: 1, value: { number: next, evidence: 'x'.repeat(next % 5_000) } },
      entries: [{ format: 1, value: next }],
      alerts: [{ id: `alert ${next}`, queue: 'shop', alert: { format: 1, value: next } }],
    }),
  );
  revision = next;
  say(`announced ${revision}`);
  await store.history.append([historySlice(T0 + revision * 1_000, 1)]);
  if (revision % 20 === 0) await store.history.rollUp({ nowMs: T0 + revision * 1_000 + 3_700_000 });
}
