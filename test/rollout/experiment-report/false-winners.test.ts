// Experiments in which nothing is different, looked at all the time: how often does a report say that something is?
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportOf } from '../../../src/rollout/experiment-report/report-of.ts';
import type { Experiment, ExperimentFigures } from '../../../src/rollout/experiment.ts';
import { type Random, randomFrom } from '../../stats/random.ts';
import { conversion, counted, dayMs, experiment, figures, revenue } from './experiments.ts';

const runCount = 200;
const lookCount = 50;
const usersALook = 1_000;

/** Sums over the users of one version. */
type Buyers = { users: number; buyers: number; spent: number; squares: number };

/** One in twenty buys, for a lognormal amount that is capped at 1,000. */
function serve(random: Random, version: Buyers, rate: number): void {
  version.users += 1;
  if (random.uniform() >= rate) return;
  const value = Math.min(1_000, Math.exp(3.5 + 0.8 * random.normal()));
  version.buyers += 1;
  version.spent += value;
  version.squares += value * value;
}

function figuresOf(stable: Buyers, canary: Buyers): ExperimentFigures {
  const versions = [stable, canary];
  return figures(
    [
      counted(
        conversion,
        versions.map(({ users: userCount, buyers: hits }) => ({ kind: 'proportion', userCount, hits })),
      ),
      counted(
        revenue,
        versions.map(({ users: userCount, spent: sum, squares: sumOfSquares }) => ({
          kind: 'mean',
          userCount,
          sum,
          sumOfSquares,
        })),
        { nonZero: versions.map(({ buyers }) => buyers) },
      ),
    ],
    { phases: [{ beganMs: 0, percents: [50, 50], exposed: versions.map(({ users }) => users) }] },
  );
}

/** In how many of the runs the primary metric is ever said to differ. */
function declared(asked: Experiment, { seed, rates }: { seed: number; rates: readonly [number, number] }): number {
  const random = randomFrom(seed);
  let declaredCount = 0;
  for (let run = 0; run < runCount; run += 1) {
    const [stable, canary] = [0, 1].map((): Buyers => ({ users: 0, buyers: 0, spent: 0, squares: 0 })) as [
      Buyers,
      Buyers,
    ];
    for (let look = 0; look < lookCount; look += 1) {
      for (let i = 0; i < usersALook; i += 1) {
        const isCanary = random.uniform() < 0.5;
        serve(random, isCanary ? canary : stable, rates[isCanary ? 1 : 0]);
      }
      const { decision } = reportOf(figuresOf(stable, canary), asked, 10 * dayMs);
      if (decision.kind !== 'winner') continue;
      declaredCount += 1;
      break;
    }
  }
  return declaredCount;
}

// Seeded, so a run is always the same; other seeds give 0 to 9 of 200. The bound is on the rate, of which 200 runs are a sample.
for (const [primary, metrics] of [
  ['conversion', [conversion, revenue]],
  ['revenue a user', [revenue, conversion]],
] as const) {
  test(`of 200 experiments without a difference in ${primary}, looked at after every 1,000 users, at most 5 % ever declare one`, () => {
    const count = declared(experiment({ metrics }), { seed: 11, rates: [0.05, 0.05] });
    assert.ok(count <= 0.05 * runCount, `${count} of ${runCount}`);
  });
}

test('the same looks find a difference that is there', () => {
  const count = declared(experiment({ metrics: [conversion, revenue] }), { seed: 12, rates: [0.05, 0.06] });
  assert.ok(count >= 0.9 * runCount, `${count} of ${runCount}`);
});
