// The service of experiments: takes in what users did, from traffic and from servers, writes it in batches, answers with figures, and
// lets time pass in the store. The only way to the store of experiments.
import type { BusinessEvent, EventAnswer, ExperimentFigures, Exposure } from '../rollout/experiment.ts';
import {
  type CountedEvents,
  type EventOutcome,
  type ExperimentEntry,
  type Observation,
  type SplitChange,
  rolloutOf,
} from '../rollout/experiment/entries.ts';
import type { ByteString } from '../rollout/policy.ts';
import { EntryQueue } from './entry-queue.ts';
import { type CountedRollout, countedRollouts, createNameHint, refusalOf } from './event-refusal.ts';
import type { ExperimentDesk, ExperimentsParts, ExperimentsStatus, ObservedPolicy } from './experiment-parts.ts';

const tendEveryMs = 60_000;
const tendOnMs = 50;
/** Nobody reads why an event of the traffic is not counted. */
const noHint = (): string => '';

export class Experiments implements ExperimentDesk {
  readonly #parts: ExperimentsParts;
  readonly #queue: EntryQueue;
  #observations: Readonly<Record<string, Observation>> = {};
  #counted: ReadonlyMap<string, CountedRollout> = new Map();
  #recalled: Promise<void> | null = null;
  readonly #told = new Map<string, CountedEvents>();
  #degraded: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(parts: ExperimentsParts) {
    this.#parts = parts;
    this.#queue = new EntryQueue({
      write: (entries) => this.#write(entries),
      wrote: (failure) => this.#wrote(failure),
      dropped: (count) => parts.dropped(count),
    });
  }

  follow(policy: ObservedPolicy): void {
    this.#counted = countedRollouts(policy);
    this.#observations = Object.fromEntries(
      policy.rollouts.flatMap(({ name, staging, versions, experiment }): [string, Observation][] => {
        if (experiment === null) return [];
        return [[name, { release: staging.release, versions: versions.map((version) => version.name), experiment }]];
      }),
    );
    // Also without experiments: what is kept of users goes in time, whatever the policy says now.
    if (this.#timer === null) this.#tendIn(0);
  }

  splitChanged(change: SplitChange): void {
    if (this.#isObserved(change.rollout)) this.#queue.add({ kind: 'split', change }, false);
  }

  exposed(exposure: Exposure): void {
    if (this.#isObserved(exposure.rollout)) this.#queue.add({ kind: 'exposure', exposure });
  }

  happened(event: BusinessEvent): void {
    const nowMs = this.#parts.nowMs();
    if (refusalOf(event, { counted: this.#counted, nowMs }, noHint) === null) this.#queue.add(eventEntry(event, nowMs));
  }

  async ingest(events: readonly BusinessEvent[]): Promise<readonly EventAnswer[]> {
    const nowMs = this.#parts.nowMs();
    const hint = createNameHint();
    const reasons = events.map((event) => refusalOf(event, { counted: this.#counted, nowMs }, hint));
    const accepted = events.filter((_, i) => reasons[i] === null);
    const outcomes =
      accepted.length === 0 ? [] : await this.#queue.write(accepted.map((event) => eventEntry(event, nowMs)));
    let next = 0;
    return events.map(({ id }, i): EventAnswer => {
      const reason = reasons[i] ?? null;
      if (reason !== null) return { id, status: 'rejected', reason };
      return { id, status: outcomes[next++] === null ? 'duplicate' : 'accepted' };
    });
  }

  async forget(user: ByteString, rollout?: string): Promise<number> {
    await this.#queue.written();
    return this.#parts.store.forget({ user, rollout: rollout ?? null });
  }

  async figures(rollout: string, release?: string): Promise<ExperimentFigures | null> {
    await this.#queue.written();
    return this.#parts.store.figures({ rollout, release: release ?? null, nowMs: this.#parts.nowMs() });
  }

  status(): ExperimentsStatus {
    const { waitingCount, droppedCount } = this.#queue;
    return { degraded: this.#degraded, waitingCount, droppedCount };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#queue.flush();
    this.#queue.stop();
  }

  #isObserved(rollout: string): boolean {
    return this.#observations[rollout] !== undefined;
  }

  /** Tells of what is durable now; of what earlier processes counted before anything else. */
  async #write(entries: readonly ExperimentEntry[]): Promise<readonly EventOutcome[]> {
    const { store, nowMs } = this.#parts;
    await this.#recallTotals();
    const rollouts = new Set(entries.map(rolloutOf));
    const observations = Object.fromEntries(
      Object.entries(this.#observations).filter(([rollout]) => rollouts.has(rollout)),
    );
    const outcomes = await store.apply({ nowMs: nowMs(), observations, entries });
    for (const sum of summedUp(entries, outcomes)) this.#tell(sum);
    return outcomes;
  }

  async #recallTotals(): Promise<void> {
    this.#recalled ??= this.#tellTotals();
    try {
      await this.#recalled;
    } catch (error) {
      this.#recalled = null;
      throw error;
    }
  }

  /** Tells of what is stored and was not told yet: of earlier processes, or of a batch whose answer was lost. */
  async #tellTotals(): Promise<void> {
    for (const total of await this.#parts.store.totals()) {
      const told = this.#told.get(keyOf(total));
      const count = total.count - (told?.count ?? 0);
      if (count > 0) this.#tell({ ...total, count, valueSum: Math.max(0, total.valueSum - (told?.valueSum ?? 0)) });
    }
  }

  #tell(sum: CountedEvents): void {
    if (!this.#counted.has(sum.rollout)) return;
    const key = keyOf(sum);
    const { count = 0, valueSum = 0 } = this.#told.get(key) ?? {};
    this.#told.set(key, { ...sum, count: count + sum.count, valueSum: valueSum + sum.valueSum });
    this.#parts.counted(sum);
  }

  #wrote(failure: string | null): void {
    // It may have been written all the same.
    if (failure !== null) this.#recalled = null;
    if (failure === this.#degraded) return;
    this.#degraded = failure;
    this.#parts.troubled(failure);
  }

  #tendIn(delayMs: number): void {
    this.#timer = setTimeout(() => void this.#tend(), delayMs).unref();
  }

  async #tend(): Promise<void> {
    let isDone = true;
    try {
      if (Object.keys(this.#observations).length > 0) await this.#recallTotals();
      ({ isDone } = await this.#parts.store.tend({ nowMs: this.#parts.nowMs() }));
    } catch {
      // What fails here fails for whoever writes, too, and is said there.
    }
    if (!this.#isClosed) this.#tendIn(isDone ? tendEveryMs : tendOnMs);
  }
}

/** Nothing happens after it was told. */
function eventEntry(event: BusinessEvent, nowMs: number): ExperimentEntry {
  return { kind: 'event', event: event.atMs > nowMs ? { ...event, atMs: nowMs } : event };
}

/** The events that counted, by rollout, version and name. */
function summedUp(entries: readonly ExperimentEntry[], outcomes: readonly EventOutcome[]): Iterable<CountedEvents> {
  const sums = new Map<string, CountedEvents>();
  let next = 0;
  for (const entry of entries) {
    if (entry.kind !== 'event') continue;
    const outcome = outcomes[next++] ?? null;
    if (outcome === null) continue;
    const { rollout, event, value } = entry.event;
    const key = keyOf({ rollout, version: outcome.version, event });
    const { count = 0, valueSum = 0 } = sums.get(key) ?? {};
    sums.set(key, { rollout, version: outcome.version, event, count: count + 1, valueSum: valueSum + value });
  }
  return sums.values();
}

function keyOf({ rollout, version, event }: Pick<CountedEvents, 'rollout' | 'version' | 'event'>): string {
  return `${rollout}/${version ?? ''}/${event}`;
}
