import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareAdjusted } from '../../src/stats/adjusted-comparison.ts';
import type { PairedSample } from '../../src/stats/adjusted-comparison.ts';
import { compareSamples } from '../../src/stats/comparison.ts';
import { liftInterval } from '../../src/stats/lift-interval.ts';
import { meanInterval } from '../../src/stats/mean-interval.ts';
import { contrastPhases } from '../../src/stats/phase-contrast.ts';
import { adjustPhases } from '../../src/stats/phased-adjustment.ts';
import { comparePhases } from '../../src/stats/phased-comparison.ts';
import type { Sample } from '../../src/stats/sample.ts';
import { randomFrom } from './random.ts';
import { assertClose, readVectors } from './vectors.ts';

const tuning = { alpha: 0.05, tightestAt: 5000 };
const exact = { abs: 1e-12, rel: 1e-12 };
const mean: Sample = { kind: 'mean', userCount: 400, sum: 800, sumOfSquares: 2_500 };
const other: Sample = { kind: 'mean', userCount: 300, sum: 750, sumOfSquares: 2_900 };
const ratio: Sample = {
  kind: 'ratio',
  userCount: 400,
  valueSum: 9_000,
  unitSum: 120,
  valueSquares: 900_000,
  unitSquares: 200,
  products: 11_000,
};

for (const [candidate, baseline] of [
  [mean, other],
  [ratio, { ...ratio, valueSum: 8_000 }],
] as const) {
  test(`one phase of ${candidate.kind}s compares as the samples themselves do`, () => {
    const whole = compareSamples({ candidate, baseline }, tuning);
    const phased = comparePhases([{ candidate, baseline }], tuning);
    assert.ok(whole.status === 'ok' && phased.status === 'ok');
    assertClose(phased.difference, whole.difference, exact);
    assertClose(phased.standardError, whole.standardError, exact);
    assertClose(phased.guardedError, whole.guardedError, exact);
    assertClose(phased.guarded.logEvidence, whole.guarded.logEvidence, exact);
  });
}

test('phases weigh as many as their users; those in which a version has nothing to average are left out', () => {
  const none: Sample = {
    kind: 'ratio',
    userCount: 50,
    valueSum: 0,
    unitSum: 0,
    valueSquares: 0,
    unitSquares: 0,
    products: 0,
  };
  const alone = contrastPhases([{ candidate: ratio, baseline: ratio }]);
  assert.deepEqual(
    contrastPhases([
      { candidate: ratio, baseline: ratio },
      { candidate: none, baseline: ratio },
    ]),
    alone,
  );
  const one: Sample = { ...none, userCount: 1, valueSum: 5, unitSum: 1, valueSquares: 25, unitSquares: 1, products: 5 };
  assert.deepEqual(
    contrastPhases([
      { candidate: one, baseline: ratio },
      { candidate: ratio, baseline: ratio },
    ]),
    alone,
  );
  const twice = contrastPhases([
    { candidate: mean, baseline: other },
    { candidate: other, baseline: mean },
  ])!;
  assertClose(twice.value, 0, exact);
  assert.equal(twice.userCount, 1_400);
  assert.equal(contrastPhases([{ candidate: none, baseline: none }]), null);
});

test('a contrast with a part of the baseline has the error of that part', () => {
  const half = contrastPhases([{ candidate: mean, baseline: other }], 0.5)!;
  assertClose(half.value, 2 - 0.5 * 2.5, exact);
  const { candidate, baseline } = half;
  assertClose(half.standardError, Math.hypot(candidate.standardError, 0.5 * baseline.standardError), exact);
  assert.ok(half.guardedError >= half.standardError);
});

test('the interval of the lift leaves out 0 exactly where that of the difference does', () => {
  const random = randomFrom(5);
  let decided = 0;
  for (let i = 0; i < 2_000; i += 1) {
    const candidate: Sample = { kind: 'proportion', userCount: 2_000, hits: random.binomial(2_000, 0.1) };
    const baseline: Sample = { kind: 'proportion', userCount: 900, hits: random.binomial(900, 0.07) };
    const got = comparePhases([{ candidate, baseline }], tuning);
    assert.ok(got.status === 'ok');
    const lift = liftInterval(got.candidate, got.baseline, got.interval.halfWidth / got.standardError);
    assert.ok(lift !== null && lift.lower < lift.value && lift.value < lift.upper);
    assert.equal(leavesOutZero(lift), leavesOutZero(got.interval));
    if (leavesOutZero(lift)) decided += 1;
  }
  assert.ok(decided > 100 && decided < 1_900, `${decided}`);
});

test('a baseline that may be 0 has no lift, and one below 0 is surpassed upwards', () => {
  assert.equal(liftInterval({ mean: 1, standardError: 0.1 }, { mean: 0.2, standardError: 0.1 }, 3), null);
  const lift = liftInterval({ mean: -1, standardError: 0.01 }, { mean: -2, standardError: 0.01 }, 3);
  assert.ok(lift !== null);
  assertClose(lift.value, 0.5, exact);
  assert.ok(lift.lower > 0.4 && lift.upper < 0.6);
});

test('an interval at another alpha that is tuned for the same rests on the same evidence', () => {
  const estimate = { value: 0.02, standardError: 0.006, userCount: 4_000 };
  const wide = meanInterval(estimate, { alpha: 0.01, tightestAt: 5000, tunedFor: 0.05 });
  const usual = meanInterval(estimate, tuning);
  assert.equal(wide.logEvidence, usual.logEvidence);
  assert.ok(wide.halfWidth > usual.halfWidth);
  const atEdge = meanInterval(
    { ...estimate, value: wide.halfWidth },
    { alpha: 0.01, tightestAt: 5000, tunedFor: 0.05 },
  );
  assertClose(atEdge.logEvidence, Math.log(100), { abs: 1e-9, rel: 0 });
});

type Sums = [number, number, number, number, number, number];
const { cases } = readVectors<{ treatment: Sums; control: Sums }, unknown>('08_cuped');

test('the past of the users sharpens phase by phase, and one phase is as worked out', () => {
  for (const { input } of cases) {
    const [candidate, baseline] = [pairOf(input.treatment), pairOf(input.control)];
    const whole = compareAdjusted(candidate, baseline)!;
    const phased = adjustPhases([{ candidate, baseline }]);
    if (whole.standardError === 0) {
      assert.equal(phased, null);
      continue;
    }
    assertClose(phased!.difference, whole.difference, exact);
    assertClose(phased!.standardError, whole.standardError, exact);
    assertClose(phased!.varianceReduction, whole.varianceReduction, { abs: 1e-9, rel: 1e-9 });
    const twice = adjustPhases([
      { candidate, baseline },
      { candidate, baseline },
    ])!;
    assertClose(twice.difference, whole.difference, { abs: 1e-9, rel: 1e-9 });
    assertClose(twice.standardError, whole.standardError / Math.SQRT2, { abs: 1e-9, rel: 1e-9 });
  }
  assert.equal(adjustPhases([]), null);
});

function leavesOutZero({ lower, upper }: { readonly lower: number; readonly upper: number }): boolean {
  return lower > 0 || upper < 0;
}

function pairOf([userCount, ySum, ySquares, xSum, xSquares, products]: Sums): PairedSample {
  return { userCount, ySum, ySquares, xSum, xSquares, products };
}
