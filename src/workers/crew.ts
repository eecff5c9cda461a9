// Keeps as many workers as the policy asks for: starts them, and starts again those that die or hang, ever more slowly where they die at
// once.
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { GraygateError } from '../errors.ts';
import type { Report } from './messages.ts';
import type { Ending } from './process-end.ts';
import { watchOver } from './watchdog.ts';
import { type PolicyForAll, WorkerLink } from './worker-link.ts';

/** A worker that has not begun to serve by then never will. */
const readyWithinMs = 30_000;
/** One that served for so long died of something new. */
const steadyAfterMs = 10_000;
const firstDelayMs = 250;
const longestDelayMs = 30_000;
/** Beyond the time to drain: a worker that is still there then is ended. */
const graceMs = 5_000;

export type CrewParts = {
  readonly workerCount: number;
  readonly logger: Logger;
  /** The policy that a worker begins with. */
  policy(): PolicyForAll;
  readonly listener: CrewListener;
};

/** What is done about what a worker says. */
export type CrewListener = {
  serves(this: void, link: WorkerLink): void;
  reported(this: void, link: WorkerLink, report: Report): void;
  hasRoom(this: void, link: WorkerLink): void;
  /** `untaken`: connections that it never began to serve. */
  gone(this: void, link: WorkerLink, untaken: readonly Socket[]): void;
  restarted(this: void, index: number): void;
};

/** One of so many places; who fills it may change. */
type Seat = { link: WorkerLink | null; startedMs: number; shortLives: number; timer: NodeJS.Timeout | undefined };

export class Crew {
  readonly #parts: CrewParts;
  readonly #seats: Seat[];
  #isEnding = false;
  #stopWatching: () => void = () => undefined;
  readonly #waiting = new Set<() => void>();

  constructor(parts: CrewParts) {
    this.#parts = parts;
    this.#seats = Array.from({ length: parts.workerCount }, () => ({
      link: null,
      startedMs: 0,
      shortLives: 0,
      timer: undefined,
    }));
  }

  /** The workers that run. */
  get links(): readonly WorkerLink[] {
    return this.#seats.flatMap(({ link }) => link ?? []);
  }

  /** The numbers of the workers that do not serve now. */
  get missing(): readonly number[] {
    return this.#seats.flatMap(({ link }, seat) => (link === null || link.servedSerial === 0 ? [seat + 1] : []));
  }

  /** The numbers of the workers that serve and do not answer. */
  get late(): readonly number[] {
    return this.links.filter(({ pulse }) => pulse !== 'well').map(({ index }) => index);
  }

  /** Starts all; resolves when they serve. Rejects with `worker-failed` when one dies or takes too long; the others are ended. */
  async start(): Promise<void> {
    const deadline = Date.now() + readyWithinMs;
    for (const seat of this.#seats.keys()) this.#fill(seat);
    while (this.missing.length > 0) {
      await this.#change(deadline - Date.now());
      const failed = this.#seats.findIndex(({ link }) => link === null) + 1;
      const isLate = Date.now() >= deadline;
      if (failed === 0 && !isLate) continue;
      await this.end(0);
      const index = failed > 0 ? failed : this.missing[0]!;
      const what = failed > 0 ? 'it ended' : `it was not ready within ${readyWithinMs / 1_000} s`;
      throw new GraygateError('worker-failed', `expected worker ${index} to begin to serve; ${what}`);
    }
    this.#stopWatching = watchOver(() => this.links, this.#parts.logger);
  }

  /** Resolves when every worker that runs serves a policy at least as new as this one. */
  async serve(serial: number): Promise<void> {
    while (!this.#isEnding && this.links.some(({ servedSerial }) => servedSerial < serial)) await this.#change();
  }

  /** Resolves when all that the workers had to say by now is heard, or after the time: one that hangs holds nobody up. */
  async handOver(withinMs: number): Promise<void> {
    const present = this.links.filter(({ servedSerial, pulse }) => servedSerial > 0 && pulse === 'well');
    const all = Promise.all(present.map((link) => link.handOver()));
    await Promise.race([all, delay(withinMs, undefined, { ref: false })]);
  }

  /** Drains all; resolves when they are gone. */
  async end(drainMs: number): Promise<void> {
    this.#isEnding = true;
    for (const { timer } of this.#seats) clearTimeout(timer);
    for (const link of this.links) link.tell({ kind: 'drain', drainMs });
    const deadline = setTimeout(() => {
      for (const link of this.links) link.kill();
    }, drainMs + graceMs);
    while (this.links.length > 0) await this.#change();
    clearTimeout(deadline);
    this.#stopWatching();
  }

  #fill(place: number): void {
    const seat = this.#seats[place]!;
    const { workerCount, logger } = this.#parts;
    const settings = { index: place + 1, workerCount, logLevel: logger.level };
    const { serves, reported, hasRoom, gone } = this.#parts.listener;
    const link: WorkerLink = new WorkerLink(settings, {
      reported: (report) => reported(link, report),
      hasRoom: () => hasRoom(link),
      answersAgain() {
        logger.info({ worker: link.index, workerPid: link.pid }, 'a worker answers again');
        hasRoom(link);
      },
      serves: (isFirst) => {
        if (isFirst) logger.info({ worker: link.index, workerPid: link.pid }, 'a worker serves');
        serves(link);
        this.#changed();
      },
      gone: (ending, untaken) => {
        seat.link = null;
        gone(link, untaken);
        this.#lost(place, ending);
        this.#changed();
      },
    });
    seat.link = link;
    seat.startedMs = performance.now();
    link.adopt(this.#parts.policy());
  }

  #lost(place: number, { code, signal }: Ending): void {
    if (this.#isEnding) return;
    const seat = this.#seats[place]!;
    const isSteady = performance.now() - seat.startedMs >= steadyAfterMs;
    seat.shortLives = isSteady ? 0 : seat.shortLives + 1;
    const delayMs = delayAfter(seat.shortLives);
    this.#parts.logger.error(
      { worker: place + 1, code, signal, delayMs },
      'a worker has ended; another one takes its place',
    );
    seat.timer = setTimeout(() => {
      this.#parts.listener.restarted(place + 1);
      this.#fill(place);
    }, delayMs);
  }

  /** Resolves with the next worker that begins to serve or ends, or after the time. */
  #change(withinMs?: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      if (withinMs !== undefined) setTimeout(resolve, Math.max(0, withinMs)).unref();
    });
  }

  #changed(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}

/** At once the first time; then 250 ms, twice as long each time, at most half a minute. */
export function delayAfter(shortLives: number): number {
  return shortLives <= 1 ? 0 : Math.min(longestDelayMs, firstDelayMs * 2 ** (shortLives - 2));
}
