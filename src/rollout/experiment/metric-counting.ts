// What each kind of metric keeps of a user, how an event or a sight changes it, and what the user then adds to the sums.
import type { Metric } from '../experiment.ts';
import { cohortOf, settledCohort, settlesAt } from './cohorts.ts';
import type { DayClock } from './day-clock.ts';
import type { MetricCount } from './user-record.ts';

type Of<K extends Metric['kind']> = Extract<Metric, { kind: K }>;

/** Something that an exposed user did; `nowMs` is when it came. */
export type Happened = {
  readonly event: string;
  readonly value: number;
  readonly atMs: number;
  readonly nowMs: number;
  readonly enteredMs: number;
  readonly clock: DayClock;
};

/** What a user adds to the sums of a metric: `values` as `sampleWidths` counts them. */
export type Contribution = { readonly cohort: number; readonly values: readonly number[] };

type Counting<M extends Metric> = {
  readonly start: MetricCount;
  /** Whether an event of this name changes anything. */
  cares(metric: M, event: string): boolean;
  /** After an event of a name that it cares for, at or after the exposure. The same count where nothing changes. */
  after(metric: M, count: MetricCount, happened: Happened): MetricCount;
  /** After an event from before the exposure. */
  past(metric: M, count: MetricCount, value: number): MetricCount;
  contribution(metric: M, count: MetricCount, enteredMs: number, clock: DayClock): Contribution | null;
};

/** Numbers a metric sums up. Proportions: users, hits. `value`: users, value, units, their squares, products. Others: users, y, y², x, x², xy, users whose y is not 0. */
export const sampleWidths: Readonly<Record<Metric['kind'], number>> = {
  conversion: 2,
  retention: 2,
  value: 6,
  revenue: 7,
  events: 7,
};

/** Whether all that a metric sums up is whole, so that adding it up rounds nothing. */
export function sumsWholeNumbers({ kind }: Metric): boolean {
  return kind !== 'value' && kind !== 'revenue';
}

/** `[hit]`, or with `of` the time of entry (0: none) and the times of `event` that may decide, ascending. */
const conversion: Counting<Of<'conversion'>> = {
  start: [0],
  cares: (metric, event) => event === metric.event || event === metric.of,
  after(metric, count, happened) {
    if (metric.of !== null) return afterInFunnel(metric, count, happened);
    const { atMs, enteredMs } = happened;
    const isHit = atMs < enteredMs + metric.windowMs && isOpen(metric, enteredMs, happened);
    return isHit && count[0] === 0 ? [1] : count;
  },
  past: (_, count) => count,
  contribution(metric, count, enteredMs, clock) {
    if (metric.of === null) return { cohort: cohortOf(metric, enteredMs, clock), values: [1, count[0]!] };
    const ofMs = count[0]!;
    if (ofMs === 0) return null;
    const isHit = count.some((atMs, i) => i > 0 && isInFunnel(metric, ofMs, atMs));
    return { cohort: cohortOf(metric, ofMs, clock), values: [1, isHit ? 1 : 0] };
  },
};

/** `[hit]`; changed by sights, not by events. */
const retention: Counting<Of<'retention'>> = {
  start: [0],
  cares: () => false,
  after: (_, count) => count,
  past: (_, count) => count,
  contribution: (metric, count, enteredMs, clock) => ({
    cohort: cohortOf(metric, enteredMs, clock),
    values: [1, count[0]!],
  }),
};

/** `[units, value]`. */
const value: Counting<Of<'value'>> = {
  start: [0, 0],
  cares: (metric, event) => event === metric.event,
  after: (metric, [units, sum], happened) => [units! + 1, sum! + capped(metric.cap, happened.value)],
  past: (_, count) => count,
  contribution: (_, [units, sum]) => ({
    cohort: settledCohort,
    values: [1, sum!, units!, sum! * sum!, units! * units!, sum! * units!],
  }),
};

/** `[y, x]`: since the exposure, and before it. */
const revenue: Counting<Of<'revenue'>> = {
  start: [0, 0],
  cares: (metric, event) => event === metric.event,
  after: (metric, [y, x], happened) => [y! + capped(metric.cap, happened.value), x!],
  past: (metric, [y, x], worth) => [y!, x! + capped(metric.cap, worth)],
  contribution: (_, count) => pairedContribution(count),
};

/** `[y, x]`, as `revenue`. */
const events: Counting<Of<'events'>> = {
  start: [0, 0],
  cares: (metric, event) => event === metric.event,
  after: (_, [y, x]) => [y! + 1, x!],
  past: (_, [y, x]) => [y!, x! + 1],
  contribution: (_, count) => pairedContribution(count),
};

const countings: { readonly [K in Metric['kind']]: Counting<Of<K>> } = {
  conversion,
  retention,
  value,
  revenue,
  events,
};

/** How a metric is counted. */
export function countingOf(metric: Metric): Counting<Metric> {
  return countings[metric.kind];
}

/** Of a retention: the user was seen at a time. */
export function afterSight(
  metric: Of<'retention'>,
  count: MetricCount,
  seen: Omit<Happened, 'event' | 'value'>,
): MetricCount {
  const { atMs, enteredMs, clock } = seen;
  if (count[0] === 1 || clock.dayOf(atMs) !== clock.dayOf(enteredMs) + metric.day) return count;
  return isOpen(metric, enteredMs, seen) ? [1] : count;
}

/** Of one funnel: times of `event` that are kept while the entry may still move to an earlier `of` that comes late. */
const keptTimeCount = 8;

function afterInFunnel(metric: Of<'conversion'>, count: MetricCount, happened: Happened): MetricCount {
  const [ofMs = 0, ...times] = count;
  const { event, atMs } = happened;
  if (ofMs !== 0 && !isOpen(metric, ofMs, happened)) return count;
  const entersEarlier = event === metric.of && (ofMs === 0 || atMs < ofMs) && isOpen(metric, atMs, happened);
  const nextOfMs = entersEarlier ? atMs : ofMs;
  const nextTimes = event === metric.event && !times.includes(atMs) ? [...times, atMs] : times;
  if (nextOfMs === ofMs && nextTimes === times) return count;
  return [nextOfMs, ...keptTimes(metric, nextOfMs, nextTimes)];
}

/** The first time within the window decides; earlier ones could, if the user entered earlier than known. */
function keptTimes(metric: Of<'conversion'>, ofMs: number, times: readonly number[]): readonly number[] {
  const sorted = times.toSorted((a, b) => a - b);
  if (ofMs === 0) return sorted.slice(-keptTimeCount);
  const deciding = sorted.findIndex((atMs) => isInFunnel(metric, ofMs, atMs));
  const earlier = sorted.filter((atMs) => atMs <= ofMs && !isInFunnel(metric, ofMs, atMs));
  return [...earlier.slice(1 - keptTimeCount), ...(deciding < 0 ? [] : [sorted[deciding]!])];
}

/** An event that is its own `of` counts when it is done again. */
function isInFunnel({ event, of, windowMs }: Of<'conversion'>, ofMs: number, atMs: number): boolean {
  return (event === of ? atMs > ofMs : atMs >= ofMs) && atMs < ofMs + windowMs;
}

function isOpen(
  metric: Of<'conversion' | 'retention'>,
  enteredMs: number,
  { nowMs, clock }: Pick<Happened, 'nowMs' | 'clock'>,
): boolean {
  return nowMs < settlesAt(metric, cohortOf(metric, enteredMs, clock), clock);
}

function pairedContribution([y, x]: MetricCount): Contribution {
  return { cohort: settledCohort, values: [1, y!, y! * y!, x!, x! * x!, x! * y!, y === 0 ? 0 : 1] };
}

function capped(cap: number | null, worth: number): number {
  return cap === null ? worth : Math.min(cap, worth);
}
