// The store's thread: owns the files of decisions and of figures.

import { workerData } from 'node:worker_threads';
import { historyTable } from './history-table.ts';
import { decisionMigrations, historyMigrations } from './migrations.ts';
import { type AnyVerbs, serveParts } from './serve-parts.ts';
import { WorkerPart } from './worker-part.ts';
import { decisionVerbs, type WorkerSettings } from './worker-verbs.ts';

const settings: WorkerSettings = workerData;

const parts = {
  decisions: new WorkerPart<AnyVerbs>(
    {
      path: settings.path,
      applicationId: 0x67726731,
      migrations: decisionMigrations,
      synchronous: 'FULL',
      busyTimeoutMs: settings.busyTimeoutMs,
      checkWhole: true,
    },
    decisionVerbs,
  ),
  history: new WorkerPart<AnyVerbs>(
    {
      path: `${settings.path}.history`,
      applicationId: 0x67726732,
      migrations: historyMigrations,
      synchronous: 'NORMAL',
      // Figures may be late; a state to be saved must not wait for them.
      busyTimeoutMs: Math.min(settings.busyTimeoutMs, 100),
      checkWhole: false,
    },
    historyTable,
  ),
};

serveParts(parts, settings.path);
