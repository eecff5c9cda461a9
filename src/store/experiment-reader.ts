// The thread that reads figures of experiments beside the one that writes, so that no report waits for a batch.

import { workerData } from 'node:worker_threads';
import { experimentFile } from './experiment-file.ts';
import { experimentReading } from './experiment-reading.ts';
import { ReadingPart } from './reading-part.ts';
import { type AnyVerbs, serveParts } from './serve-parts.ts';
import type { WorkerSettings } from './worker-verbs.ts';

const { path, busyTimeoutMs }: WorkerSettings = workerData;
/** Readers wait for nothing but a file that is being taken over; the thread that writes has the patience for that. */
const patienceMs = Math.min(busyTimeoutMs, 100);

serveParts(
  {
    experiments: new ReadingPart<AnyVerbs>(experimentFile({ path, busyTimeoutMs: patienceMs }), experimentReading),
  },
  path,
);
