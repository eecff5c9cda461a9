// The figures of an experiment from its sums: what is settled by now, of the cells that are still compared. Never looks at a user.
import type { PairedSample } from '../../stats/adjusted-comparison.ts';
import { roundingOf } from './compensated-sum.ts';
import { mergeSamples } from '../../stats/sample.ts';
import type { Sample } from '../../stats/sample.ts';
import type { DayFigures, ExperimentFigures, Metric, MetricFigures } from '../experiment.ts';
import { cellCount } from './bucket-cells.ts';
import { isWindowed, settledCohort, settlesAt, windowEndOf } from './cohorts.ts';
import type { DayClock } from './day-clock.ts';
import { usersColumn, usersWidth } from './experiment-sums.ts';
import type { ExperimentSums, SumBlock } from './experiment-sums.ts';
import { sampleWidths } from './metric-counting.ts';
import type { SplitPhase } from './split-phases.ts';

export type FiguresSource = {
  readonly sums: ExperimentSums;
  readonly metrics: readonly (Metric | null)[];
  readonly phases: readonly SplitPhase[];
  /** `comparedCells` of each phase. */
  readonly compared: readonly (readonly Uint8Array[])[];
  readonly versions: readonly string[];
  readonly clock: DayClock;
};

export type SummedFigures = Pick<ExperimentFigures, 'phases' | 'leftOut' | 'metrics'>;

/** What of a cohort is known at a time: its outcomes; that they are still to come; or that they never will. */
export type CohortStanding = 'settled' | 'waiting' | 'lost';

/** Where a cohort of a metric stands. What happens after its phase is over is lost: everyone is on one version then. */
export function standingOf(
  { metric, cohort, overMs }: { readonly metric: Metric; readonly cohort: number; readonly overMs: number | null },
  clock: DayClock,
  nowMs: number,
): CohortStanding {
  if (cohort === settledCohort || !isWindowed(metric)) return 'settled';
  if (overMs !== null && windowEndOf(metric, cohort, clock) > overMs) return 'lost';
  return settlesAt(metric, cohort, clock) <= nowMs ? 'settled' : 'waiting';
}

/** Everything that the sums say at a time. Cost: linear in the blocks. */
export function summedFigures(source: FiguresSource, nowMs: number): SummedFigures {
  const { phases, versions, metrics } = source;
  const exposed = phases.map(() => versions.map(() => 0));
  const leftOut = { crossed: 0, moved: 0 };
  const totals = new Totals(source);
  for (const block of source.sums.blocks()) {
    const { column, phase, version } = block.place;
    if (column !== usersColumn) totals.add(block, nowMs);
    else {
      const [all, crossed] = sumCells(block, usersWidth, null) as [number, number];
      const [comparedAll, comparedCrossed] = sumCells(block, usersWidth, source.compared[phase]![version]!);
      exposed[phase]![version] = all;
      leftOut.crossed += crossed;
      leftOut.moved += all - crossed - (comparedAll! - comparedCrossed!);
    }
  }
  return {
    phases: phases.map(({ beganMs, percents }, i) => ({ beganMs, percents, exposed: exposed[i]! })),
    leftOut,
    metrics: metrics.flatMap((metric, column) => (metric === null ? [] : [totals.figuresOf(metric, column)])),
  };
}

/** The figures of all phases together, as those of the day that begins at `startMs`. */
export function dayFigures(summed: SummedFigures, versions: readonly string[], startMs: number): DayFigures {
  return {
    startMs,
    exposed: versions.map((_, i) => summed.phases.reduce((sum, { exposed }) => sum + exposed[i]!, 0)),
    metrics: Object.fromEntries(
      summed.metrics.map(({ metric, samples }) => [
        metric.name,
        versions.map((_, i) => samples.map((each) => each[i]!).reduce((sum, each) => mergeSamples(sum, each))),
      ]),
    ),
  };
}

/** Sums by column, phase and version. */
class Totals {
  readonly #source: FiguresSource;
  readonly #settled = new Map<string, number[]>();
  readonly #waiting = new Map<string, number>();

  constructor(source: FiguresSource) {
    this.#source = source;
  }

  add(block: SumBlock, nowMs: number): void {
    const { column, phase, version, cohort } = block.place;
    const metric = this.#source.metrics[column] ?? null;
    if (metric === null) return;
    const { overMs } = this.#source.phases[phase]!;
    const standing = standingOf({ metric, cohort, overMs }, this.#source.clock, nowMs);
    if (standing === 'lost') return;
    const cells = sumCells(block, sampleWidths[metric.kind], this.#source.compared[phase]![version]!);
    if (standing === 'waiting') {
      const key = `${column}/${version}`;
      this.#waiting.set(key, (this.#waiting.get(key) ?? 0) + cells[0]!);
      return;
    }
    const key = `${column}/${phase}/${version}`;
    const known = this.#settled.get(key);
    // Only proportions have cohorts, and they are whole numbers.
    this.#settled.set(key, known === undefined ? cells : known.map((sum, i) => sum + cells[i]!));
  }

  figuresOf(metric: Metric, column: number): MetricFigures {
    const { phases, versions } = this.#source;
    const nothing = Array.from({ length: sampleWidths[metric.kind] }, () => 0);
    const sums = phases.map((_, phase) =>
      versions.map((_version, i) => this.#settled.get(`${column}/${phase}/${i}`) ?? nothing),
    );
    const isPaired = metric.kind === 'revenue' || metric.kind === 'events';
    const hasPast = isPaired && sums.some((each) => each.some(([, , , x, xx]) => x !== 0 || xx !== 0));
    return {
      metric,
      samples: sums.map((each) => each.map((numbers) => sampleOf(metric, numbers))),
      paired: hasPast ? sums.map((each) => each.map(pairedOf)) : null,
      nonZero: versions.map((_, i) => sums.reduce((sum, each) => sum + nonZeroOf(metric, each[i]!), 0)),
      waiting: versions.map((_, i) => this.#waiting.get(`${column}/${i}`) ?? 0),
    };
  }
}

/** Of the cells that `mask` has a 1 for; null: of all. */
function sumCells({ sums, rests }: SumBlock, width: number, mask: Uint8Array | null): number[] {
  const total = Array.from({ length: width }, () => 0);
  const lost = Array.from({ length: width }, () => 0);
  for (let cell = 0; cell < cellCount; cell += 1) {
    if (mask?.[cell] === 0) continue;
    for (let i = 0; i < width; i += 1) {
      const sum = sums[cell * width + i]!;
      if (rests !== null) lost[i]! += roundingOf(total[i]!, sum) + rests[cell * width + i]!;
      total[i]! += sum;
    }
  }
  return total.map((sum, i) => sum + lost[i]!);
}

function sampleOf({ kind }: Metric, sums: readonly number[]): Sample {
  const [userCount = 0, a = 0, b = 0, c = 0, d = 0, e = 0] = sums;
  if (kind === 'conversion' || kind === 'retention') return { kind: 'proportion', userCount, hits: a };
  if (kind !== 'value') return { kind: 'mean', userCount, sum: a, sumOfSquares: b };
  return { kind: 'ratio', userCount, valueSum: a, unitSum: b, valueSquares: c, unitSquares: d, products: e };
}

function pairedOf([
  userCount = 0,
  ySum = 0,
  ySquares = 0,
  xSum = 0,
  xSquares = 0,
  products = 0,
]: readonly number[]): PairedSample {
  return { userCount, ySum, ySquares, xSum, xSquares, products };
}

function nonZeroOf({ kind }: Metric, sums: readonly number[]): number {
  if (kind === 'value') return sums[2]!;
  return kind === 'revenue' || kind === 'events' ? sums[6]! : sums[1]!;
}
