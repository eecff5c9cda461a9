// The experiments that are being written to, held open in memory: which one an entry belongs to, and what of them has to be written
// after a batch. Runs in the thread of the experiments only; whoever rolls a batch back must open a new shelf.

import type { DatabaseSync } from 'node:sqlite';
import type { Exposure } from '../rollout/experiment.ts';
import { addTo } from '../rollout/experiment/compensated-sum.ts';
import type { Observation, SplitChange } from '../rollout/experiment/entries.ts';
import { type ExperimentPlan, LiveExperiment, planOf } from '../rollout/experiment/live-experiment.ts';
import { type EventTotal, type ExperimentRow, experimentRows } from './experiment-rows.ts';

/** An experiment in memory. */
export type OpenExperiment = {
  row: ExperimentRow;
  readonly live: LiveExperiment;
  /** Events counted since the last write, by name and version. */
  readonly totals: Map<string, EventTotal>;
  savedPlan: ExperimentPlan;
};

/** Decided by the release before, an exposure may come this much later. */
const graceMs = 60_000;
/** When something was last heard of an experiment is written down at most so often. */
const dayMs = 86_400_000;

type Decided = Pick<Exposure, 'rollout' | 'release' | 'percents' | 'atMs'>;

export class ExperimentShelf {
  readonly rows: ReturnType<typeof experimentRows>;
  /** By rollout, the newest last. */
  readonly #known = new Map<string, ExperimentRow[]>();
  readonly #open = new Map<number, OpenExperiment>();
  /** Used since the last write. */
  readonly #touched = new Set<OpenExperiment>();

  constructor(database: DatabaseSync) {
    this.rows = experimentRows(database);
    for (const row of this.rows.all()) this.#listOf(row.rollout).push(row);
  }

  known(): readonly ExperimentRow[] {
    return [...this.#known.values()].flat();
  }

  /** The newest of a release, or of all; null where there is none. */
  find(rollout: string, release: string | null): ExperimentRow | null {
    return this.#listOf(rollout).findLast((row) => release === null || row.release === release) ?? null;
  }

  /** Of a split that was published; null where its release is over, or was never heard of and is not that of the policy. */
  ofSplit(change: SplitChange, observation: Observation, nowMs: number): OpenExperiment | null {
    const { rollout, atMs } = change;
    return isOf(observation, change) ? this.#newest(rollout, observation, atMs, nowMs) : this.#ofOther(change, nowMs);
  }

  /** Of an exposure, as `ofSplit`; but a release that is over comes back with its split only. */
  ofExposure(exposure: Exposure, observation: Observation, nowMs: number): OpenExperiment | null {
    const { rollout, release, version, atMs } = exposure;
    const isOver = (this.find(rollout, release)?.supersededMs ?? null) !== null;
    const isCurrent = !isOver && isOf(observation, exposure) && observation.versions.includes(version);
    return isCurrent ? this.#newest(rollout, observation, atMs, nowMs) : this.#ofOther(exposure, nowMs);
  }

  /** Of an event: the release that was in force when it happened, as far as it is known. */
  ofEvent(rollout: string, observation: Observation, atMs: number, nowMs: number): OpenExperiment {
    const rows = this.#listOf(rollout);
    const row = rows.findLast(({ createdMs }) => createdMs <= atMs) ?? rows.at(-1);
    return row === undefined ? this.#newest(rollout, observation, atMs, nowMs) : this.#hear(row, nowMs);
  }

  /** Opens an experiment, if need be, to be written after the batch; days that are over are written before anything else changes. */
  touch(row: ExperimentRow, nowMs: number): OpenExperiment {
    const open = this.look(row);
    if (this.#touched.has(open)) return open;
    this.#touched.add(open);
    for (const day of open.live.endDays(nowMs)) this.rows.saveDay(row.id, day);
    return open;
  }

  /** Opens an experiment, if need be, to look at it. */
  look(row: ExperimentRow): OpenExperiment {
    return this.#open.get(row.id) ?? this.#load(row);
  }

  /** Writes what has changed, and closes what no batch needs any more. */
  write(): void {
    for (const open of this.#touched) {
      const { row, live, totals, savedPlan } = open;
      if (live.plan !== savedPlan) this.rows.savePlan(row.id, live.plan);
      open.savedPlan = live.plan;
      const { changed, removed } = live.sums.takeChanges();
      for (const place of removed) this.rows.removeBlock(row.id, place);
      for (const block of changed) this.rows.saveBlock(row.id, block);
      for (const total of totals.values()) this.rows.addTotal(row.id, total);
      totals.clear();
    }
    for (const [id, open] of this.#open) {
      if (open.row.supersededMs !== null && !this.#touched.has(open)) this.#open.delete(id);
    }
    this.#touched.clear();
  }

  /** Removes an experiment with its figures. */
  remove({ id, rollout }: ExperimentRow): void {
    this.rows.remove(id);
    this.#open.delete(id);
    this.#known.set(
      rollout,
      this.#listOf(rollout).filter((row) => row.id !== id),
    );
  }

  /** Of the release of the policy: where it is not the newest, or its versions have changed, one that begins now. */
  #newest(rollout: string, observation: Observation, atMs: number, nowMs: number): OpenExperiment {
    const row = this.find(rollout, null);
    const newest = row === null ? null : this.#hear(row, nowMs);
    const goesOn =
      newest?.row.release === observation.release && isSame(newest.live.plan.versions, observation.versions);
    const open = goesOn ? newest : this.#begin(newest, { rollout, observation, atMs, heardMs: nowMs });
    open.live.observe(observation.experiment);
    return open;
  }

  /** What the policy of another time decided belongs to its release as that was, for as long as it may be late. */
  #ofOther({ rollout, release, atMs }: Decided, nowMs: number): OpenExperiment | null {
    const row = this.find(rollout, release);
    const isPast = row === null || (row.supersededMs !== null && atMs >= row.supersededMs + graceMs);
    return isPast ? null : this.#hear(row, nowMs);
  }

  #hear(row: ExperimentRow, nowMs: number): OpenExperiment {
    const open = this.touch(row, nowMs);
    if (nowMs >= row.heardMs + dayMs) this.rows.hear(row, nowMs);
    return open;
  }

  #begin(
    before: OpenExperiment | null,
    {
      rollout,
      observation,
      atMs,
      heardMs,
    }: { rollout: string; observation: Observation; atMs: number; heardMs: number },
  ): OpenExperiment {
    const createdMs = Math.max(atMs, before?.row.createdMs ?? atMs);
    if (before !== null) this.#supersede(before, createdMs);
    const plan = planOf(observation.versions, observation.experiment);
    const named = { rollout, release: observation.release, createdMs, heardMs };
    const row = { id: this.rows.insert(named, plan), ...named, supersededMs: null };
    this.#listOf(rollout).push(row);
    const open = { row, live: new LiveExperiment(plan), totals: new Map<string, EventTotal>(), savedPlan: plan };
    this.#open.set(row.id, open);
    this.#touched.add(open);
    return open;
  }

  #supersede(open: OpenExperiment, atMs: number): void {
    open.live.end(atMs);
    this.rows.supersede(open.row.id, atMs);
    open.row = { ...open.row, supersededMs: atMs };
    this.#listOf(open.row.rollout).splice(-1, 1, open.row);
  }

  #load(row: ExperimentRow): OpenExperiment {
    const plan = this.rows.plan(row.id);
    const live = new LiveExperiment(plan, this.rows.blocks(row.id));
    const open = { row, live, totals: new Map<string, EventTotal>(), savedPlan: plan };
    this.#open.set(row.id, open);
    return open;
  }

  #listOf(rollout: string): ExperimentRow[] {
    const list = this.#known.get(rollout) ?? [];
    this.#known.set(rollout, list);
    return list;
  }
}

/** Counts an event among those of its experiment. */
export function countTotal({ totals }: OpenExperiment, event: string, version: string, value: number): void {
  const key = `${event}/${version}`;
  const total = totals.get(key) ?? { event, version, count: 0, value: { sum: 0, rest: 0 } };
  total.count += 1;
  addTo(total.value, value);
  totals.set(key, total);
}

/** Whether it was decided by the policy that is observed. */
function isOf(observation: Observation, { release, percents }: Pick<Decided, 'release' | 'percents'>): boolean {
  return release === observation.release && percents.length === observation.versions.length;
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}
