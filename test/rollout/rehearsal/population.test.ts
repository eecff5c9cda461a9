import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Population } from '../../../src/rollout/rehearsal/population.ts';
import { type Random, randomFrom } from '../../../src/rollout/rehearsal/random.ts';
import { type Shares, sharesOf } from '../../../src/rollout/rehearsal/shares.ts';
import { RiskSet } from '../../../src/telemetry/risk-set.ts';

const second = { perSecond: 200, forMs: 1_000, rates: [0.01, 0.05] as [number, number] };
const tenPercent = percentsOf(10);

/** Of one candidate after the other. */
function percentsOf(...percents: readonly number[]): Shares {
  const split = Object.fromEntries(percents.map((percent, i) => [`c${i}`, percent]));
  return sharesOf({ candidates: Object.keys(split) as [string, ...string[]] }, split);
}

type Sums = { exposed: number; failed: number; requests: number; failures: number; newUsers: number };
const noSums: Sums = { exposed: 0, failed: 0, requests: 0, failures: 0, newUsers: 0 };

function add(sums: Sums, step: Sums): Sums {
  return {
    exposed: sums.exposed + step.exposed,
    failed: sums.failed + step.failed,
    requests: sums.requests + step.requests,
    failures: sums.failures + step.failures,
    newUsers: sums.newUsers + step.newUsers,
  };
}

/** The candidate's sums over slices of a second, drawn by count. */
function byCount(random: Random, userCount: number, seconds: number): Sums {
  const population = new Population(userCount, [10], random);
  let sums = noSums;
  for (let i = 0; i < seconds; i += 1) {
    sums = add(sums, population.step(tenPercent, second)[1]!);
    population.nextSlice();
  }
  return sums;
}

/** The same user by user and request by request, with the risk set that the window has. */
function byUser(random: Random, userCount: number, seconds: number): Sums {
  const riskSet = new RiskSet();
  const isCandidate = Array.from({ length: userCount }, () => random.uniform() < 0.1);
  const seen = new Set<number>();
  const sums = { ...noSums };
  for (let i = 0; i < seconds; i += 1) {
    for (let left = random.poisson(second.perSecond); left > 0; left -= 1) {
      const user = Math.floor(random.uniform() * userCount);
      const hasFailed = random.uniform() < second.rates[isCandidate[user] ? 1 : 0];
      const isExposed = riskSet.admits(String(user), hasFailed);
      if (!isCandidate[user]) continue;
      sums.requests += 1;
      sums.failures += hasFailed ? 1 : 0;
      sums.exposed += isExposed ? 1 : 0;
      sums.failed += isExposed && hasFailed ? 1 : 0;
      sums.newUsers += seen.has(user) ? 0 : 1;
      seen.add(user);
    }
    riskSet.nextSlice();
  }
  return sums;
}

test('users drawn by count do what users do one by one under the risk set of the window', () => {
  const runs = Array.from({ length: 60 }, (_, i) => i);
  const mean = (draw: (random: Random, userCount: number, seconds: number) => Sums, stream: number): Sums =>
    runs.map((run) => draw(randomFrom(run, stream), 400, 60)).reduce(add, noSums);
  const [counted, single] = [mean(byCount, 1), mean(byUser, 2)];
  for (const key of ['exposed', 'failed', 'requests', 'failures', 'newUsers'] as const) {
    const ratio = counted[key] / single[key];
    assert.ok(Math.abs(ratio - 1) < 0.05, `${key}: ${counted[key]} by count, ${single[key]} one by one`);
  }
});

test('a user counts once a slice, and never again after a counted failure', () => {
  const population = new Population(100, [50], randomFrom(1));
  const always = { perSecond: 1e9, forMs: 1_000, rates: [0, 0] as [number, number] };
  const half = percentsOf(50);
  const exposedIn = (rates: [number, number]): number =>
    population.step(half, { ...always, rates }).reduce((sum, { exposed }) => sum + exposed, 0);
  assert.equal(exposedIn([0, 0]), 100);
  assert.equal(exposedIn([0, 0]), 0, 'the slice is still open');
  population.nextSlice();
  assert.equal(exposedIn([1, 1]), 100);
  population.nextSlice();
  assert.equal(exposedIn([0, 0]), 0, 'all of them have failed');
});

test('users who failed on the baseline keep that when the candidate gets them', () => {
  const population = new Population(1_000, [10, 50], randomFrom(2));
  const all = { perSecond: 1e9, forMs: 1_000 };
  population.step(tenPercent, { ...all, rates: [1, 0] });
  population.nextSlice();
  const [baseline, candidate] = population.step(percentsOf(50), { ...all, rates: [0, 0] });
  assert.equal(baseline!.exposed, 0);
  assert.ok(
    candidate!.exposed > 50 && candidate!.exposed < 150,
    `${candidate!.exposed} of some 100 who had the candidate`,
  );
});

test('each user is new once, for the version that has the user, and fails as that does', () => {
  const population = new Population(10_000, [10, 30], randomFrom(3));
  const shares = percentsOf(10, 20);
  const all = { perSecond: 1e9, forMs: 1_000, rates: [0, 0, 1] };
  const [baseline, candidate, other] = population.step(shares, all);
  assert.ok(Math.abs(baseline!.newUsers - 7_000) < 250 && Math.abs(candidate!.newUsers - 1_000) < 150);
  assert.ok(Math.abs(other!.newUsers - 2_000) < 200);
  assert.deepEqual([baseline!.failures, candidate!.failures, other!.failures], [0, 0, other!.requests]);
  assert.deepEqual(
    population.step(shares, all).map(({ newUsers }) => newUsers),
    [0, 0, 0],
  );
});
