// Users whose outcome is settled at the same time: who entered in one stretch of time (conversion) or on one day (retention). Their
// outcomes are summed up apart until then, so that time makes a sample grow without looking at a single user.
import type { Metric } from '../experiment.ts';
import type { DayClock } from './day-clock.ts';

/** Of metrics that count a user from the first exposure on, and of users whose cohort was settled. */
export const settledCohort = -1;

type Windowed = Extract<Metric, { kind: 'conversion' | 'retention' }>;

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const widthsMs = [24 * hourMs, 6 * hourMs, hourMs, 10 * minuteMs, minuteMs, 10_000, 1_000, 100];

/** Whether users of a metric enter its sample only once their outcome cannot change any more. */
export function isWindowed(metric: Metric): metric is Windowed {
  return metric.kind === 'conversion' || metric.kind === 'retention';
}

/** The cohort of a user who entered at a time. */
export function cohortOf(metric: Windowed, enteredMs: number, clock: DayClock): number {
  return metric.kind === 'retention' ? clock.dayOf(enteredMs) : Math.floor(enteredMs / widthOf(metric.windowMs));
}

/** When the window of the last user of a cohort is over. */
export function windowEndOf(metric: Windowed, cohort: number, clock: DayClock): number {
  if (metric.kind === 'retention') return clock.startOf(cohort + metric.day + 1);
  return (cohort + 1) * widthOf(metric.windowMs) + metric.windowMs;
}

/** From when on nothing is added to a cohort any more: late events have had their time too. */
export function settlesAt(metric: Windowed, cohort: number, clock: DayClock): number {
  return windowEndOf(metric, cohort, clock) + latenessOf(metric);
}

/** How late an event may come and still count: as long as the window, but at least a minute and at most an hour. */
export function latenessOf(metric: Windowed): number {
  if (metric.kind === 'retention') return hourMs;
  return Math.min(hourMs, Math.max(minuteMs, metric.windowMs));
}

/** At most a twenty-fourth of the window, where that is not less than a tenth of a second. */
function widthOf(windowMs: number): number {
  return widthsMs.find((widthMs) => widthMs <= windowMs / 24) ?? widthsMs.at(-1)!;
}
