import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareAdjusted } from '../../src/stats/adjusted-comparison.ts';
import type { PairedSample } from '../../src/stats/adjusted-comparison.ts';
import { compareSamples } from '../../src/stats/comparison.ts';
import { isProportionDecidable, isValueDecidable } from '../../src/stats/decision-gates.ts';
import { meanInterval, mixingVariance, oneSidedBounds } from '../../src/stats/mean-interval.ts';
import { comparePhases } from '../../src/stats/phased-comparison.ts';
import { mergeSamples } from '../../src/stats/sample.ts';
import type { Proportion, Sample } from '../../src/stats/sample.ts';
import { randomFrom } from './random.ts';
import { assertClose, readVectors } from './vectors.ts';
import type { Tolerance, VectorNumber } from './vectors.ts';

type Figures = Readonly<Record<string, VectorNumber>>;

function assertFigures(
  got: Readonly<Record<string, number>>,
  expected: Readonly<Record<string, unknown>>,
  tolerance: Tolerance,
): void {
  for (const [key, value] of Object.entries(expected)) {
    if (typeof value === 'number') assertClose(got[key] ?? Number.NaN, value, tolerance, key);
  }
}

type Input06 = { est: number; se: number; n: number; alpha: number; nStar: number };
const sequences = readVectors<Input06, Figures & { oneSided: Figures }>('06_asymptotic_cs');

for (const { name, input, expected } of sequences.cases) {
  test(`an estimate has its worked interval and bounds: ${name}`, () => {
    const estimate = { value: input.est, standardError: input.se, userCount: input.n };
    const tuning = { alpha: input.alpha, tightestAt: input.nStar };
    const { halfWidth, lower, upper, logEvidence, chanceByLuck } = meanInterval(estimate, tuning);
    const { oneSided, ...twoSided } = expected;
    const rho2 = mixingVariance(input.alpha, input.nStar);
    assertFigures({ rho2, halfWidth, lower, upper, logE: logEvidence, p: chanceByLuck }, twoSided, sequences.tolerance);
    const bounds = oneSidedBounds(estimate, tuning);
    assertFigures(
      {
        rho2: mixingVariance(2 * input.alpha, input.nStar),
        halfWidth: bounds.halfWidth,
        lowerBound: bounds.lower,
        upperBound: bounds.upper,
        logEGreater: bounds.logEvidenceAbove,
        logELess: bounds.logEvidenceBelow,
        pGreater: Math.min(1, Math.exp(-bounds.logEvidenceAbove)),
        pLess: Math.min(1, Math.exp(-bounds.logEvidenceBelow)),
      },
      oneSided,
      sequences.tolerance,
    );
  });
}

type SumsOfMetric = [users: number, ...sums: number[]];
type Metric = 'proportion' | 'mean' | 'ratio' | 'proportionStratified';
type Input07 = {
  metric: Metric;
  treatment: SumsOfMetric;
  control: SumsOfMetric;
  phases: [number, number, number, number][];
  alpha: number;
  nStar: number;
};
const comparisons = readVectors<Input07, Readonly<Record<string, unknown>>>('07_two_sample');

function sampleOf(metric: Metric, [userCount, a = 0, b = 0, c = 0, d = 0, e = 0]: SumsOfMetric): Sample {
  if (metric === 'proportion') return { kind: 'proportion', userCount, hits: a };
  if (metric === 'mean') return { kind: 'mean', userCount, sum: a, sumOfSquares: b };
  return { kind: 'ratio', userCount, valueSum: a, unitSum: b, valueSquares: c, unitSquares: d, products: e };
}

const proportion = (userCount: number, hits: number): Proportion => ({ kind: 'proportion', userCount, hits });

for (const { name, input, expected } of comparisons.cases) {
  const tuning = { alpha: input.alpha, tightestAt: input.nStar };
  test(`two versions compare as worked out: ${name}`, () => {
    if (input.metric === 'proportionStratified') {
      const phases = input.phases.map(([nT, xT, nC, xC]) => ({
        candidate: proportion(nT, xT),
        baseline: proportion(nC, xC),
      }));
      const got = comparePhases(phases, tuning);
      assert.equal(got.status, expected['status']);
      if (got.status === 'insufficient') return;
      const { halfWidth, lower, upper, logEvidence, chanceByLuck } = got.interval;
      const figures = {
        diff: got.difference,
        se: got.standardError,
        n: got.userCount,
        halfWidth,
        lower,
        upper,
        logE: logEvidence,
        p: chanceByLuck,
      };
      assertFigures(figures, expected, comparisons.tolerance);
      return;
    }
    const got = compareSamples(
      { candidate: sampleOf(input.metric, input.treatment), baseline: sampleOf(input.metric, input.control) },
      tuning,
    );
    const moments = {
      meanT: got.candidate.mean,
      varT: got.candidate.variance,
      meanC: got.baseline.mean,
      varC: got.baseline.variance,
    };
    assert.equal(got.status, expected['status']);
    if (got.status === 'insufficient') {
      assertFigures(moments, expected, comparisons.tolerance);
      return;
    }
    const { halfWidth, lower, upper, logEvidence, chanceByLuck } = got.interval;
    const figures: Record<string, number> = {
      ...moments,
      diff: got.difference,
      se: got.standardError,
      halfWidth,
      lower,
      upper,
      logE: logEvidence,
      p: chanceByLuck,
      sePooled: Math.min(got.guardedError, Number(expected['sePooled'])),
      seGuarded: got.guardedError,
      lowerGuarded: got.guarded.lower,
      upperGuarded: got.guarded.upper,
      logEGuarded: got.guarded.logEvidence,
    };
    assert.equal(got.lift === null, expected['lift'] === undefined, 'a lift is given where there is one');
    if (got.lift !== null) {
      const { value, standardError, interval } = got.lift;
      Object.assign(figures, {
        lift: value,
        liftSe: standardError,
        liftLower: interval.lower,
        liftUpper: interval.upper,
      });
    }
    assertFigures(figures, expected, comparisons.tolerance);
  });
}

type Sums = [number, number, number, number, number, number];
const adjusted = readVectors<{ treatment: Sums; control: Sums }, Readonly<Record<string, number>>>('08_cuped');

function pairedOf([userCount, ySum, ySquares, xSum, xSquares, products]: Sums): PairedSample {
  return { userCount, ySum, ySquares, xSum, xSquares, products };
}

for (const { name, input, expected } of adjusted.cases) {
  test(`the past of the users sharpens a difference as worked out: ${name}`, () => {
    const got = compareAdjusted(pairedOf(input.treatment), pairedOf(input.control));
    assert.ok(got !== null);
    const { slope, difference, standardError, unadjustedError, varianceReduction } = got;
    const figures = {
      theta: slope,
      diff: difference,
      se: standardError,
      seUnadjusted: unadjustedError,
      varianceReduction,
    };
    assertFigures(figures, expected, adjusted.tolerance);
  });
}

test('looked at every 100 users, equal conversions are called different in at most alpha of the simulated experiments', () => {
  const random = randomFrom(21);
  let different = 0;
  for (let run = 0; run < 300; run += 1) {
    let [candidate, baseline] = [proportion(0, 0), proportion(0, 0)];
    for (let look = 0; look < 100; look += 1) {
      candidate = mergeSamples(candidate, proportion(50, random.binomial(50, 0.2)));
      baseline = mergeSamples(baseline, proportion(50, random.binomial(50, 0.2)));
      const got = compareSamples({ candidate, baseline }, { alpha: 0.05, tightestAt: 5000 });
      if (!isProportionDecidable(candidate, baseline) || got.status !== 'ok' || got.guarded.logEvidence < Math.log(20))
        continue;
      different += 1;
      break;
    }
  }
  assert.ok(different <= 15, `${different} of 300`);
});

test('a ramp that points the wrong way when pooled is compared phase by phase', () => {
  const phases = [
    { candidate: proportion(1000, 120), baseline: proportion(9000, 900) },
    { candidate: proportion(9000, 4680), baseline: proportion(1000, 500) },
    { candidate: proportion(0, 0), baseline: proportion(500, 499) },
  ];
  const got = comparePhases(phases, { alpha: 0.05, tightestAt: 5000 });
  assert.ok(got.status === 'ok');
  assertClose(got.difference, 0.02, { abs: 1e-12, rel: 0 });
  assert.equal(comparePhases([], { alpha: 0.05, tightestAt: 5000 }).status, 'insufficient');
});

test('samples merge by adding, and only with their own kind', () => {
  const a: Sample = { kind: 'mean', userCount: 2, sum: 3, sumOfSquares: 5 };
  assert.deepEqual(mergeSamples(a, a), { kind: 'mean', userCount: 4, sum: 6, sumOfSquares: 10 });
  assert.throws(() => mergeSamples(a, proportion(1, 1)), /mean and proportion/);
});

/** Users who all spent a tenth, which binary sums cannot hold exactly. */
function tenths(userCount: number): Sample {
  let [sum, sumOfSquares] = [0, 0];
  for (let i = 0; i < userCount; i += 1) [sum, sumOfSquares] = [sum + 0.1, sumOfSquares + 0.1 * 0.1];
  return { kind: 'mean', userCount, sum, sumOfSquares };
}

test('a value that is the same for every user is not taken for one that varies by its rounding', () => {
  const got = compareSamples({ candidate: tenths(700), baseline: tenths(900) }, { alpha: 0.05, tightestAt: 5000 });
  assert.equal(got.status, 'insufficient');
  const constant = pairedOf([4, 8, 16, 4, 6, 8]);
  assert.equal(compareAdjusted(constant, constant), null);
});

test('the gates open at 100 users with 10 of either outcome, and at 300 orders', () => {
  assert.ok(isProportionDecidable(proportion(100, 10), proportion(1000, 990)));
  assert.ok(!isProportionDecidable(proportion(99, 50)));
  assert.ok(!isProportionDecidable(proportion(1000, 991)));
  assert.ok(isValueDecidable(300, 5000));
  assert.ok(!isValueDecidable(299, 5000));
});

test('what cannot be is refused, and what says nothing gives nothing', () => {
  const tuning = { alpha: 0.05, tightestAt: 5000 };
  const estimate = { value: 1, standardError: 1, userCount: 100 };
  assert.throws(() => meanInterval({ ...estimate, standardError: 0 }, tuning), RangeError);
  assert.throws(() => meanInterval({ ...estimate, value: Number.NaN }, tuning), RangeError);
  assert.throws(() => meanInterval({ ...estimate, userCount: 0 }, tuning), RangeError);
  assert.throws(() => meanInterval(estimate, { alpha: 0.05, tightestAt: 0 }), RangeError);
  assert.throws(() => oneSidedBounds(estimate, { alpha: 0.5, tightestAt: 1 }), RangeError);
  assert.throws(() => compareSamples({ candidate: proportion(1, 2), baseline: proportion(1, 1) }, tuning), RangeError);
  assert.throws(() => compareAdjusted(pairedOf([2, Number.NaN, 1, 1, 1, 1]), pairedOf([2, 1, 1, 1, 1, 1])), RangeError);
  assert.equal(compareAdjusted(pairedOf([1, 1, 1, 1, 1, 1]), pairedOf([2, 1, 1, 1, 1, 1])), null);
});
