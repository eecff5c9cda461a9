// Sums of money out of which and into which users are taken again and again, held against exact arithmetic.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellCount } from '../../../src/rollout/experiment/bucket-cells.ts';
import { createDayClock } from '../../../src/rollout/experiment/day-clock.ts';
import { ExperimentSums } from '../../../src/rollout/experiment/experiment-sums.ts';
import { LiveExperiment, planOf } from '../../../src/rollout/experiment/live-experiment.ts';
import { sampleWidths } from '../../../src/rollout/experiment/metric-counting.ts';
import { unknownUser, type UserRecord } from '../../../src/rollout/experiment/user-record.ts';
import { randomFrom } from '../../stats/random.ts';
import { ExactSum, ulpOf } from './exact-sum.ts';
import { experimentOf, metrics, T0, versions } from './lives.ts';

const clock = createDayClock('UTC');
const columns = metrics.map((metric) => (metric.kind === 'value' || metric.kind === 'revenue' ? metric : null));
const [valueColumn, revenueColumn] = [3, 4];
const plan = {
  ...planOf(versions, experimentOf()),
  metrics: columns,
  phases: [{ beganMs: T0, percents: [100, 0, 0], overMs: null }],
};

/** A record of somebody who spent so much in so many orders, and before that so much. */
function recordOf(bucket: number, spent: { readonly y: number; readonly x: number; readonly units: number }) {
  const counts = columns.map((metric) => {
    if (metric === null) return null;
    return metric.kind === 'value' ? [spent.units, spent.y] : [spent.y, spent.x];
  });
  const entry = { atMs: T0, phase: 0, version: 0, bucket };
  return { entry, isCrossed: false, seenMs: T0, counts, pending: [] } satisfies UserRecord;
}

type Spent = Parameters<typeof recordOf>[1];

/** The numbers of both samples of a user, as `sampleWidths` has them. */
function numbersOf({ y, x, units }: Spent): readonly (readonly number[])[] {
  return [
    [1, y, units, y * y, units * units, y * units],
    [1, y, y * y, x, x * x, x * y],
  ];
}

function numbersIn(live: LiveExperiment): number[][] {
  return live.summed(T0).metrics.map(({ metric, samples, paired }) => {
    const numbers = Object.values(metric.kind === 'revenue' ? paired![0]![0]! : samples[0]![0]!);
    return numbers.filter((value) => typeof value === 'number');
  });
}

/** The sums of what users have spent, kept up in three ways. */
class Tally {
  readonly sums = new ExperimentSums();
  readonly #exact = [0, 1].map(() => Array.from({ length: 6 }, () => new ExactSum()));
  readonly #plain = [0, 1].map(() => new Float64Array(6));

  replace(bucket: number, before: Spent | null, after: Spent | null): void {
    const [from, to] = [before, after].map((spent) => (spent === null ? unknownUser : recordOf(bucket, spent)));
    this.sums.replace(from!, to!, columns, clock);
    if (before !== null) this.#add(before, -1);
    if (after !== null) this.#add(after, 1);
  }

  /** How far each number is from the truth, in steps from a double to the next: of the figures, and of plain doubles. */
  errors(): (readonly [ofFigures: number, ofPlain: number])[] {
    const found = numbersIn(new LiveExperiment(plan, this.sums.blocks()));
    return this.#exact.flatMap((each, m) =>
      each.map((exact, i) => {
        const truth = exact.toNumber();
        const errorOf = (sum: number): number => Math.abs(sum - truth) / ulpOf(truth);
        return [errorOf(found[m]![i]!), errorOf(this.#plain[m]![i]!)] as const;
      }),
    );
  }

  #add(spent: Spent, sign: 1 | -1): void {
    for (const [m, numbers] of numbersOf(spent).entries()) {
      for (const [i, number] of numbers.entries()) {
        this.#exact[m]![i]!.add(sign * number);
        this.#plain[m]![i]! += sign * number;
      }
    }
  }
}

test('after 100,000 replacements sums of money are exact to the last digit, where plain doubles are not', () => {
  const random = randomFrom(20_261_123);
  const [changeCount, userCount] = [100_000, 400];
  let changed = 0;
  /** Now and then of a wholesaler, who leaves nothing but rounding behind. */
  const money = (): number => {
    const isLarge = changed < changeCount && random.uniform() < 0.001;
    return isLarge ? 1e9 * random.uniform() : Math.round(Math.exp(9 * random.uniform())) / 100;
  };
  const spentBy: (Spent | null)[] = Array.from({ length: userCount }, () => null);
  const tally = new Tally();
  const change = (user: number, spent: Spent | null): void => {
    tally.replace(user * 25, spentBy[user]!, spent);
    spentBy[user] = spent;
  };
  for (; changed < changeCount; changed += 1) {
    const user = Math.floor(random.uniform() * userCount);
    const { y, x, units } = spentBy[user] ?? { y: 0, x: money(), units: 0 };
    const isLeaving = random.uniform() < 0.1;
    change(user, isLeaving ? null : { y: y + money(), x, units: units + 1 });
  }
  for (let user = 0; user < userCount; user += 1) change(user, null);
  for (let user = 0; user < 300; user += 1) change(user, { y: money(), x: money(), units: 1 });
  const errors = tally.errors();
  for (const [error] of errors) assert.ok(error <= 1, `an error of ${error} steps`);
  const rounded = errors.filter(([, error]) => error > 1_000);
  assert.equal(rounded.length, 8, 'plain doubles are wrong in all but counts and their squares');
});

test('what is whole costs nothing: only sums of money keep what rounding takes', () => {
  const sums = new ExperimentSums();
  const record = { ...recordOf(100, { y: 0.1, x: 0.2, units: 1 }), counts: metrics.map(() => [1, 1]) };
  sums.replace(unknownUser, record, metrics, clock);
  const kept = [...sums.blocks()].filter(({ rests }) => rests !== null).map(({ place }) => place.column);
  assert.deepEqual(kept, [valueColumn, revenueColumn]);
});

test('a block that joins another brings what rounding took from it', () => {
  const place = { column: revenueColumn, phase: 0, version: 0, cohort: 7 };
  const [length, at] = [cellCount * sampleWidths.revenue, 1];
  const block = { place, sums: new Float64Array(length), rests: new Float64Array(length) };
  [block.sums[at], block.rests[at]] = [2 ** 57, 10];
  const sums = new ExperimentSums([block]);
  sums.moveInto(place, -1);
  sums.replace(unknownUser, recordOf(0, { y: 10, x: 1, units: 1 }), columns, clock);
  assert.equal(numbersIn(new LiveExperiment(plan, sums.blocks()))[1]![1], 2 ** 57 + 32);
});
