import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorGuardTest, latencyGuardTest } from '../../src/stats/guard-test.ts';
import { boundaryAtHorizon, plannedUsers } from '../../src/stats/plan-experiment.ts';
import { leastDivergence, leastRequests, plannedRequests } from '../../src/stats/plan-rollout.ts';
import { errorPromotionTest } from '../../src/stats/promotion-test.ts';
import { assertClose, readVectors } from './vectors.ts';
import type { VectorNumber } from './vectors.ts';

type Input = { w: number; pc: number; ps: number; R: number; delta: number; centre: number; alpha: number } & {
  varT: number;
  varC: number;
  wT: number;
  power: number;
};
type Key = 'dStar' | 'lowerBoundTotal' | 'planTotal' | 'planCanary' | 'sequentialTotal' | 'fixedTotal' | 'boundary';
const { cases, tolerance } = readVectors<Input, Partial<Record<Key, VectorNumber>>>('15_planner');

function planOf(fn: string | undefined, input: Input): Partial<Record<Key, number>> {
  const { alpha } = input;
  if (fn === 'planAcs') {
    const plan = {
      difference: input.delta,
      candidateVariance: input.varT,
      baselineVariance: input.varC,
      share: input.wT,
      alpha,
      power: input.power,
    };
    const { sequential, fixed } = plannedUsers(plan);
    return { sequentialTotal: sequential, fixedTotal: fixed, boundary: boundaryAtHorizon(alpha) };
  }
  const expectation = { share: input.w, candidateRate: input.pc, baselineRate: input.ps };
  const margin = fn === 'planDetectLatency' ? { ratio: 1, plus: 0 } : { ratio: input.R, plus: input.delta };
  const rule =
    fn === 'planDetectLatency'
      ? latencyGuardTest(1 - input.centre)
      : fn === 'planPromote'
        ? errorPromotionTest(margin)
        : errorGuardTest(margin);
  const planned = plannedRequests(rule, expectation, alpha);
  const dStar = leastDivergence(margin, expectation);
  return {
    dStar,
    lowerBoundTotal: leastRequests(margin, expectation, alpha).total,
    planTotal: planned.total,
    planCanary: planned.candidate,
  };
}

for (const { name, fn, input, expected } of cases) {
  test(`the plan is as worked out: ${name}`, () => {
    const got = planOf(fn, input);
    const keys = Object.keys(expected).filter((key): key is Key => key !== 'kStar');
    assert.ok(keys.length >= 2);
    for (const key of keys) assertClose(got[key] ?? Number.NaN, expected[key]!, tolerance, key);
  });
}

test('the least requests are those of the worked table (1 → 2 %, alpha 0.01), and the plan is never below them', () => {
  for (const [share, candidate] of [
    [0.01, 1192],
    [0.05, 1256],
    [0.25, 1678],
    [0.5, 2671],
  ] as const) {
    const expectation = { share, candidateRate: 0.02, baselineRate: 0.01 };
    const least = leastRequests({ ratio: 1, plus: 0 }, expectation, 0.01);
    assert.equal(Math.round(least.candidate), candidate);
    assert.ok(plannedRequests(errorGuardTest({ ratio: 1, plus: 0 }), expectation, 0.01).total > least.total);
  }
});

test('what is no harm is never detected and what is harm is never proved safe', () => {
  const harmless = { share: 0.05, candidateRate: 0.011, baselineRate: 0.01 };
  assert.deepEqual(leastRequests({ ratio: 1.1, plus: 0.0005 }, harmless, 0.01), {
    total: Infinity,
    candidate: Infinity,
  });
  assert.equal(plannedRequests(errorGuardTest({ ratio: 1.1, plus: 0.0005 }), harmless, 0.01).total, Infinity);
  const harmful = { share: 0.05, candidateRate: 0.05, baselineRate: 0.01 };
  assert.equal(plannedRequests(errorPromotionTest({ ratio: 1.5, plus: 0.001 }), harmful, 0.05).total, Infinity);
});

test('extreme rates have a finite plan', () => {
  for (const [candidateRate, baselineRate] of [
    [1, 0],
    [1, 0.5],
    [0.5, 0],
  ] as const) {
    const { total } = leastRequests({ ratio: 1, plus: 0 }, { share: 0.05, candidateRate, baselineRate }, 0.01);
    assert.ok(total > 0 && total < 1000, `${total}`);
  }
});

test('plans outside their domain are refused', () => {
  assert.throws(
    () => leastRequests({ ratio: 1, plus: 0 }, { share: 0, candidateRate: 0.1, baselineRate: 0 }, 0.01),
    RangeError,
  );
  assert.throws(
    () => leastRequests({ ratio: 1, plus: 0 }, { share: 0.1, candidateRate: Number.NaN, baselineRate: 0 }, 0.01),
    RangeError,
  );
  const plan = { difference: 0.01, candidateVariance: 1, baselineVariance: 1, share: 0.5, alpha: 0.05, power: 0.8 };
  assert.throws(() => plannedUsers({ ...plan, difference: 0 }), RangeError);
  assert.throws(() => plannedUsers({ ...plan, power: 1 }), RangeError);
});
