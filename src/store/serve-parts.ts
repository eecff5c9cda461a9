// One of the store's threads: answers one message after the other on the files that it owns, so that no one else ever blocks on a disk.

import { parentPort } from 'node:worker_threads';
import { describeFailure } from './sqlite-failure.ts';
import type { WorkerPart } from './worker-part.ts';
import type { PartName, WorkerReply, WorkerRequest } from './worker-verbs.ts';

export type AnyVerbs = Readonly<Record<string, (input: never) => unknown>>;

/** One that only reads holds nothing open, and has nothing to probe or to close. */
type ServedPart = Pick<WorkerPart<AnyVerbs>, 'run'> & Partial<WorkerPart<AnyVerbs>>;
type Parts = Readonly<Partial<Record<PartName, ServedPart>>>;

/** Serves the parts until the thread is told to close; `path` stands for the store in failures. */
export function serveParts(parts: Parts, path: string): void {
  parentPort?.on('message', (request: WorkerRequest) => {
    const reply: WorkerReply = { id: request.id, result: answer(parts, path, request) };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
    parentPort?.postMessage(reply);
    if (request.verb === 'close') parentPort?.close();
  });
}

function answer(parts: Parts, path: string, { part, verb, input }: WorkerRequest): WorkerReply['result'] {
  try {
    if (verb === 'close') return { ok: true, output: closeAll(parts) };
    const asked = parts[part]!;
    if (verb === 'probe') return { ok: true, output: asked.probe?.() };
    return { ok: true, output: asked.run((verbs) => verbs[verb]!(input as never)) };
  } catch (error) {
    return { ok: false, failure: describeFailure(error, path) };
  }
}

function closeAll(parts: Parts): void {
  for (const part of Object.values(parts)) part.close?.();
}
