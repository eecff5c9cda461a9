// Opens a store in a directory that may not be written, first refused and then allowed, as a user who is not root.
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { statusThat } from './places.ts';

const closed = process.argv[2] ?? '';
const nobody = 65_534;

mkdirSync(closed, { mode: 0o500 });
if (process.getuid?.() === 0) {
  chownSync(closed, nobody, nobody);
  chmodSync(dirname(closed), 0o711);
  process.setgid?.(nobody);
  process.setuid?.(nobody);
}
const store = openSqliteStore({ path: join(closed, 'graygate.db') });
const refused = await store.states.loadAll().then(
  () => 'nothing',
  (error: unknown) => (error as { code?: string }).code,
);
chmodSync(closed, 0o700);
await statusThat(store, (status) => status.ok);
const healed = (await store.states.loadAll()).length === 0;
await store.close();
process.send?.({ refused, healed });
process.disconnect?.();
