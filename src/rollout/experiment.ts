// What the business counts and how versions are compared by it: events, metrics, the experiment, and the figures that a report
// is made from. Types only.
import type { PairedSample } from '../stats/adjusted-comparison.ts';
import type { Sample } from '../stats/sample.ts';
import type { ByteString } from './policy.ts';
import type { Matcher } from './rule.ts';

/** A request that counts as an event of its user. Empty lists: any. */
export type EventRule = {
  readonly name: string;
  /** False: no request counts, only servers send it. */
  readonly fromTraffic: boolean;
  readonly methods: readonly string[];
  /** Prefixes on segment borders, normalised as in `Match`. */
  readonly paths: readonly ByteString[];
  /** Ranges of the status that the user got, both ends included. */
  readonly statuses: readonly { readonly from: number; readonly to: number }[];
  /** Request headers, lower-case names. */
  readonly headers: readonly { readonly name: string; readonly matches: Matcher }[];
  /** Of an event without a value: the constant 0. */
  readonly value: ValueSource;
};

/** `header` is the answer's, or else the request's. `json`: keys and indexes from the root of the answer. */
export type ValueSource =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'header' | 'query'; readonly name: string }
  | { readonly kind: 'json'; readonly path: readonly string[] };

/** `name` is unique in the experiment. `cap`: a user's order above it counts as it; null: no cap. */
export type Metric =
  /** Users who did `event` within the window after they entered; they enter at first exposure, or at their first `of` after it. */
  | {
      readonly kind: 'conversion';
      readonly name: string;
      readonly event: string;
      readonly of: string | null;
      readonly windowMs: number;
    }
  /** Average order value: value an event. */
  | { readonly kind: 'value'; readonly name: string; readonly event: string; readonly cap: number | null }
  /** Value a user, users without an order included. */
  | { readonly kind: 'revenue'; readonly name: string; readonly event: string; readonly cap: number | null }
  /** Users who came on the day `day` days after that of their exposure. */
  | { readonly kind: 'retention'; readonly name: string; readonly day: number }
  /** Events a user. */
  | { readonly kind: 'events'; readonly name: string; readonly event: string };

export type Experiment = {
  /** Every metric that is kept, those of the business checks included; the primary one first. */
  readonly metrics: readonly [Metric, ...Metric[]];
  /** Chance (0-1) that the primary metric is ever said to differ though it does not. */
  readonly alpha: number;
  /** Users for which the intervals are narrowest; null: 5000. */
  readonly expectedUserCount: number | null;
  /** Least age before a decision. */
  readonly leastMs: number;
  readonly stopWhen: { readonly kind: 'decided' } | { readonly kind: 'after'; readonly afterMs: number } | null;
  readonly then: 'report' | 'promote-winner';
  /** How long a user's record is kept after the last sight of the user. */
  readonly keepMs: number;
  /** IANA name; days begin at its midnight. */
  readonly timeZone: string;
};

/** The split sent a user to a version (seen at least once a day of the experiment's time zone). */
export type Exposure = {
  readonly rollout: string;
  readonly release: string;
  readonly version: string;
  readonly user: ByteString;
  readonly bucket: number;
  /** Percent of every version, baseline first, by which it was decided. */
  readonly percents: readonly number[];
  readonly atMs: number;
};

/** Something that a user did. The same `id` again counts once. */
export type BusinessEvent = {
  readonly id: string;
  readonly rollout: string;
  readonly user: ByteString;
  readonly event: string;
  readonly value: number;
  readonly atMs: number;
};

export type EventAnswer =
  | { readonly id: string; readonly status: 'accepted' | 'duplicate' }
  | { readonly id: string; readonly status: 'rejected'; readonly reason: string };

/** What is known of one release of a rollout, in sums; made without looking at users one by one. */
export type ExperimentFigures = {
  readonly rollout: string;
  readonly release: string;
  readonly beganMs: number;
  readonly atMs: number;
  /** Baseline first. */
  readonly versions: readonly string[];
  /**
   * Times in which the split stood still. `exposed`: users first exposed then, by version; those left out later too, because they
   * are what the split is judged by.
   */
  readonly phases: readonly {
    readonly beganMs: number;
    readonly percents: readonly number[];
    readonly exposed: readonly number[];
  }[];
  /** Users who are in no comparison. `crossed`: seen on two versions; `moved`: in buckets that a change of the split gave to another version. */
  readonly leftOut: { readonly crossed: number; readonly moved: number };
  readonly metrics: readonly MetricFigures[];
  readonly days: readonly DayFigures[];
  readonly events: readonly { readonly event: string; readonly count: number; readonly valueSum: number }[];
};

export type MetricFigures = {
  readonly metric: Metric;
  /** By phase, then by version. */
  readonly samples: readonly (readonly Sample[])[];
  /** The same users with their value of the time before the experiment, by phase and version; null where there was none. */
  readonly paired: readonly (readonly PairedSample[])[] | null;
  /** Users, by version, whose value is not zero (orders of `value`: number of orders). */
  readonly nonZero: readonly number[];
  /** Users, by version, who are exposed but whose outcome is not known yet. */
  readonly waiting: readonly number[];
};

/** A day of the experiment's time zone; by version, everything since the experiment began up to the end of the day. `metrics` by metric name. */
export type DayFigures = {
  readonly startMs: number;
  readonly exposed: readonly number[];
  readonly metrics: Readonly<Record<string, readonly Sample[]>>;
};
