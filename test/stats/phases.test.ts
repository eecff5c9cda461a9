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
  const known = cases.filter(({ input }) => [input.treatment, input.control].every(isPastOfEnough));
  assert.ok(known.length >= 10 && known.length < cases.length, `${known.length} of ${cases.length}`);
  for (const { input } of known) {
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

/** 200 users or so of whom `known` spent 10 before, and all spend what they spent and a little. */
function shopOf({ known, plus, userCount = 200 }: { known: number; plus: number; userCount?: number }): PairedSample {
  const users = Array.from({ length: userCount }, (_, i) => ({ x: i < known ? 10 : 0, y: i % 7 }));
  const sum = (of: (user: { x: number; y: number }) => number): number =>
    users.reduce((total, { x, y }) => total + of({ x, y: x + y + plus }), 0);
  return {
    userCount,
    ySum: sum(({ y }) => y),
    ySquares: sum(({ y }) => y * y),
    xSum: sum(({ x }) => x),
    xSquares: sum(({ x }) => x * x),
    products: sum(({ x, y }) => x * y),
  };
}

test('the past explains nothing before a hundred users of each version have one', () => {
  const baseline = shopOf({ known: 100, plus: 0 });
  assert.ok(adjustPhases([{ candidate: shopOf({ known: 100, plus: 1 }), baseline }])!.varianceReduction > 0.5);
  assert.equal(adjustPhases([{ candidate: shopOf({ known: 99, plus: 1 }), baseline }]), null);
  assert.equal(
    adjustPhases([{ candidate: shopOf({ known: 0, plus: 1 }), baseline: shopOf({ known: 0, plus: 0 }) }]),
    null,
  );
  const rich = { ...baseline, xSum: baseline.xSum + 10_000, xSquares: baseline.xSquares + 10_000 ** 2 };
  assert.equal(adjustPhases([{ candidate: rich, baseline }]), null, 'one user has most of the past');
});

test('a phase without enough of a past, or in which nothing varies, keeps its weight in the adjusted difference', () => {
  const rich = { candidate: shopOf({ known: 150, plus: 1 }), baseline: shopOf({ known: 150, plus: 0 }) };
  const poor = { candidate: shopOf({ known: 5, plus: 4 }), baseline: shopOf({ known: 5, plus: 0 }) };
  const alone = compareAdjusted(poor.candidate, poor.baseline)!;
  const adjusted = adjustPhases([rich, poor])!;
  assertClose(adjusted.difference, (1 + 4) / 2, { abs: 1e-9, rel: 0 });
  const expected = Math.hypot(adjustPhases([rich])!.standardError, alone.unadjustedError) / 2;
  assertClose(adjusted.standardError, expected, exact);
  const nobodyBuys = { userCount: 200, ySum: 0, ySquares: 0, xSum: 0, xSquares: 0, products: 0 };
  const silent = { candidate: nobodyBuys, baseline: nobodyBuys };
  assertClose(adjustPhases([rich, silent])!.difference, 0.5, { abs: 1e-9, rel: 0 });
  const single = { candidate: { ...nobodyBuys, userCount: 1 }, baseline: { ...nobodyBuys, userCount: 399 } };
  assertClose(adjustPhases([rich, single])!.difference, 0.5, { abs: 1e-9, rel: 0 });
  const nobody = { candidate: { ...nobodyBuys, userCount: 0 }, baseline: nobodyBuys };
  assertClose(adjustPhases([rich, nobody])!.difference, 1, { abs: 1e-9, rel: 0 });
});

function isPastOfEnough([, , , xSum, xSquares]: Sums): boolean {
  return xSum > 0 && xSum ** 2 / xSquares >= 100;
}

function leavesOutZero({ lower, upper }: { readonly lower: number; readonly upper: number }): boolean {
  return lower > 0 || upper < 0;
}

function pairOf([userCount, ySum, ySquares, xSum, xSquares, products]: Sums): PairedSample {
  return { userCount, ySum, ySquares, xSum, xSquares, products };
}
