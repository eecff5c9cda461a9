// The sums of an experiment: by metric, phase, version and cohort, and in each by cell of buckets. What a record adds to them is a
// function of the record, so that the sums are at any time what adding up all records gives.
import { roundingOf } from './compensated-sum.ts';
import type { Metric } from '../experiment.ts';
import { cellCount, cellOf } from './bucket-cells.ts';
import { settledCohort } from './cohorts.ts';
import type { DayClock } from './day-clock.ts';
import { countingOf, sumsWholeNumbers } from './metric-counting.ts';
import type { UserRecord } from './user-record.ts';

/** The column of the users themselves: exposed, and of those crossed. */
export const usersColumn = -1;
/** Of the sums in that column. */
export const usersWidth = 2;

/** Where a block of sums belongs; `phase` and `version` are indexes. */
export type BlockPlace = {
  readonly column: number;
  readonly phase: number;
  readonly version: number;
  readonly cohort: number;
};

/**
 * `sums` has the numbers of a sample (`sampleWidths`) for each cell, cell after cell; `rests`, in the same places, what rounding has
 * taken from them and is to be added by whoever reads them. null: nothing, they are whole numbers.
 */
export type SumBlock = { readonly place: BlockPlace; readonly sums: Float64Array; readonly rests: Float64Array | null };

/** The metrics by column; null: one that is not counted any more. */
type Metrics = readonly (Metric | null)[];

export class ExperimentSums {
  readonly #blocks = new Map<string, SumBlock>();
  readonly #changed = new Set<string>();
  readonly #removed = new Map<string, BlockPlace>();

  constructor(blocks: Iterable<SumBlock> = []) {
    for (const block of blocks) this.#blocks.set(keyOf(block.place), block);
  }

  blocks(): Iterable<SumBlock> {
    return this.#blocks.values();
  }

  /** What changed since the last call. */
  takeChanges(): { readonly changed: readonly SumBlock[]; readonly removed: readonly BlockPlace[] } {
    const changes = {
      changed: [...this.#changed].flatMap((key) => this.#blocks.get(key) ?? []),
      removed: [...this.#removed.values()],
    };
    this.#changed.clear();
    this.#removed.clear();
    return changes;
  }

  /** Takes out what a record added, and adds what it has become. Cost: linear in the metrics that changed. */
  replace(before: UserRecord, after: UserRecord, metrics: Metrics, clock: DayClock): void {
    const isSameEntry = before.entry === after.entry && before.isCrossed === after.isCrossed;
    if (!isSameEntry) {
      this.#addUser(before, -1);
      this.#addUser(after, 1);
    }
    for (const [column, metric] of metrics.entries()) {
      if (metric === null || (isSameEntry && before.counts[column] === after.counts[column])) continue;
      this.#addMetric(before, { column, metric, clock }, -1);
      this.#addMetric(after, { column, metric, clock }, 1);
    }
  }

  /** Adds one block to another and removes it: a cohort that is settled joins the settled ones. */
  moveInto(from: BlockPlace, cohort: number): void {
    const block = this.#blocks.get(keyOf(from));
    if (block === undefined) return;
    const { sums, rests } = block;
    const into = this.#blockAt({ ...from, cohort }, { width: sums.length / cellCount, isWhole: rests === null });
    for (const [i, sum] of sums.entries()) addAt(into, i, sum);
    for (const [i, rest] of rests?.entries() ?? []) into.rests![i]! += rest;
    this.remove(from);
  }

  remove(place: BlockPlace): void {
    const key = keyOf(place);
    this.#blocks.delete(key);
    this.#changed.delete(key);
    this.#removed.set(key, place);
  }

  #addUser({ entry, isCrossed }: UserRecord, sign: 1 | -1): void {
    if (entry === null) return;
    const { phase, version, bucket } = entry;
    const place = { column: usersColumn, phase, version, cohort: settledCohort };
    const { sums } = this.#blockAt(place, { width: usersWidth, isWhole: true });
    sums[cellOf(bucket) * usersWidth]! += sign;
    if (isCrossed) sums[cellOf(bucket) * usersWidth + 1]! += sign;
  }

  #addMetric(
    { entry, isCrossed, counts }: UserRecord,
    { column, metric, clock }: { readonly column: number; readonly metric: Metric; readonly clock: DayClock },
    sign: 1 | -1,
  ): void {
    const count = counts[column] ?? null;
    if (entry === null || isCrossed || count === null) return;
    const contribution = countingOf(metric).contribution(metric, count, entry.atMs, clock);
    if (contribution === null) return;
    const { cohort, values } = contribution;
    const place = { column, phase: entry.phase, version: entry.version, cohort };
    const block = this.#blockAt(place, { width: values.length, isWhole: sumsWholeNumbers(metric) });
    const start = cellOf(entry.bucket) * values.length;
    for (let i = 0; i < values.length; i += 1) addAt(block, start + i, sign * values[i]!);
  }

  #blockAt(place: BlockPlace, { width, isWhole }: { readonly width: number; readonly isWhole: boolean }): SumBlock {
    const key = keyOf(place);
    this.#changed.add(key);
    let block = this.#blocks.get(key);
    if (block === undefined) {
      const length = cellCount * width;
      block = { place, sums: new Float64Array(length), rests: isWhole ? null : new Float64Array(length) };
      this.#blocks.set(key, block);
      this.#removed.delete(key);
    }
    return block;
  }
}

function addAt({ sums, rests }: SumBlock, i: number, value: number): void {
  if (rests !== null) rests[i]! += roundingOf(sums[i]!, value);
  sums[i]! += value;
}

function keyOf({ column, phase, version, cohort }: BlockPlace): string {
  return `${column}/${phase}/${version}/${cohort}`;
}
