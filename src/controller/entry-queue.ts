// What users did, on its way to the store: gathered into one transaction after another, in the order in which it came. Whoever waits
// for an answer gets it when it is durable; traffic never waits, and loses what finds no more room.
import { GraygateError } from '../errors.ts';
import type { EventOutcome, ExperimentEntry } from '../rollout/experiment/entries.ts';

export type EntryQueueParts = {
  /** Writes entries in one transaction; an outcome for each event among them. */
  write(entries: readonly ExperimentEntry[]): Promise<readonly EventOutcome[]>;
  /** After each attempt: null, or why it failed. */
  wrote(failure: string | null): void;
};

type Group = {
  readonly entries: readonly ExperimentEntry[];
  /** Of whoever waits for the outcomes; null: nobody does. */
  readonly waiter: { resolve(outcomes: readonly EventOutcome[]): void; reject(error: unknown): void } | null;
};

const gatherMs = 100;
const retryMs = 1_000;
const batchCount = 4_000;
/** Entries of traffic that wait at most, some 20 MB; and as many again that somebody waits for. */
const roomCount = 50_000;

export class EntryQueue {
  readonly #parts: EntryQueueParts;
  #groups: Group[] = [];
  #trafficCount = 0;
  #awaitedCount = 0;
  #droppedCount = 0;
  #timer: NodeJS.Timeout | null = null;
  #draining: Promise<void> | null = null;

  constructor(parts: EntryQueueParts) {
    this.#parts = parts;
  }

  /** Nobody waits for it. `mayDrop` false: it is written however many wait. */
  add(entry: ExperimentEntry, mayDrop = true): void {
    if (mayDrop && this.#trafficCount >= roomCount) {
      this.#droppedCount += 1;
      return;
    }
    this.#trafficCount += 1;
    this.#groups.push({ entries: [entry], waiter: null });
    this.#timer ??= setTimeout(() => void this.flush(), gatherMs).unref();
  }

  /** Resolves with the outcomes of the events once they are durable. Rejects with `events-overload` when too many wait already. */
  async write(entries: readonly ExperimentEntry[]): Promise<readonly EventOutcome[]> {
    if (this.#awaitedCount + entries.length > roomCount) {
      throw new GraygateError('events-overload', `${this.#awaitedCount} events wait to be stored already`);
    }
    this.#awaitedCount += entries.length;
    const { promise, resolve, reject } = Promise.withResolvers<readonly EventOutcome[]>();
    this.#groups.push({ entries, waiter: { resolve, reject } });
    void this.flush();
    return promise;
  }

  /** Writes what waits, and what comes meanwhile, as far as it can be written now. */
  async flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = null;
    });
    await this.#draining;
  }

  get waitingCount(): number {
    return this.#trafficCount + this.#awaitedCount;
  }

  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** Lets go of what is still waiting. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const left = this.#take(Infinity);
    this.#failed(left, new GraygateError('store-unavailable', 'graygate is stopping'), false);
  }

  async #drain(): Promise<void> {
    // One turn of the loop, so that requests that came together are written together.
    await Promise.resolve();
    while (this.#groups.length > 0) {
      const groups = this.#take(batchCount);
      try {
        this.#answered(groups, await this.#parts.write(groups.flatMap(({ entries }) => entries)));
        this.#parts.wrote(null);
      } catch (error) {
        this.#parts.wrote(error instanceof Error ? error.message : String(error));
        // What the store is at odds with would come back for ever.
        if (!(error instanceof GraygateError) || error.code === 'internal') this.#failed(groups, error, false);
        else return this.#waitForStore(groups, error);
      }
    }
  }

  /** Whoever waits hears of it at once; traffic stays for the next attempt. */
  #waitForStore(groups: readonly Group[], error: GraygateError): void {
    this.#failed([...groups, ...this.#take(Infinity)], error, true);
    if (this.#groups.length > 0) this.#timer ??= setTimeout(() => void this.flush(), retryMs).unref();
  }

  /** Whole groups, so many entries or the first group. */
  #take(mostCount: number): Group[] {
    let count = 0;
    const end = this.#groups.findIndex(({ entries }, i) => (count += entries.length) > mostCount && i > 0);
    return this.#groups.splice(0, end < 0 ? this.#groups.length : end);
  }

  #answered(groups: readonly Group[], outcomes: readonly EventOutcome[]): void {
    let from = 0;
    for (const { entries, waiter } of groups) {
      const to = from + entries.filter(({ kind }) => kind === 'event').length;
      waiter?.resolve(outcomes.slice(from, to));
      from = to;
      this.#leave(entries, waiter);
    }
  }

  #failed(groups: readonly Group[], error: unknown, mayRetry: boolean): void {
    const kept: Group[] = [];
    for (const group of groups) {
      if (group.waiter === null && mayRetry) kept.push(group);
      else {
        if (group.waiter === null) this.#droppedCount += group.entries.length;
        group.waiter?.reject(error);
        this.#leave(group.entries, group.waiter);
      }
    }
    this.#groups = [...kept, ...this.#groups];
  }

  #leave(entries: readonly ExperimentEntry[], waiter: Group['waiter']): void {
    if (waiter === null) this.#trafficCount -= entries.length;
    else this.#awaitedCount -= entries.length;
  }
}
