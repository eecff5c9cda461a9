// What users did, on its way to the store: gathered into one transaction after another. Whoever waits for an answer gets it when it is
// durable; traffic never waits, is written in its order, and loses what finds no more room.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { GraygateError } from '../errors.ts';
import type { EventOutcome, ExperimentEntry } from '../rollout/experiment/entries.ts';

export type EntryQueueParts = {
  /** Writes entries in one transaction; an outcome for each event among them. */
  write(entries: readonly ExperimentEntry[]): Promise<readonly EventOutcome[]>;
  /** After each attempt: null, or why it failed. */
  wrote(failure: string | null): void;
  /** So many entries of traffic will never be written. */
  dropped(count: number): void;
};

/** Entries that somebody waits for. */
type Awaited = {
  readonly entries: readonly ExperimentEntry[];
  readonly resolve: (outcomes: readonly EventOutcome[]) => void;
  readonly reject: (error: unknown) => void;
};

type Batch = { readonly traffic: readonly ExperimentEntry[]; readonly awaited: readonly Awaited[] };

const gatherMs = 100;
const retryMs = 1_000;
/** Entries in a transaction, at least half of them traffic where so much waits. Whoever asks for figures waits for one or two of these. */
const batchCount = 1_000;
/** Entries of traffic that wait at most, some 20 MB; and as many again that somebody waits for. */
const roomCount = 50_000;

export class EntryQueue {
  readonly #parts: EntryQueueParts;
  #traffic: ExperimentEntry[] = [];
  #awaited: Awaited[] = [];
  #awaitedCount = 0;
  #droppedCount = 0;
  /** Of traffic, since the start. */
  #addedCount = 0;
  #settledCount = 0;
  readonly #watchers = new Set<{ readonly addedCount: number; readonly resolve: () => void }>();
  #timer: NodeJS.Timeout | null = null;
  #draining: Promise<void> | null = null;

  constructor(parts: EntryQueueParts) {
    this.#parts = parts;
  }

  /** Nobody waits for it. `mayDrop` false: it is written however many wait. */
  add(entry: ExperimentEntry, mayDrop = true): void {
    if (mayDrop && this.#trafficCount >= roomCount) {
      this.#lose(1);
      return;
    }
    this.#addedCount += 1;
    this.#traffic.push(entry);
    this.#timer ??= setTimeout(() => void this.flush(), gatherMs).unref();
  }

  /** Resolves with the outcomes of the events once they are durable. Rejects with `events-overload` when too many wait already. */
  async write(entries: readonly ExperimentEntry[]): Promise<readonly EventOutcome[]> {
    if (this.#awaitedCount + entries.length > roomCount) {
      throw new GraygateError('events-overload', `${this.#awaitedCount} events wait to be stored already`);
    }
    this.#awaitedCount += entries.length;
    const { promise, resolve, reject } = Promise.withResolvers<readonly EventOutcome[]>();
    this.#awaited.push({ entries, resolve, reject });
    void this.flush();
    return promise;
  }

  /** Settles when the traffic so far was written, or could not be. What comes meanwhile is not waited for. */
  async written(): Promise<void> {
    if (this.#settledCount >= this.#addedCount) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#watchers.add({ addedCount: this.#addedCount, resolve });
    void this.flush();
    await promise;
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
    this.#drop(this.#traffic.splice(0));
    this.#refuse(this.#awaited.splice(0), new GraygateError('store-unavailable', 'graygate is stopping'));
  }

  get #trafficCount(): number {
    return this.#addedCount - this.#settledCount;
  }

  async #drain(): Promise<void> {
    for (;;) {
      // A turn of the loop, so that requests that came together are written together.
      await nextTurn();
      if (this.#traffic.length + this.#awaited.length === 0) return;
      const batch = this.#take();
      try {
        const entries = [...batch.traffic, ...batch.awaited.flatMap((one) => one.entries)];
        this.#answered(batch, await this.#parts.write(entries));
        this.#parts.wrote(null);
      } catch (error) {
        this.#parts.wrote(error instanceof Error ? error.message : String(error));
        if (this.#failed(batch, error)) return;
      }
    }
  }

  #take(): Batch {
    const traffic = this.#traffic.splice(0, Math.max(batchCount / 2, batchCount - this.#awaitedCount));
    let count = traffic.length;
    const end = this.#awaited.findIndex(({ entries }, i) => (count += entries.length) > batchCount && i > 0);
    return { traffic, awaited: this.#awaited.splice(0, end < 0 ? this.#awaited.length : end) };
  }

  #answered({ traffic, awaited }: Batch, outcomes: readonly EventOutcome[]): void {
    let from = traffic.filter(isEvent).length;
    this.#settled(traffic.length);
    for (const { entries, resolve } of awaited) {
      const to = from + entries.filter(isEvent).length;
      this.#awaitedCount -= entries.length;
      resolve(outcomes.slice(from, to));
      from = to;
    }
  }

  /** Whether the store is away: then whoever waits hears of it at once, and traffic stays for the next attempt. */
  #failed({ traffic, awaited }: Batch, error: unknown): boolean {
    this.#refuse(awaited, error);
    // What the store is at odds with would come back for ever.
    const isAway = error instanceof GraygateError && error.code !== 'internal';
    if (!isAway) {
      this.#drop(traffic);
      return false;
    }
    this.#refuse(this.#awaited.splice(0), error);
    this.#traffic = [...traffic, ...this.#traffic];
    for (const { resolve } of this.#watchers) resolve();
    this.#watchers.clear();
    if (this.#traffic.length > 0) this.#timer ??= setTimeout(() => void this.flush(), retryMs).unref();
    return true;
  }

  #refuse(awaited: readonly Awaited[], error: unknown): void {
    for (const { entries, reject } of awaited) {
      this.#awaitedCount -= entries.length;
      reject(error);
    }
  }

  #drop(traffic: readonly ExperimentEntry[]): void {
    this.#lose(traffic.length);
    this.#settled(traffic.length);
  }

  #lose(count: number): void {
    this.#droppedCount += count;
    if (count > 0) this.#parts.dropped(count);
  }

  #settled(count: number): void {
    this.#settledCount += count;
    for (const watcher of this.#watchers) {
      if (watcher.addedCount > this.#settledCount) continue;
      this.#watchers.delete(watcher);
      watcher.resolve();
    }
  }
}

function isEvent({ kind }: ExperimentEntry): boolean {
  return kind === 'event';
}
