// The file of the experiments, as the threads open it.

import { experimentMigrations } from './migrations.ts';
import type { SqliteFileSpec } from './sqlite-file.ts';
import type { WorkerSettings } from './worker-verbs.ts';

/** What it is opened as. */
export function experimentFile({ path, busyTimeoutMs }: WorkerSettings): SqliteFileSpec {
  return {
    path,
    applicationId: 0x67726733,
    migrations: experimentMigrations,
    synchronous: 'FULL',
    busyTimeoutMs,
    checkWhole: false,
    pageBytes: 1_024,
    cacheBytes: 64 * 1_048_576,
    checkpointPageCount: 32_768,
  };
}
