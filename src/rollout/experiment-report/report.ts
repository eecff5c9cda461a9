// What a report of an experiment says, as data: JSON as it stands. Types only.
import type { Metric } from '../experiment.ts';

export type ExperimentReport = {
  readonly rollout: string;
  readonly release: string;
  readonly beganMs: number;
  readonly atMs: number;
  /** Chance (0-1) that the primary metric is ever said to differ though it does not. */
  readonly alpha: number;
  /** IANA name; the days below begin at its midnight. */
  readonly timeZone: string;
  /** Age before which nothing is decided. */
  readonly leastMs: number;
  readonly versions: readonly ReportedVersion[];
  readonly balance: UserBalance;
  readonly leftOut: { readonly crossed: number; readonly moved: number };
  readonly phases: readonly ReportedPhase[];
  /** The primary one first. */
  readonly metrics: readonly MetricReport[];
  readonly decision: Decision;
  readonly days: readonly ReportedDay[];
  readonly events: readonly { readonly event: string; readonly count: number; readonly valueSum: number }[];
};

/** `users`: all who were exposed, those who are left out of comparisons too. */
export type ReportedVersion = {
  readonly name: string;
  readonly role: 'baseline' | 'candidate';
  readonly users: number;
};

/** A time in which the split stood still; percents and users by version. */
export type ReportedPhase = {
  readonly beganMs: number;
  readonly percents: readonly number[];
  readonly exposed: readonly number[];
};

/** Whether users fell to the versions as the splits say; `chance` (0-1) of this much by luck, a mismatch below 0.001. */
export type UserBalance = {
  readonly answer: 'ok' | 'mismatch';
  readonly chance: number;
  readonly versions: readonly { readonly name: string; readonly users: number; readonly expected: number }[];
};

export type MetricReport = {
  readonly metric: Metric;
  readonly role: 'primary' | 'secondary';
  /** Of `value`: the metric of revenue a user by which to decide instead; null: decide by this one. */
  readonly decidedBy: string | null;
  readonly versions: readonly MetricOfVersion[];
  readonly comparisons: readonly MetricComparison[];
};

/**
 * `mean` is over all users, whenever they came, `variance` that of one user's part of it; null without users. `nonZero`: users with
 * a value (of `value`: orders).
 */
export type MetricOfVersion = {
  readonly name: string;
  readonly users: number;
  readonly mean: number | null;
  readonly variance: number | null;
  readonly nonZero: number;
  readonly waiting: number;
};

/** One candidate beside the baseline. */
export type MetricComparison = {
  readonly candidate: string;
  /** Chance (0-1) that this interval ever leaves the truth out; several comparisons share the experiment's. */
  readonly alpha: number;
  /** Means over the phases of the split; null where nothing can be computed yet. */
  readonly figures: ComparedFigures | null;
  /** The same made sharper by what the users did before (CUPED); null where nothing is known of that. It decides where it is there. */
  readonly adjusted: AdjustedFigures | null;
  readonly verdict: MetricVerdict;
  /** The verdict in words. */
  readonly sentence: string;
};

/** Candidate - baseline with an interval that holds at every look, and the log evidence against "no difference". */
export type Estimated = {
  readonly difference: number;
  readonly lower: number;
  readonly upper: number;
  readonly standardError: number;
  readonly logEvidence: number;
  /** Chance (0-1) of this much by luck. */
  readonly chance: number;
  /** In parts of the baseline (0.1: a tenth more); null where the baseline may be 0. */
  readonly lift: { readonly value: number; readonly lower: number; readonly upper: number } | null;
};

export type ComparedFigures = Estimated & {
  readonly users: number;
  readonly candidateMean: number;
  readonly baselineMean: number;
};

/** `saved`: the part (0-1) of the users that the adjustment saves. */
export type AdjustedFigures = Estimated & { readonly saved: number };

/** `frozen`: users do not fall as the split says, so nothing may be concluded. */
export type MetricVerdict =
  | { readonly kind: 'better' | 'worse' }
  /** No difference is shown; `largest` is the size that is ruled out, `largestLift` in parts of the baseline. */
  | { readonly kind: 'no-difference'; readonly largest: number; readonly largestLift: number | null }
  | { readonly kind: 'not-enough-data'; readonly missing: readonly Missing[] }
  | { readonly kind: 'frozen' };

/** What is asked for before a decision and not there yet. */
export type Missing =
  | { readonly what: 'time'; readonly have: number; readonly need: number }
  /** `hits` did it, `misses` did not. */
  | {
      readonly what: 'users' | 'hits' | 'misses' | 'orders';
      readonly version: string;
      readonly have: number;
      readonly need: number;
    }
  | { readonly what: 'spread' };

/** What the primary metric says of all versions together; `about`: the candidate whose comparison tells. */
export type Decision =
  | { readonly kind: 'winner'; readonly version: string; readonly about: string; readonly sentence: string }
  | { readonly kind: 'undecided'; readonly about: string | null; readonly sentence: string };

/** Everything up to the end of a day, by version: users who were exposed, and means. */
export type ReportedDay = {
  readonly startMs: number;
  readonly exposed: readonly number[];
  readonly means: readonly { readonly name: string; readonly means: readonly (number | null)[] }[];
};
