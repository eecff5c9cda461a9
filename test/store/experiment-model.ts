// Experiments as the docs have them: everything that came in is remembered, and each question is answered by looking at every user
// anew. No sums, no records, nothing that is kept up; to hold the store against.

import type { ExperimentFigures, Metric } from '../../src/rollout/experiment.ts';
import type { ExperimentBatch, ExperimentEntry } from '../../src/rollout/experiment/entries.ts';
import { createDayClock, type DayClock } from '../../src/rollout/experiment/day-clock.ts';
import {
  type Column,
  type Entered,
  enteredOf,
  type Person,
  type Phase,
  phasesOf,
  type Split,
} from './experiment-model-entered.ts';
import { actsOf, contributionOf, type Contribution, widthOf } from './experiment-model-users.ts';

type Row = {
  readonly release: string;
  readonly createdMs: number;
  readonly splits: Split[];
  supersededMs: number;
  columns: readonly Column[];
  timeZone: string;
  readonly people: Person[];
  readonly totals: Map<string, { event: string; count: number; valueSum: number }>;
};

/** Of every release. */
export const versions = ['stable', 'canary', 'bold'];
const graceMs = 60_000;

/** What a shop's experiments are by now. */
export class ExperimentModel {
  readonly #rows: Row[] = [];
  readonly #known = new Set<string>();

  /** As `ExperimentStore.apply`, of the rollout `shop`. */
  apply({ nowMs, observations, entries }: ExperimentBatch): void {
    const { release, experiment } = observations['shop']!;
    for (const entry of entries) {
      if (entry.kind === 'event') this.#act(entry, nowMs);
      else {
        const decided = entry.kind === 'exposure' ? entry.exposure : entry.change;
        if (entry.kind === 'split' && !this.#isNew(JSON.stringify(decided))) continue;
        const row = this.#rowOf(decided.release, decided.atMs, entry.kind === 'split' && decided.release === release);
        if (row === undefined) continue;
        if (decided.release === release && row.supersededMs === Infinity) observe(row, experiment);
        if (entry.kind === 'split') row.splits.push(entry.change);
        else this.#visit(row, entry, nowMs);
      }
    }
  }

  forget(user: string): void {
    for (const { people } of this.#rows) for (const one of people) if (one.user === user) one.isForgotten = true;
  }

  /** What a report says of a release. */
  figures(release: string, nowMs: number) {
    const row = this.#rows.findLast((one) => one.release === release)!;
    const clock = createDayClock(row.timeZone);
    const phases = phasesOf(row);
    const entered = row.people.flatMap((person) => enteredOf(person, phases) ?? []);
    const compared = entered.filter(({ isCrossed, isMoved }) => !isCrossed && !isMoved);
    return {
      phases: phases.map((phase) => ({
        percents: phase.percents,
        exposed: versions.map((_, i) => entered.filter((one) => one.phase === phase && one.version === i).length),
      })),
      leftOut: {
        crossed: entered.filter(({ isCrossed }) => isCrossed).length,
        moved: entered.filter(({ isCrossed, isMoved }) => isMoved && !isCrossed).length,
      },
      metrics: Object.fromEntries(
        row.columns.map((column) => [column.metric.name, metricOf({ column, compared, phases, clock, nowMs })]),
      ),
      events: [...row.totals.values()].toSorted((a, b) => (a.event < b.event ? -1 : 1)),
    };
  }

  #isNew(id: string): boolean {
    return !this.#known.has(id) && this.#known.add(id).has(id);
  }

  #rowOf(release: string, atMs: number, mayBegin: boolean): Row | undefined {
    const row = this.#rows.findLast((one) => one.release === release);
    if (row !== undefined && atMs < row.supersededMs + graceMs && (row === this.#rows.at(-1) || !mayBegin)) return row;
    if (!mayBegin) return undefined;
    const last = this.#rows.at(-1);
    if (last !== undefined) last.supersededMs = atMs;
    const next: Row = {
      release,
      createdMs: atMs,
      splits: [],
      supersededMs: Infinity,
      columns: [],
      timeZone: '',
      people: [],
      totals: new Map(),
    };
    this.#rows.push(next);
    return next;
  }

  #visit(row: Row, { exposure }: Extract<ExperimentEntry, { kind: 'exposure' }>, nowMs: number): void {
    const { user, version, bucket, percents, atMs } = exposure;
    const visit = { kind: 'visit', version: versions.indexOf(version), bucket, percents, atMs } as const;
    personOf(row, user).items.push({ ...visit, nowMs, columns: row.columns });
  }

  #act({ event }: Extract<ExperimentEntry, { kind: 'event' }>, nowMs: number): void {
    if (!this.#isNew(event.id)) return;
    const row = this.#rows.findLast(({ createdMs }) => createdMs <= event.atMs) ?? this.#rows.at(-1)!;
    const { count = 0, valueSum = 0 } = row.totals.get(event.event) ?? {};
    row.totals.set(event.event, { event: event.event, count: count + 1, valueSum: valueSum + event.value });
    const act = { kind: 'act', event: event.event, value: event.value, atMs: event.atMs } as const;
    personOf(row, event.user).items.push({ ...act, nowMs, columns: row.columns });
  }
}

function personOf({ people }: Row, user: string): Person {
  const known = people.find((one) => one.user === user && !one.isForgotten);
  if (known !== undefined) return known;
  const person = { user, items: [], isForgotten: false };
  people.push(person);
  return person;
}

/** A metric that stays goes on; days of another zone are another retention. */
function observe(row: Row, { metrics, timeZone }: ExperimentBatch['observations'][string]['experiment']): void {
  const stays = ({ metric }: Column, wanted: Metric): boolean =>
    JSON.stringify(metric) === JSON.stringify(wanted) && (metric.kind !== 'retention' || timeZone === row.timeZone);
  const next = metrics.map((metric) => row.columns.find((column) => stays(column, metric)) ?? { metric });
  row.timeZone = timeZone;
  if (next.some((column, i) => column !== row.columns[i])) row.columns = next;
}

type MetricQuestion = {
  readonly column: Column;
  readonly compared: readonly Entered[];
  readonly phases: readonly Phase[];
  readonly clock: DayClock;
  readonly nowMs: number;
};

/** The numbers of each phase and version, and who waits. */
function metricOf({ column, compared, phases, clock, nowMs }: MetricQuestion) {
  const width = widthOf(column.metric);
  const waiting = versions.map(() => 0);
  const numbers = phases.map(() => versions.map(() => Array.from({ length: width }, () => 0)));
  for (const one of compared) {
    if (!one.columns.includes(column)) continue;
    const acts = actsOf(one, column);
    const found: Contribution = contributionOf({ metric: column.metric, one, acts, clock, nowMs });
    if (found === 'lost') continue;
    if (found === 'waiting') waiting[one.version]! += 1;
    else {
      const sums = numbers[phases.indexOf(one.phase)]![one.version]!;
      for (const [i, value] of found.entries()) sums[i]! += value;
    }
  }
  return { numbers, waiting };
}

/** The same of what the store says. */
export function plainFigures({ phases, leftOut, metrics, events }: ExperimentFigures) {
  return {
    phases: phases.map(({ percents, exposed }) => ({ percents, exposed })),
    leftOut,
    metrics: Object.fromEntries(
      metrics.map(({ metric, samples, paired, waiting }) => [
        metric.name,
        {
          numbers: samples.map((each, phase) => each.map((_, i) => numbersOf(metric, each[i]!, paired?.[phase]?.[i]))),
          waiting,
        },
      ]),
    ),
    events: [...events].toSorted((a, b) => (a.event < b.event ? -1 : 1)),
  };
}

/** Without a past of anybody there is nothing to pair. */
function numbersOf(metric: Metric, sample: object, paired: object | undefined): number[] {
  const numbers = Object.values(paired ?? sample).filter((value) => typeof value === 'number');
  while (numbers.length < widthOf(metric)) numbers.push(0);
  return numbers;
}
