// One release of a rollout as its users go by: phases, metrics, sums and days together. Records come in and go out one by one; what
// has changed besides is taken out after a batch, to be kept with them.
import type { DayFigures, Experiment, ExperimentFigures, Exposure, Metric } from '../experiment.ts';
import { createDayClock, type DayClock } from './day-clock.ts';
import type { SplitChange } from './entries.ts';
import {
  type CohortStanding,
  dayFigures,
  standingOf,
  summedFigures,
  type SummedFigures,
} from './experiment-figures.ts';
import { type BlockPlace, ExperimentSums, type SumBlock, usersColumn } from './experiment-sums.ts';
import { isWindowed, settledCohort } from './cohorts.ts';
import { comparedCells, endPhases, noteSplit, phaseOfExposure, type SplitPhase } from './split-phases.ts';
import type { PendingEvent, UserRecord } from './user-record.ts';
import { afterEvent, afterExposure, columnsOf, type Frame, type MetricColumns } from './user-rules.ts';

/** What is kept of an experiment besides sums and records. Plain JSON. */
export type ExperimentPlan = {
  readonly versions: readonly string[];
  readonly timeZone: string;
  readonly keepMs: number;
  /** By column; null: not counted any more. */
  readonly metrics: readonly (Metric | null)[];
  readonly phases: readonly SplitPhase[];
  /** When the day began whose figures are still open; null before the first phase. */
  readonly openDayMs: number | null;
};

const dayMs = 86_400_000;

export class LiveExperiment {
  readonly sums: ExperimentSums;
  #observed: Experiment | null = null;
  #plan: ExperimentPlan;
  #columns: MetricColumns;
  #clock: DayClock;
  #compared: { readonly phases: readonly SplitPhase[]; readonly cells: readonly (readonly Uint8Array[])[] } | null =
    null;

  constructor(plan: ExperimentPlan, blocks: Iterable<SumBlock> = []) {
    this.#plan = plan;
    this.#columns = columnsOf(plan.metrics);
    this.#clock = createDayClock(plan.timeZone);
    this.sums = new ExperimentSums(blocks);
  }

  /** Changes when anything in it does. */
  get plan(): ExperimentPlan {
    return this.#plan;
  }

  /** Follows an edited experiment: a metric that is new, or not what it was, counts users who are exposed from now on. */
  observe(experiment: Experiment): void {
    if (experiment === this.#observed) return;
    this.#observed = experiment;
    const { metrics, timeZone, keepMs } = experiment;
    const { metrics: before, timeZone: zoneBefore } = this.#plan;
    if (timeZone !== zoneBefore) this.#clock = createDayClock(timeZone);
    const wanted = new Map(metrics.map((metric) => [meaningOf(metric), metric]));
    const kept = before.map((metric) => {
      if (metric === null || (metric.kind === 'retention' && timeZone !== zoneBefore)) return null;
      return wanted.delete(meaningOf(metric)) ? metric : null;
    });
    if (kept.every((metric, i) => metric === before[i]) && wanted.size === 0 && timeZone === zoneBefore) {
      if (keepMs !== this.#plan.keepMs) this.#plan = { ...this.#plan, keepMs };
      return;
    }
    this.#plan = { ...this.#plan, timeZone, keepMs, metrics: [...kept, ...wanted.values()] };
    this.#columns = columnsOf(this.#plan.metrics);
  }

  splitChanged({ percents, atMs }: Pick<SplitChange, 'percents' | 'atMs'>): void {
    if (percents.length === this.#plan.versions.length) this.#follow(noteSplit(this.#plan.phases, { percents, atMs }));
  }

  /** Ends the comparison: the next release began. */
  end(atMs: number): void {
    this.#follow(endPhases(this.#plan.phases, atMs));
  }

  /** The record after an exposure; the same one where the exposure is not of this experiment's versions. */
  exposed(record: UserRecord, exposure: Exposure, nowMs: number): UserRecord {
    const { bucket, atMs, percents } = exposure;
    const version = this.#plan.versions.indexOf(exposure.version);
    if (version < 0 || percents.length !== this.#plan.versions.length) return record;
    const { phases, index } = phaseOfExposure(this.#plan.phases, { percents, atMs });
    this.#follow(phases);
    return this.#replaced(record, afterExposure(record, { version, bucket, phase: index, atMs }, this.#frame(nowMs)));
  }

  /** The record after an event that was not counted before. */
  happened(record: UserRecord, event: PendingEvent, nowMs: number): UserRecord {
    return this.#replaced(record, afterEvent(record, event, this.#frame(nowMs)));
  }

  /** What the sums say at a time; days, totals and names are the keeper's. */
  summed(nowMs: number): SummedFigures {
    const { metrics, phases, versions } = this.#plan;
    if (this.#compared?.phases !== phases) {
      this.#compared = { phases, cells: phases.map((_, i) => comparedCells(phases, i)) };
    }
    const compared = this.#compared.cells;
    return summedFigures({ sums: this.sums, metrics, phases, compared, versions, clock: this.#clock }, nowMs);
  }

  /** The figures of the day that is not over yet; null before the first phase. */
  today(summed: SummedFigures): DayFigures | null {
    const { openDayMs, versions } = this.#plan;
    return openDayMs === null ? null : dayFigures(summed, versions, openDayMs);
  }

  /** The days that ended since the last call, the oldest first; call it before anything of a later day is counted. */
  endDays(nowMs: number): DayFigures[] {
    const ended: DayFigures[] = [];
    const lastMs = this.#overMs() === null ? nowMs : Math.min(nowMs, this.#overMs()! + 2 * dayMs);
    for (let { openDayMs } = this.#plan; openDayMs !== null;) {
      const nextMs = this.#clock.startOf(this.#clock.dayOf(openDayMs) + 1);
      if (nextMs > lastMs) break;
      ended.push(dayFigures(this.summed(nextMs), this.#plan.versions, openDayMs));
      openDayMs = nextMs;
      this.#plan = { ...this.#plan, openDayMs };
    }
    return ended;
  }

  /** Joins cohorts that are settled and lets go of those that never will be, and of metrics that are not counted any more. */
  settle(nowMs: number): void {
    for (const { place } of this.sums.blocks()) {
      if (place.column === usersColumn) continue;
      const standing = this.#standingOf(place, nowMs);
      if (standing === 'lost') this.sums.remove(place);
      else if (standing === 'settled' && place.cohort !== settledCohort) this.sums.moveInto(place, settledCohort);
    }
  }

  /** How long after the last sight a record is kept: not less than it takes to know what became of the user. */
  get keepMs(): number {
    const windows = this.#plan.metrics.map((metric) => {
      if (metric === null || !isWindowed(metric)) return 0;
      return metric.kind === 'retention' ? (metric.day + 2) * dayMs : metric.windowMs + dayMs;
    });
    return Math.max(this.#plan.keepMs, ...windows);
  }

  #follow(phases: readonly SplitPhase[]): void {
    const { phases: before, openDayMs } = this.#plan;
    if (phases === before) return;
    const first = phases[0]!;
    const dayOfFirst = this.#clock.startOf(this.#clock.dayOf(first.beganMs));
    this.#plan = { ...this.#plan, phases, openDayMs: openDayMs ?? dayOfFirst };
  }

  #replaced(before: UserRecord, after: UserRecord): UserRecord {
    this.sums.replace(before, after, this.#columns.metrics, this.#clock);
    return after;
  }

  #standingOf({ column, phase, cohort }: BlockPlace, nowMs: number): CohortStanding {
    const metric = this.#plan.metrics[column] ?? null;
    if (metric === null) return 'lost';
    return standingOf({ metric, cohort, overMs: this.#plan.phases[phase]!.overMs }, this.#clock, nowMs);
  }

  #overMs(): number | null {
    return this.#plan.phases.at(-1)?.overMs ?? null;
  }

  #frame(nowMs: number): Frame {
    return { columns: this.#columns, phases: this.#plan.phases, clock: this.#clock, nowMs };
  }
}

/** The plan of an experiment that begins. */
export function planOf(versions: readonly string[], { metrics, timeZone, keepMs }: Experiment): ExperimentPlan {
  return { versions, timeZone, keepMs, metrics, phases: [], openDayMs: null };
}

/** When an experiment began: with its first phase; before that there is nothing to compare. */
export function beganMsOf({ phases }: ExperimentPlan, createdMs: number): ExperimentFigures['beganMs'] {
  return phases[0]?.beganMs ?? createdMs;
}

/** The same text for metrics that count the same under the same name. */
function meaningOf(metric: Metric): string {
  return JSON.stringify(metric, Object.keys(metric).toSorted());
}
