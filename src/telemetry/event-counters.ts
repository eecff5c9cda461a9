// What users did, as counters: changed when the store has it, so that they say what the reports say.
import { Counter, type Registry } from 'prom-client';
import type { CountedEvents } from '../rollout/experiment/entries.ts';

/** Requests that were events, but of an unknown value. */
export type UncountedEvent = { readonly rollout: string; readonly event: string; readonly reason: string };

export class EventCounters {
  readonly #events: Counter<'rollout' | 'version' | 'event'>;
  readonly #values: Counter<'rollout' | 'version' | 'event'>;
  readonly #unread: Counter<'rollout' | 'event' | 'reason'>;
  readonly #dropped: Counter;
  /** The labels in use, so that those of rollouts that are gone can be let go. */
  readonly #known = new Map<string, { readonly rollout: string; readonly remove: () => void }>();

  constructor(registry: Registry) {
    const registers = [registry];
    const labelNames = ['rollout', 'version', 'event'] as const;
    this.#events = new Counter({
      name: 'graygate_events_total',
      help: 'What users did, each event once, by the version that they were exposed to; none: they were not yet.',
      labelNames,
      registers,
    });
    this.#values = new Counter({
      name: 'graygate_event_value_total',
      help: 'What these events were worth.',
      labelNames,
      registers,
    });
    this.#unread = new Counter({
      name: 'graygate_events_unread_total',
      help: 'Requests that were events and are not counted, because their value cannot be read.',
      labelNames: ['rollout', 'event', 'reason'],
      registers,
    });
    this.#dropped = new Counter({
      name: 'graygate_observations_dropped_total',
      help: 'Exposures and events of traffic that could not be stored in time.',
      registers,
    });
  }

  counted({ rollout, version, event, count, valueSum }: CountedEvents): void {
    const labels = { rollout, version: version ?? '', event };
    this.#events.inc(labels, count);
    this.#values.inc(labels, valueSum);
    this.#remember('counted', labels, () => {
      this.#events.remove(labels);
      this.#values.remove(labels);
    });
  }

  unread({ rollout, event, reason }: UncountedEvent): void {
    const labels = { rollout, event, reason };
    this.#unread.inc(labels);
    this.#remember('unread', labels, () => this.#unread.remove(labels));
  }

  /** Exposures and events that will never be stored. */
  dropped(count: number): void {
    this.#dropped.inc(count);
  }

  /** Lets go of the series of all other rollouts. */
  keepOnly(rollouts: ReadonlySet<string>): void {
    for (const [key, { rollout, remove }] of this.#known) {
      if (rollouts.has(rollout)) continue;
      remove();
      this.#known.delete(key);
    }
  }

  #remember(kind: string, labels: { readonly rollout: string }, remove: () => void): void {
    const key = JSON.stringify([kind, labels]);
    if (!this.#known.has(key)) this.#known.set(key, { rollout: labels.rollout, remove });
  }
}
