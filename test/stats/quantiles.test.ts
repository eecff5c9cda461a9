import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logShareEvidence } from '../../src/stats/dirichlet.ts';
import { bandConstant, bandHalfHeight } from '../../src/stats/distribution-band.ts';
import { createHistogram, observe } from '../../src/stats/log-histogram.ts';
import { concentrationFor, quantileInterval, quantileRanks } from '../../src/stats/quantile-interval.ts';
import { randomFrom } from './random.ts';
import { assertClose, readVectors } from './vectors.ts';
import type { VectorNumber } from './vectors.ts';

type Input10 = { n: number; q: number; alpha: number; tOpt: number; histogram: [number, number][] };
type Expected10 = {
  concentration: number;
  kLo: number;
  kHi: number;
  lowerRank: number | null;
  upperRank: number | null;
  logMAtLower?: number;
  logMAtUpper?: number;
  lower: number;
  upper: VectorNumber;
  point: number;
};
const quantiles = readVectors<Input10, Expected10>('10_quantile_cs');

for (const { name, fn, input, expected } of quantiles.cases) {
  const { q: quantile, alpha, tOpt: tightestAt } = input;
  test(`a quantile has its worked interval: ${name}`, () => {
    if (fn === 'quantileRanks') {
      assert.deepEqual(quantileRanks(input.n, { quantile, alpha, tightestAt }), {
        lowerRank: expected.lowerRank,
        upperRank: expected.upperRank,
      });
      const concentration = concentrationFor(alpha, tightestAt);
      assertClose(concentration, expected.concentration, quantiles.tolerance, 'concentration');
      const evidence = (below: number): number =>
        logShareEvidence([below, input.n - below], [quantile, 1 - quantile], concentration);
      if (expected.logMAtLower !== undefined)
        assertClose(evidence(expected.kLo), expected.logMAtLower, quantiles.tolerance, 'at kLo');
      if (expected.logMAtUpper !== undefined)
        assertClose(evidence(expected.kHi), expected.logMAtUpper, quantiles.tolerance, 'at kHi');
      return;
    }
    const histogram = createHistogram();
    for (const [index, count] of input.histogram)
      for (let i = 0; i < count; i += 1) observe(histogram, (1.01 / 0.99) ** (index - 0.5));
    const got = quantileInterval(histogram, { quantile, alpha, tightestAt });
    assertClose(got.lower, expected.lower, quantiles.tolerance, 'lower');
    assertClose(got.upper, expected.upper, quantiles.tolerance, 'upper');
    assertClose(got.value ?? Number.NaN, expected.point, quantiles.tolerance, 'point');
  });
}

type Input11 = { alpha: number; A: number; t: number; tMin: number };
const bands = readVectors<Input11, number>('11_dkw_band');

for (const { name, fn, input, expected } of bands.cases) {
  test(`the band around a distribution has its worked height: ${name}`, () => {
    const got =
      fn === 'lilConstant'
        ? bandConstant(input.alpha)
        : bandHalfHeight({ count: input.t, from: input.tMin, alpha: input.alpha });
    assertClose(got, expected, bands.tolerance);
  });
}

test('without data a quantile lies anywhere', () => {
  assert.deepEqual(quantileInterval(createHistogram(), { quantile: 0.95, alpha: 0.05, tightestAt: 1000 }), {
    lower: 0,
    upper: Infinity,
    value: null,
  });
});

test('looked at every 50 observations, the ranks lose the true median in at most alpha of the simulated runs', () => {
  const random = randomFrom(9);
  let lost = 0;
  for (let run = 0; run < 300; run += 1) {
    let below = 0;
    for (let count = 50; count <= 1000; count += 50) {
      below += random.binomial(50, 0.5);
      const { lowerRank, upperRank } = quantileRanks(count, { quantile: 0.5, alpha: 0.05, tightestAt: 500 });
      if ((lowerRank ?? 0) <= below && below < (upperRank ?? Infinity)) continue;
      lost += 1;
      break;
    }
  }
  assert.ok(lost <= 15, `${lost} of 300`);
});

test('questions that cannot be are refused', () => {
  assert.throws(() => quantileRanks(10, { quantile: 1, alpha: 0.05, tightestAt: 10 }), RangeError);
  assert.throws(() => quantileRanks(-1, { quantile: 0.5, alpha: 0.05, tightestAt: 10 }), RangeError);
  assert.throws(() => quantileRanks(10, { quantile: 0.5, alpha: 0.05, tightestAt: 0 }), RangeError);
  assert.throws(() => bandHalfHeight({ count: 1, from: 2, alpha: 0.05 }), RangeError);
  assert.throws(() => bandConstant(1), RangeError);
});
