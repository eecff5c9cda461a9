// What the experiments are told, what they answer, and what they need of the store and the metrics. Types only.
import type { BusinessEvent, EventAnswer, Experiment, ExperimentFigures, Exposure } from '../rollout/experiment.ts';
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

/** A split that was published. `percents` of every version, baseline first; all users on one version: the experiment is over. */
export type SplitChange = {
  readonly rollout: string;
  readonly release: string;
  readonly percents: readonly number[];
  readonly atMs: number;
};

/** Events that are durable now and were not counted before. `version` is null for users whom no split has exposed yet. */
export type CountedEvents = {
  readonly rollout: string;
  readonly version: string | null;
  readonly event: string;
  readonly count: number;
  readonly valueSum: number;
};

/** One thing that is written, in the order in which it came. */
export type ExperimentEntry =
  | { readonly kind: 'exposure'; readonly exposure: Exposure }
  | { readonly kind: 'event'; readonly event: BusinessEvent }
  | { readonly kind: 'split'; readonly change: SplitChange };

/** How the users of a rollout are observed. */
export type Observation = {
  readonly release: string;
  /** Baseline first. */
  readonly versions: readonly string[];
  readonly experiment: Experiment;
};

/** Entries of rollouts that `observations` does not name are passed over. */
export type ExperimentBatch = {
  readonly nowMs: number;
  readonly observations: Readonly<Record<string, Observation>>;
  readonly entries: readonly ExperimentEntry[];
};

/** What became of an event: `version` as in `CountedEvents`; null for one that is known already, or that nobody observes. */
export type EventOutcome = { readonly version: string | null } | null;

/** The store's verbs on experiments. All reject with a GraygateError of the store. */
export interface ExperimentKeeper {
  /** All of it or nothing, durable once resolved; an outcome for each event, in order. The same batch again changes nothing. */
  apply(batch: ExperimentBatch): Promise<readonly EventOutcome[]>;
  /** Of the newest release without `release`; null where nothing is known. */
  figures(of: {
    readonly rollout: string;
    readonly release: string | null;
    readonly nowMs: number;
  }): Promise<ExperimentFigures | null>;
  /** Removes the user's records, of all rollouts without `rollout`; returns how many there were. */
  forget(of: { readonly user: ByteString; readonly rollout: string | null }): Promise<number>;
  /** All events ever counted, releases together. */
  totals(): Promise<readonly CountedEvents[]>;
  /** Does a small part of what time brings: days that end, records too old. `isDone`: nothing is left to do now. */
  tend(of: { readonly nowMs: number }): Promise<{ readonly isDone: boolean }>;
}

export type ExperimentsStatus = {
  /** Null: everything is written in time. */
  readonly degraded: string | null;
  readonly waitingCount: number;
  /** Exposures and events from traffic that were dropped since the start, because the store was away for too long. */
  readonly droppedCount: number;
};

/** The service between the gateway, the admin port and the store. */
export interface ExperimentDesk {
  /** Follows a policy; call it first, and before the gateway adopts it. */
  follow(policy: ObservedPolicy): void;
  /** Call it with every split that is published, a rollback's and a promotion's too: it begins and ends phases. */
  splitChanged(change: SplitChange): void;
  /** Never waits, never throws: what cannot be written in time is dropped and counted. */
  exposed(exposure: Exposure): void;
  /** As `exposed`; for events that the gateway saw. Its `id` must differ between two events of one request. */
  happened(event: BusinessEvent): void;
  /**
   * Durable once resolved; an answer for each, in order. Rejects with `events-overload` (429) while the store lags and with the
   * store's code while it is away; the same events may then be sent again.
   */
  ingest(events: readonly BusinessEvent[]): Promise<readonly EventAnswer[]>;
  /** Removes what is known of a user; returns how many records there were. */
  forget(user: ByteString, rollout?: string): Promise<number>;
  /** Of the newest release without `release`; null where nothing is known. What was accepted before is in it. */
  figures(rollout: string, release?: string): Promise<ExperimentFigures | null>;
  status(): ExperimentsStatus;
  /** Writes what waits. */
  close(): Promise<void>;
}
