// What the experiments are told, what they answer, and what they need of the store and the metrics. Types only.
import type { BusinessEvent, EventAnswer, Experiment, ExperimentFigures, Exposure } from '../rollout/experiment.ts';
import type { CountedEvents, EventOutcome, ExperimentBatch, SplitChange } from '../rollout/experiment/entries.ts';
import type { ByteString } from '../rollout/policy.ts';

/** What of a policy the experiments follow; a `Policy` fits. */
export type ObservedPolicy = { readonly rollouts: readonly ObservedRollout[] };

export type ObservedRollout = {
  readonly name: string;
  /** Baseline first. */
  readonly versions: readonly { readonly name: string }[];
  readonly staging: { readonly release: string };
  readonly events: readonly { readonly name: string }[];
  readonly experiment: Experiment | null;
};

/** The store's verbs on experiments; `ExperimentStore` fits. All reject with a GraygateError of the store. */
export interface ExperimentKeeper {
  /** All of it or nothing, durable once resolved; an outcome for each event, in order. The same batch again changes nothing. */
  apply(batch: ExperimentBatch): Promise<readonly EventOutcome[]>;
  /** Of the newest release where `release` is null; null where nothing is known. */
  figures(of: {
    readonly rollout: string;
    readonly release: string | null;
    readonly nowMs: number;
  }): Promise<ExperimentFigures | null>;
  /** Removes the user's records, of all rollouts where `rollout` is null; returns how many there were. */
  forget(of: { readonly user: ByteString; readonly rollout: string | null }): Promise<number>;
  /** All events that were ever counted, releases together. */
  totals(): Promise<readonly CountedEvents[]>;
  /** Does a small part of what time brings. `isDone`: nothing is left to do now. */
  tend(at: { readonly nowMs: number }): Promise<{ readonly isDone: boolean }>;
}

export type ExperimentsParts = {
  readonly store: ExperimentKeeper;
  readonly nowMs: () => number;
  /**
   * Events that are durable and were not counted before, once each. The first calls after a start bring what earlier processes
   * counted, so that counters agree with the report.
   */
  counted(events: CountedEvents): void;
  /** So many exposures and events of traffic will never be stored: too many waited already, or the store is at odds with them. */
  dropped(count: number): void;
  /** The experiments cannot be written, and why; null: they can again. */
  troubled(reason: string | null): void;
};

export type ExperimentsStatus = {
  /** Why nothing can be written; null: it can. */
  readonly degraded: string | null;
  /** Entries that are not durable yet. */
  readonly waitingCount: number;
  /** Exposures and events of traffic that were dropped since the start, because too many waited already. */
  readonly droppedCount: number;
};

/** The service between the gateway, the admin port and the store. */
export interface ExperimentDesk {
  /** Follows a policy: call it before the gateway adopts it. */
  follow(policy: ObservedPolicy): void;
  /** Call it with every split that is published, a rollback's and a promotion's too: it begins and ends phases. */
  splitChanged(change: SplitChange): void;
  /** Never waits, never throws: what cannot be written in time is dropped and counted. */
  exposed(exposure: Exposure): void;
  /** As `exposed`; for events that the gateway saw. Two events of one request need two ids. */
  happened(event: BusinessEvent): void;
  /**
   * Durable once resolved; an answer for each, in order. Rejects with `events-overload` (429) while the store lags and with the
   * store's code while it is away; the same events may then be sent again.
   */
  ingest(events: readonly BusinessEvent[]): Promise<readonly EventAnswer[]>;
  /** Removes what is known of a user; returns how many records there were. What the user has added to sums stays in them. */
  forget(user: ByteString, rollout?: string): Promise<number>;
  /** Of the newest release without `release`; null where nothing is known. What was accepted before is in it. */
  figures(rollout: string, release?: string): Promise<ExperimentFigures | null>;
  status(): ExperimentsStatus;
  /** Writes what waits, as far as it can be written now. */
  close(): Promise<void>;
}
