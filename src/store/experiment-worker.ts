// The thread of the experiments: owns their file, so that events by the thousand delay neither decisions nor figures.

import { workerData } from 'node:worker_threads';
import { experimentVerbs } from './experiment-verbs.ts';
import { experimentMigrations } from './migrations.ts';
import { type AnyVerbs, serveParts } from './serve-parts.ts';
import { WorkerPart } from './worker-part.ts';
import type { WorkerSettings } from './worker-verbs.ts';

const { path, busyTimeoutMs }: WorkerSettings = workerData;

serveParts(
  {
    experiments: new WorkerPart<AnyVerbs>(
      {
        path,
        applicationId: 0x67726733,
        migrations: experimentMigrations,
        synchronous: 'FULL',
        busyTimeoutMs,
        checkWhole: false,
        pageBytes: 1_024,
        cacheBytes: 64 * 1_048_576,
        checkpointPageCount: 32_768,
      },
      experimentVerbs,
    ),
  },
  path,
);
