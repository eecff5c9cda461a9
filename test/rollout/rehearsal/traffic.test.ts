import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StratumArm } from '../../../src/rollout/figures.ts';
import { randomFrom } from '../../../src/rollout/rehearsal/random.ts';
import { type Shares, sharesOf } from '../../../src/rollout/rehearsal/shares.ts';
import { Traffic } from '../../../src/rollout/rehearsal/traffic.ts';
import type { Staging } from '../../../src/rollout/staging.ts';
import type { Scenario } from '../../../src/rollout/rehearsal/scenario.ts';
import { RiskSet } from '../../../src/telemetry/risk-set.ts';
import { fixedOf } from '../../support/rollout-machine.ts';
import { failing, scenarioOf } from '../../support/scenarios.ts';

type Closed = { atMs: number; exposed: [number, number]; failed: [number, number]; slowest: [number, number] };

/** The strata that close within a time, and what was counted beside them. */
function run(scenario: Scenario, { percent, forMs }: { percent: number; forMs: number }) {
  const { staging, shares } = splitOf(percent);
  const traffic = new Traffic(scenario, staging, { random: randomFrom(1), riskRule: new RiskSet() });
  const strata: Closed[] = [];
  const sums = { requests: [0, 0], failures: [0, 0], ruleRequests: 0 };
  for (let nowMs = 0; nowMs < forMs;) {
    const stepMs = traffic.nextStepMs(nowMs);
    const step = traffic.step(shares, { nowMs, forMs: stepMs });
    for (const i of [0, 1]) {
      sums.requests[i]! += step.arms[i]!.requests;
      sums.failures[i]! += step.arms[i]!.failures;
    }
    sums.ruleRequests += step.ruleRequests;
    nowMs += stepMs;
    const due = traffic.dueStratum(nowMs);
    if (due === null) continue;
    const [baseline, candidate] = due as [StratumArm, StratumArm];
    strata.push({
      atMs: nowMs,
      exposed: [baseline.exposedCount, candidate.exposedCount],
      failed: [baseline.failedCount, candidate.failedCount],
      slowest: [baseline, candidate].map(({ latencies }) => latencies.buckets.findLastIndex((count) => count > 0)) as [
        number,
        number,
      ],
    });
    for (const { latencies } of due)
      assert.equal(
        latencies.buckets.reduce((sum, count) => sum + count, 0),
        latencies.count,
      );
    assert.deepEqual(
      [baseline.latencies.count, candidate.latencies.count],
      [baseline.exposedCount, candidate.exposedCount],
    );
    traffic.nextSlice(nowMs);
  }
  return { strata, sums };
}

function splitOf(percent: number): { staging: Staging; shares: Shares } {
  const staging = fixedOf({ canary: percent });
  return { staging, shares: sharesOf(staging, staging.split) };
}

function ends(requestsPerSecond: number, percent: number): number[] {
  return run(scenarioOf({ requestsPerSecond }), { percent, forMs: 61_000 }).strata.map(({ atMs }) => atMs);
}

function sumOf(strata: readonly Closed[], key: 'exposed' | 'failed', arm: 0 | 1): number {
  return strata.reduce((sum, stratum) => sum + stratum[key][arm], 0);
}

test('strata close each second at 200 requests a second, each tenth of one at 5,000, and later with little traffic', () => {
  assert.deepEqual(ends(200, 25).slice(0, 3), [1_000, 2_000, 3_000]);
  assert.deepEqual(ends(5_000, 25).slice(0, 3), [1_000, 1_100, 1_200]);
  const slow = ends(2, 50);
  assert.ok(slow[0]! > 5_000 && slow[0]! < 20_000, `20 requests at 2 a second, closed at ${slow[0]}`);
  assert.deepEqual(ends(2, 0), [60_000]);
});

test('both versions have their share of the requests and their own failures', () => {
  const { strata, sums } = run(scenarioOf(failing(0.2)), { percent: 25, forMs: 300_000 });
  const share = sums.requests[1]! / (sums.requests[0]! + sums.requests[1]!);
  assert.ok(Math.abs(share - 0.25) < 0.01, String(share));
  assert.ok(Math.abs(sums.failures[1]! / sums.requests[1]! - 0.2) < 0.01);
  assert.ok(sums.failures[0]! / sums.requests[0]! < 0.003);
  assert.ok(sumOf(strata, 'exposed', 1) <= sums.requests[1]!);
  assert.ok(Math.abs(sums.ruleRequests - 300) < 90, 'a request a second by rules');
});

test('few users count once in each stratum, again and again', () => {
  const { strata } = run(scenarioOf({ userCount: 100, failureRate: 0 }), { percent: 50, forMs: 20_000 });
  assert.equal(strata.length, 20);
  for (const { exposed } of strata) assert.ok(exposed[0] + exposed[1] > 70 && exposed[0] + exposed[1] <= 100);
});

test('harm and an outage begin and end when they are to', () => {
  const outage = { failureRate: 1, fromMs: 10_000, forMs: 5_000 };
  const harm = { failureRate: null, latencyFactor: 50, fromMs: 20_000 };
  const { strata } = run(scenarioOf({ outage, harm }), { percent: 50, forMs: 30_000 });
  for (const { atMs, exposed, failed, slowest } of strata) {
    const isOut = atMs > 10_000 && atMs <= 15_000;
    assert.equal(failed[0] === exposed[0] && failed[1] === exposed[1], isOut, `at ${atMs}`);
    assert.equal(slowest[1] > slowest[0] + 60, atMs > 20_000, `at ${atMs}`);
  }
});

test('a broken user fails again and again, and counts as one failure of the version that had the user first', () => {
  const scenario = scenarioOf({ failureRate: 0, brokenUser: 'first' });
  const { strata, sums } = run(scenario, { percent: 1, forMs: 600_000 });
  assert.equal(sums.failures[1], 300);
  assert.equal(sumOf(strata, 'failed', 1), 1);
  const nobody = run(scenario, { percent: 0, forMs: 60_000 });
  assert.deepEqual([sumOf(nobody.strata, 'failed', 0), nobody.sums.failures], [1, [30, 0]]);
});

test('a broken user who may be anyone is in the candidate as often as its percent says', () => {
  let inCandidate = 0;
  for (let seed = 0; seed < 300; seed += 1) {
    const chance = { random: randomFrom(seed), riskRule: new RiskSet() };
    const { staging, shares } = splitOf(30);
    const traffic = new Traffic(scenarioOf({ failureRate: 0, brokenUser: 'anyone' }), staging, chance);
    const { arms } = traffic.step(shares, { nowMs: 0, forMs: 2_000 });
    inCandidate += arms[1]!.failures;
  }
  assert.ok(Math.abs(inCandidate - 90) < 40, String(inCandidate));
});
