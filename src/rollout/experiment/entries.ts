// What is written about the users of an experiment, and what comes of it: plain records, so that they can cross threads and processes.
import type { BusinessEvent, Experiment, Exposure } from '../experiment.ts';

/** A split that was published. `percents` of every version, baseline first; all users on one version: the experiment is over. */
export type SplitChange = {
  readonly rollout: string;
  readonly release: string;
  readonly percents: readonly number[];
  readonly atMs: number;
};

/** One thing that is written, in the order in which it came. */
export type ExperimentEntry =
  | { readonly kind: 'exposure'; readonly exposure: Exposure }
  | { readonly kind: 'event'; readonly event: BusinessEvent }
  | { readonly kind: 'split'; readonly change: SplitChange };

/** The rollout that an entry is about. */
export function rolloutOf(entry: ExperimentEntry): string {
  if (entry.kind === 'exposure') return entry.exposure.rollout;
  return entry.kind === 'event' ? entry.event.rollout : entry.change.rollout;
}

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

/** What became of an event: the version that its user was exposed to, or null for none yet; null altogether for one that is known already, or that nobody observes. */
export type EventOutcome = { readonly version: string | null } | null;

/** Events that are durable now and were not counted before. `version` is null for users whom no split has exposed yet. */
export type CountedEvents = {
  readonly rollout: string;
  readonly version: string | null;
  readonly event: string;
  readonly count: number;
  readonly valueSum: number;
};
