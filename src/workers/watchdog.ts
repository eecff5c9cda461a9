// Finds workers that hang without dying. Time is counted in rounds without an answer, not by the clock: a control process that stalls, or a
// machine that was suspended, has made no rounds and so holds nothing against a worker.
import type { Logger } from 'pino';

const roundMs = 500;
/** 2 s: no new connections until it answers. */
const lateAfterRounds = 4;
/** 15 s: it is replaced. A busy worker answers between two requests; building a large policy takes a second or two. */
const lostAfterRounds = 30;
/** A worker that has not begun to serve by then (2 min) never will; to kill one that is only slow would begin it all over again. */
const beginsWithinRounds = 240;

/** `late`: may come back. `lost`: is to be killed. */
export type PulseState = 'well' | 'late' | 'lost';

/** What one worker's answers say of it. */
export class Pulse {
  #hasBegun = false;
  #isAsked = false;
  #silentRounds = 0;

  get state(): PulseState {
    if (!this.#hasBegun) return this.#silentRounds < beginsWithinRounds ? 'well' : 'lost';
    if (this.#silentRounds < lateAfterRounds) return 'well';
    return this.#silentRounds < lostAfterRounds ? 'late' : 'lost';
  }

  /** It serves: from now on it has to answer. */
  begun(): void {
    this.#hasBegun = true;
    this.heard();
  }

  /** It has said something, whatever it was. */
  heard(): void {
    if (!this.#hasBegun) return;
    this.#isAsked = false;
    this.#silentRounds = 0;
  }

  /** A round begins. Returns whether to ask: once until it answers, so that nothing piles up on the way to a worker that hangs. */
  nextRound(): boolean {
    const wasAsked = this.#isAsked;
    if (wasAsked) this.#silentRounds += 1;
    this.#isAsked = true;
    return !wasAsked;
  }
}

/** A worker that is watched. */
export type Watched = {
  readonly index: number;
  readonly pid: number | undefined;
  readonly pulse: PulseState;
  /** One more round: asks whether the worker is there, unless it still owes an answer. */
  ask(): void;
  kill(): void;
};

/** Watches over the workers that there are at each round; returns the way to stop that. */
export function watchOver(workers: () => readonly Watched[], logger: Logger): () => void {
  const timer = setInterval(() => {
    for (const worker of workers()) watchRound(worker, logger);
  }, roundMs);
  return () => clearInterval(timer);
}

/** One round of one worker: says when it does not answer, and kills it when it has not for too long. */
export function watchRound(worker: Watched, logger: Pick<Logger, 'warn' | 'error'>): void {
  const before = worker.pulse;
  worker.ask();
  const { index, pid, pulse } = worker;
  if (pulse === before) return;
  const fields = { worker: index, workerPid: pid };
  if (pulse === 'late') logger.warn(fields, 'a worker does not answer; it gets no connections until it does');
  if (pulse !== 'lost') return;
  logger.error(fields, 'a worker hangs and is killed');
  worker.kill();
}
