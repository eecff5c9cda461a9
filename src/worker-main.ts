// The edge of a worker's process: the channel to the control process, signals and exit codes. What a worker does is elsewhere.
import type { Socket } from 'node:net';
import type { FromWorker, ToWorker, WorkerSettings } from './workers/messages.ts';
import { Worker } from './workers/worker.ts';

const settings = JSON.parse(process.argv[2]!) as WorkerSettings;
process.title = `graygate worker ${settings.index}`;

let isCrashing = false;

const worker = new Worker(settings, (message: FromWorker, taken?: () => void) => {
  if (process.connected) process.send!(message, undefined, {}, () => taken?.());
  else taken?.();
});

// A signal to the whole group is for the control process, which drains its workers.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('uncaughtException', (error) => void crash(error));
process.on('message', (message: ToWorker, socket?: Socket) => {
  worker.hear(message, socket).then(() => (message.kind === 'drain' ? process.exit(0) : undefined), crash);
});
// The control process is gone: what is under way ends, and nothing else can come. It may have gone while this one was loading.
process.on('disconnect', desert);
if (!process.connected) desert();

function desert(): void {
  worker.drain().then(() => process.exit(0), crash);
}

/** Says why while there is time, and ends. */
async function crash(error: unknown): Promise<void> {
  if (isCrashing) process.exit(1);
  isCrashing = true;
  try {
    await worker.crash(error);
  } finally {
    process.exit(1);
  }
}
