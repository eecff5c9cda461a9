// The main thread's end of the store's thread: a bounded number of questions, each answered, refused or given up in time.
// Never blocks and never retries: whoever asks decides.

import { Worker } from 'node:worker_threads';
import type { StoreFailure } from './sqlite-failure.ts';
import type { WorkerReply, WorkerRequest, WorkerSettings } from './worker-verbs.ts';

/** `refused`: nothing was changed. `unanswered`: nobody knows. */
export type WorkerAnswer =
  | { readonly kind: 'done'; readonly output: unknown }
  | { readonly kind: 'refused' | 'unanswered'; readonly failure: StoreFailure };

export type WorkerLinkOptions = {
  readonly url: URL;
  readonly settings: WorkerSettings;
  /** Questions that may wait at once; more are refused. */
  readonly maxWaitingCount: number;
  readonly answerWithinMs: number;
};

type Question = Omit<WorkerRequest, 'id'>;
type Settle = (answer: WorkerAnswer) => void;

/** The way to a thread that does not run until `start`. */
export class WorkerLink {
  readonly #options: WorkerLinkOptions;
  readonly #waiting = new Map<number, Settle>();
  #worker: Worker | null = null;
  #lastId = 0;
  #isClosed = false;
  /** Why no thread runs. */
  #ending = 'the store has not been opened';

  constructor(options: WorkerLinkOptions) {
    this.#options = options;
  }

  /** Starts the thread if none runs. */
  start(): void {
    if (this.#worker !== null || this.#isClosed) return;
    const waiting = this.#waiting;
    this.#worker = startThread(this.#options)
      .on('message', ({ id, result }: WorkerReply) => {
        waiting.get(id)?.(result.ok ? { kind: 'done', output: result.output } : { kind: 'refused', ...result });
        waiting.delete(id);
      })
      .on('error', (error) => {
        this.#ending = `the store's thread failed: ${error instanceof Error ? error.message : String(error)}`;
      })
      .on('exit', () => {
        this.#worker = null;
        for (const settle of waiting.values()) settle(unanswered(this.#ending));
        waiting.clear();
      });
  }

  async ask(question: Question): Promise<WorkerAnswer> {
    const { maxWaitingCount } = this.#options;
    if (this.#isClosed) return refused('the store is closed');
    if (this.#worker === null) return refused(this.#ending);
    if (this.#waiting.size >= maxWaitingCount) {
      return refused(`the store is too slow: ${maxWaitingCount} questions wait already`);
    }
    return this.#send(this.#worker, question);
  }

  /** Lets the thread close its files, then ends it; a thread that hangs is left behind after the time for an answer. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#worker === null) return;
    const closing = this.#worker;
    const answer = await this.#send(closing, { part: 'decisions', verb: 'close', input: null });
    const ended = closing.terminate();
    if (answer.kind === 'done') await ended;
  }

  async #send(to: Worker, question: Question): Promise<WorkerAnswer> {
    const { answerWithinMs } = this.#options;
    const { promise, resolve } = Promise.withResolvers<WorkerAnswer>();
    const id = (this.#lastId += 1);
    this.#waiting.set(id, resolve);
    const late = `the store did not answer within ${answerWithinMs} ms; what was asked may still be done`;
    const timer = setTimeout(() => resolve(unanswered(late)), answerWithinMs);
    const request: WorkerRequest = { id, ...question };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
    to.postMessage(request);
    const answer = await promise;
    clearTimeout(timer);
    return answer;
  }
}

function startThread({ url, settings }: WorkerLinkOptions): Worker {
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
