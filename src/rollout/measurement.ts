// What is known of a rollout at one moment: the machine's only view of traffic. The controller measures, the machine reads. JSON.
import type { ExperimentStanding } from './experiment-standing.ts';
import type { Verdict } from './verdict.ts';

export type Measurement = {
  readonly verdicts: readonly Verdict[];
  readonly figures: StageFigures;
  readonly sampleRatio: SampleRatio;
  /** Of the candidate that moves. */
  readonly candidate: CandidateHealth;
  /** Other candidates with users that do not answer; absent: none. */
  readonly others?: readonly VersionHealth[];
  /** Absent: there is no experiment, or nothing is known of it yet. */
  readonly experiment?: ExperimentStanding;
};

/**
 * Requests completed since the stage began. Of those that the split sent; in a stage of 0 % (rules only) of those that rules sent.
 * `lastCandidateRequestMs`: when the candidate completed one for the last time, in any stage; null: never.
 */
export type StageFigures = {
  readonly baseline: VersionFigures;
  readonly candidate: VersionFigures;
  readonly lastCandidateRequestMs: number | null;
};

export type VersionFigures = { readonly requests: number; readonly failures: number };

/** How a candidate is, by its name. */
export type VersionHealth = { readonly version: string; readonly health: CandidateHealth };

/** New users a version, beside what the split promises; `chance` is the anytime p-value (0–1), a mismatch below 0.001. */
export type SampleRatio = {
  readonly answer: 'ok' | 'mismatch';
  /** The candidate that the users are of, the one among several that is furthest off; absent: there is one. */
  readonly version?: string;
  readonly chance: number;
  readonly candidateUsers: number;
  readonly users: number;
  /** Of `users`, what the split would have sent to the candidate (epochs of different percents added up). */
  readonly expectedCandidateUsers: number;
};

/**
 * What needs no statistics. `refused`: since then every server of the candidate has refused every connection.
 * `stalled`: since then it has received requests and completed none; `timeoutMs` is how long it is given.
 */
export type CandidateHealth =
  | { readonly kind: 'up' }
  | { readonly kind: 'refused'; readonly sinceMs: number }
  | { readonly kind: 'stalled'; readonly sinceMs: number; readonly timeoutMs: number };
