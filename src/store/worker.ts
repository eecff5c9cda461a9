// The store's thread: owns both SQLite files and answers one message after the other, so that no one else ever blocks on a disk.

import { parentPort, workerData } from 'node:worker_threads';
import { historyTable } from './history-table.ts';
import { decisionMigrations, historyMigrations } from './migrations.ts';
import { describeFailure } from './sqlite-failure.ts';
import { createWorkerPart, type WorkerPart } from './worker-part.ts';
import { decisionVerbs, type WorkerReply, type WorkerRequest, type WorkerSettings } from './worker-verbs.ts';

type AnyVerbs = Readonly<Record<string, (input: never) => unknown>>;

const settings: WorkerSettings = workerData;

const parts: Readonly<Record<WorkerRequest['part'], WorkerPart<AnyVerbs>>> = {
  decisions: createWorkerPart<AnyVerbs>(
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
  history: createWorkerPart<AnyVerbs>(
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

parentPort?.on('message', (request: WorkerRequest) => {
  const reply: WorkerReply = { id: request.id, result: answer(request) };
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
  parentPort?.postMessage(reply);
  if (request.verb === 'close') parentPort?.close();
});

function answer({ part, verb, input }: WorkerRequest): WorkerReply['result'] {
  try {
    if (verb === 'close') return { ok: true, output: closeAll() };
    if (verb === 'probe') return { ok: true, output: parts[part].probe() };
    return { ok: true, output: parts[part].run((verbs) => verbs[verb]!(input as never)) };
  } catch (error) {
    return { ok: false, failure: describeFailure(error, settings.path) };
  }
}

function closeAll(): void {
  for (const part of Object.values(parts)) part.close();
}
