// One user of the model of experiments, from everything that is known of the user: what counts, and what it comes to.

import type { Metric } from '../../src/rollout/experiment.ts';
import type { DayClock } from '../../src/rollout/experiment/day-clock.ts';
import { type Act, type Column, type Entered, type Item, isShared } from './experiment-model-entered.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** Events that may wait for the exposure, and for how long. */
const [waitCount, waitMs] = [16, hourMs];

/** An act with the time from which on it could count; `isPast`: it came before the exposure, or is taken for such a one. */
type KnownAct = Act & { readonly nowMs: number; readonly isPast: boolean };
/** The numbers that are added; or that they are still to come, or never will. */
export type Contribution = readonly number[] | 'waiting' | 'lost';

/** How many numbers a user adds. */
export function widthOf({ kind }: Metric): number {
  return kind === 'conversion' || kind === 'retention' ? 2 : 6;
}

/** What the user did that a metric can know of, in the order in which it came. */
export function actsOf({ person, phase, enteredMs }: Entered, column: Column): KnownAct[] {
  const entry = person.items.findIndex((item) => item.kind === 'visit' && isShared(item.percents));
  const entered = person.items[entry]!;
  const known: KnownAct[] = [];
  let waiting: (Item & { kind: 'act' })[] = [];
  for (const item of person.items.slice(0, entry)) {
    if (item.kind !== 'act' || !cares(item)) continue;
    waiting = [...waiting, item].toSorted((a, b) => a.atMs - b.atMs);
    const kept = waiting.slice(-waitCount).filter(({ atMs }) => atMs > item.nowMs - waitMs);
    const past = waiting.slice(0, waiting.length - kept.length);
    if (item.columns.includes(column)) for (const act of past) known.push({ ...act, isPast: true });
    waiting = kept;
  }
  const since = person.items.slice(entry + 1).filter((item) => item.kind === 'act');
  for (const act of [...waiting.map((one) => ({ ...one, nowMs: entered.nowMs })), ...since]) {
    const isPast = act.atMs < enteredMs;
    if (isPast || act.atMs < phase.overMs) known.push({ ...act, isPast });
  }
  return known;
}

function cares({ columns, event }: Extract<Item, { kind: 'act' }>): boolean {
  return columns.some(({ metric }) => eventsOf(metric).includes(event));
}

function eventsOf(metric: Metric): (string | null)[] {
  if (metric.kind === 'retention') return [];
  return metric.kind === 'conversion' ? [metric.event, metric.of] : [metric.event];
}

type Question = {
  readonly metric: Metric;
  readonly one: Entered;
  readonly acts: readonly KnownAct[];
  readonly clock: DayClock;
  readonly nowMs: number;
};

/** What the user adds to a metric at a time. */
export function contributionOf(question: Question): Contribution {
  const { metric, acts } = question;
  if (metric.kind === 'conversion') return conversionOf(question, metric);
  if (metric.kind === 'retention') return retentionOf(question, metric);
  const own = acts.filter(({ event }) => event === metric.event);
  const worth = (isPast: boolean): number[] =>
    own
      .filter((act) => act.isPast === isPast)
      .map(({ value }) => (metric.kind === 'events' ? 1 : Math.min(value, metric.cap ?? Infinity)));
  const [y, x] = [sum(worth(false)), sum(worth(true))];
  const units = worth(false).length;
  if (metric.kind === 'value') return [1, y, units, y * y, units * units, y * units];
  return [1, y, y * y, x, x * x, x * y];
}

/** Users enter together by tenths of hours or minutes; windows of the tests are from one to six hours. */
function conversionOf({ one, acts, nowMs }: Question, metric: Extract<Metric, { kind: 'conversion' }>): Contribution {
  const { event, of, windowMs } = metric;
  const widthMs = windowMs >= 4 * hourMs ? 10 * minuteMs : minuteMs;
  const endOf = (enteredMs: number): number => (Math.floor(enteredMs / widthMs) + 1) * widthMs + windowMs;
  const settlesAt = (enteredMs: number): number => endOf(enteredMs) + hourMs;
  let enteredMs = of === null ? one.enteredMs : null;
  const times: number[] = [];
  for (const act of acts.filter(({ isPast }) => !isPast)) {
    if (enteredMs !== null && act.nowMs >= settlesAt(enteredMs)) continue;
    const isEarlier = enteredMs === null || act.atMs < enteredMs;
    if (act.event === of && isEarlier && act.nowMs < settlesAt(act.atMs)) enteredMs = act.atMs;
    if (act.event === event) times.push(act.atMs);
  }
  if (enteredMs === null || endOf(enteredMs) > one.phase.overMs) return 'lost';
  if (nowMs < settlesAt(enteredMs)) return 'waiting';
  const fromMs = enteredMs;
  const isHit = times.some((atMs) => (event === of ? atMs > fromMs : atMs >= fromMs) && atMs < fromMs + windowMs);
  return [1, isHit ? 1 : 0];
}

function retentionOf({ one, clock, nowMs }: Question, { day }: Extract<Metric, { kind: 'retention' }>): Contribution {
  const wanted = clock.dayOf(one.enteredMs) + day;
  const endMs = clock.startOf(wanted + 1);
  if (endMs > one.phase.overMs) return 'lost';
  if (nowMs < endMs + hourMs) return 'waiting';
  const cameBack = one.person.items.some(
    (item) =>
      item.kind === 'visit' &&
      isShared(item.percents) &&
      clock.dayOf(item.atMs) === wanted &&
      item.nowMs < endMs + hourMs,
  );
  return [1, cameBack ? 1 : 0];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
