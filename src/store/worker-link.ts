// The main thread's end of the store's thread: a bounded number of questions, each answered, refused or given up in time.
// Never blocks and never retries: whoever asks decides.

import { Worker } from 'node:worker_threads';
import type { StoreFailure } from './sqlite-failure.ts';
import type { WorkerReply, WorkerRequest, WorkerSettings } from './worker-verbs.ts';

/** `refused`: nothing was changed. `unanswered`: nobody knows. */
export type WorkerAnswer =
  | { readonly kind: 'done'; readonly output: unknown }
  | { readonly kind: 'refused' | 'unanswered'; readonly failure: StoreFailure };

export type WorkerLink = {
  /** Starts the thread if none runs. */
  start(): void;
  ask(question: Omit<WorkerRequest, 'id'>): Promise<WorkerAnswer>;
  /** Lets the thread close its files, then ends it; a thread that hangs is left behind after the time for an answer. */
  close(): Promise<void>;
};

export type WorkerLinkOptions = {
  readonly url: URL;
  readonly settings: WorkerSettings;
  /** Questions that may wait at once; more are refused. */
  readonly maxWaitingCount: number;
  readonly answerWithinMs: number;
};

type Settle = (answer: WorkerAnswer) => void;

/** A link whose thread does not run until `start`. */
export function createWorkerLink({ url, settings, maxWaitingCount, answerWithinMs }: WorkerLinkOptions): WorkerLink {
  const waiting = new Map<number, Settle>();
  let worker: Worker | null = null;
  let lastId = 0;
  let isClosed = false;
  let ending = 'the store has not been opened';

  function start(): void {
    if (worker !== null || isClosed) return;
    const started = startThread(url, settings);
    worker = started;
    started.on('message', ({ id, result }: WorkerReply) => {
      waiting.get(id)?.(result.ok ? { kind: 'done', output: result.output } : { kind: 'refused', ...result });
      waiting.delete(id);
    });
    started.on('error', (error) => {
      ending = `the store's thread failed: ${error instanceof Error ? error.message : String(error)}`;
    });
    started.on('exit', () => {
      worker = null;
      for (const settle of waiting.values()) settle(unanswered(ending));
      waiting.clear();
    });
  }

  async function send(to: Worker, question: Omit<WorkerRequest, 'id'>): Promise<WorkerAnswer> {
    const { promise, resolve } = Promise.withResolvers<WorkerAnswer>();
    const id = (lastId += 1);
    waiting.set(id, resolve);
    const late = `the store did not answer within ${answerWithinMs} ms; what was asked may still be done`;
    const timer = setTimeout(() => resolve(unanswered(late)), answerWithinMs);
    const request: WorkerRequest = { id, ...question };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
    to.postMessage(request);
    const answer = await promise;
    clearTimeout(timer);
    return answer;
  }

  return {
    start,
    async ask(question) {
      if (isClosed) return refused('the store is closed');
      if (worker === null) return refused(ending);
      if (waiting.size >= maxWaitingCount) {
        return refused(`the store is too slow: ${maxWaitingCount} questions wait already`);
      }
      return send(worker, question);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      if (worker === null) return;
      const closing = worker;
      const answer = await send(closing, { part: 'decisions', verb: 'close', input: null });
      const ended = closing.terminate();
      if (answer.kind === 'done') await ended;
    },
  };
}

function startThread(url: URL, settings: WorkerSettings): Worker {
  return new Worker(url, {
    name: 'graygate store',
    workerData: settings,
    // The first releases of Node 24 warn that node:sqlite is experimental; nothing else in this thread is.
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
}

function refused(message: string): WorkerAnswer {
  return { kind: 'refused', failure: { code: 'store-unavailable', message } };
}

function unanswered(message: string): WorkerAnswer {
  return { kind: 'unanswered', failure: { code: 'store-unavailable', message } };
}
