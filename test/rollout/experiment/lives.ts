// Experiments with users who come and act, for tests: how they are observed, and arbitrary lives of arbitrary users.
import { array, constantFrom, integer, record } from 'fast-check';
import type { BusinessEvent, Experiment, Exposure, Metric } from '../../../src/rollout/experiment.ts';
import type { SplitChange } from '../../../src/rollout/experiment/entries.ts';
import { versionIndexAt } from '../../../src/rollout/split.ts';

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;
/** Noon in London, evening in Shanghai. */
export const T0 = Date.UTC(2026, 10, 22, 12);

/** One of each kind; `repeat` is a conversion from the first purchase to the second. */
export const metrics: readonly [Metric, ...Metric[]] = [
  { kind: 'conversion', name: 'conversion', event: 'purchase', of: null, windowMs: 6 * hourMs },
  { kind: 'conversion', name: 'funnel', event: 'purchase', of: 'view', windowMs: 2 * hourMs },
  { kind: 'conversion', name: 'repeat', event: 'purchase', of: 'purchase', windowMs: 4 * hourMs },
  { kind: 'value', name: 'order-value', event: 'purchase', cap: 50 },
  { kind: 'revenue', name: 'revenue', event: 'purchase', cap: 50 },
  { kind: 'events', name: 'views', event: 'view' },
  { kind: 'retention', name: 'day-1', day: 1 },
];

export function experimentOf(changes: Partial<Experiment> = {}): Experiment {
  return {
    metrics,
    alpha: 0.05,
    expectedUserCount: null,
    leastMs: 0,
    stopWhen: null,
    then: 'report',
    keepMs: 30 * dayMs,
    timeZone: 'Asia/Shanghai',
    ...changes,
  };
}

export const versions = ['stable', 'canary', 'bold'];

/** What happened to a rollout and its users, each with the time at which it came in. */
export type Lives = {
  readonly splits: readonly SplitChange[];
  readonly exposures: readonly { readonly exposure: Exposure; readonly nowMs: number }[];
  readonly events: readonly { readonly event: BusinessEvent; readonly nowMs: number }[];
};

const release = { rollout: 'shop', release: '2' };

const splitPlans: readonly (readonly number[])[] = [
  [100, 0, 0],
  [90, 10, 0],
  [80, 10, 10],
  [50, 50, 0],
  [40, 30, 30],
  [0, 100, 0],
];

/** Splits come at once; exposures in order, up to a quarter of an hour late; events in any order, up to an hour late. */
export const someLives = record({
  splits: array(
    record({ plan: constantFrom(...splitPlans), afterMs: integer({ min: 2 * minuteMs, max: 10 * hourMs }) }),
    {
      minLength: 1,
      maxLength: 5,
    },
  ),
  lateMs: integer({ min: 0, max: hourMs / 4 }),
  visits: array(record({ user: integer({ min: 0, max: 11 }), atMs: integer({ min: 0, max: 40 * hourMs }) }), {
    maxLength: 60,
  }),
  acts: array(
    record({
      user: integer({ min: 0, max: 11 }),
      event: constantFrom('view', 'purchase', 'purchase', 'unheard-of'),
      value: integer({ min: 0, max: 80 }),
      atMs: integer({ min: 0, max: 40 * hourMs }),
      lateMs: integer({ min: 0, max: hourMs - 1 }),
    }),
    { maxLength: 60 },
  ),
}).map(({ splits, lateMs, visits, acts }): Lives => {
  let atMs = T0;
  const changes = splits.map(({ plan, afterMs }, i) => {
    if (i > 0) atMs += afterMs;
    return { ...release, percents: plan, atMs };
  });
  return {
    splits: changes,
    exposures: visits
      .toSorted((a, b) => a.atMs - b.atMs)
      .map(({ user, atMs: afterMs }) => ({
        exposure: exposureOf(changes, user, T0 + afterMs),
        nowMs: T0 + afterMs + lateMs,
      })),
    events: acts.map(({ user, event, value, atMs: afterMs, lateMs: late }, i) => ({
      event: { id: `e${i}`, rollout: 'shop', user: `u${user}`, event, value, atMs: T0 + afterMs },
      nowMs: T0 + afterMs + late,
    })),
  };
});

/** By the split in force at a time. Users have buckets all over the place, some next to borders. */
function exposureOf(splits: readonly SplitChange[], user: number, atMs: number): Exposure {
  const { percents } = splits.findLast((split) => split.atMs <= atMs)!;
  const bucket = [0, 99, 999, 1_000, 1_999, 2_000, 2_999, 3_000, 4_999, 5_000, 8_000, 9_999][user]!;
  return { ...release, version: versions[ownerOf(percents, bucket)]!, user: `u${user}`, bucket, percents, atMs };
}

/** Index of the version that a split gives a bucket to. */
export function ownerOf(percents: readonly number[], bucket: number): number {
  let bound = 0;
  return versionIndexAt(
    percents.slice(1).map((percent) => (bound += percent * 100)),
    bucket,
  );
}
