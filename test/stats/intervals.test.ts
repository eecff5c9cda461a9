import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logEvidenceAgainstRate, rateDifferenceInterval, rateInterval } from '../../src/stats/rate-interval.ts';
import { mergeRatios, ratioInterval, startRatio, updateRatio } from '../../src/stats/rate-ratio-interval.ts';
import { randomFrom } from './random.ts';
import { assertClose, readVectors } from './vectors.ts';
import type { VectorNumber } from './vectors.ts';

type Input04 = { x: number; n: number; alpha: number; p0: number; xc: number; nc: number; xs: number; ns: number };
const rates = readVectors<Input04, number | { lower: number; upper: number }>('04_bernoulli_cs');

for (const { name, fn, input, expected } of rates.cases) {
  test(`a rate, or a difference of rates, has its worked interval: ${name}`, () => {
    if (typeof expected === 'number') {
      assert.equal(fn, 'bernoulliLogE');
      assertClose(logEvidenceAgainstRate({ hits: input.x, count: input.n }, input.p0), expected, rates.tolerance);
      return;
    }
    const got =
      fn === 'bernoulliDiffCs'
        ? rateDifferenceInterval({ hits: input.xc, count: input.nc }, { hits: input.xs, count: input.ns }, input.alpha)
        : rateInterval({ hits: input.x, count: input.n }, input.alpha);
    assertClose(got.lower, expected.lower, rates.tolerance, 'lower');
    assertClose(got.upper, expected.upper, rates.tolerance, 'upper');
  });
}

type Expected05 = { logMixture: number; lower: number; upper: VectorNumber };
const ratios = readVectors<{ alpha: number; strata: [number, number, number, number][] }, Expected05>(
  '05_rate_ratio_cs',
);

for (const { name, input, expected } of ratios.cases) {
  test(`the ratio of two failure rates has its worked interval, in one process or two: ${name}`, () => {
    const parts = [startRatio(), startRatio()];
    input.strata.forEach(([candidateCount, candidateHits, baselineCount, baselineHits], t) => {
      parts[t % 2] = updateRatio(parts[t % 2]!, { candidateCount, candidateHits, baselineCount, baselineHits });
    });
    const got = ratioInterval(mergeRatios(parts[0]!, parts[1]!), input.alpha);
    assertClose(got.logMixture, expected.logMixture, ratios.tolerance, 'logMixture');
    assertClose(got.lower, expected.lower, ratios.tolerance, 'lower');
    assertClose(got.upper, expected.upper, ratios.tolerance, 'upper');
  });
}

test('an interval holds its rate, and fails and successes mirror each other', () => {
  for (const [hits, count] of [
    [1, 3],
    [40, 1000],
    [999, 1000],
    [7, 1_000_000_000],
  ] as const) {
    const { lower, upper } = rateInterval({ hits, count }, 0.05);
    assert.ok(lower < hits / count && hits / count < upper);
    const mirrored = rateInterval({ hits: count - hits, count }, 0.05);
    assertClose(mirrored.lower, 1 - upper, { abs: 1e-12, rel: 0 });
  }
});

test('an interval of 10 out of 1e9 still has a meaningful lower end', () => {
  const { lower, upper } = rateInterval({ hits: 10, count: 1e9 }, 0.05);
  assert.ok(lower > 1e-9 && upper < 1e-7, `${lower} to ${upper}`);
});

test('looked at after every request, the interval of a simulated rate loses the truth in at most alpha of the runs', () => {
  const random = randomFrom(3);
  let lost = 0;
  for (let run = 0; run < 400; run += 1) {
    let hits = 0;
    for (let count = 1; count <= 500; count += 1) {
      hits += random.uniform() < 0.2 ? 1 : 0;
      if (logEvidenceAgainstRate({ hits, count }, 0.2) < Math.log(20)) continue;
      lost += 1;
      break;
    }
  }
  assert.ok(lost <= 20, `${lost} of 400 at alpha 0.05`);
});

test('impossible counts and rates are refused', () => {
  assert.throws(() => rateInterval({ hits: 2, count: 1 }, 0.05), /hits must be from 0 to 1, not 2/);
  assert.throws(() => rateInterval({ hits: 0, count: Number.NaN }, 0.05), RangeError);
  assert.throws(() => rateInterval({ hits: 0, count: 1 }, 0), RangeError);
  assert.throws(() => logEvidenceAgainstRate({ hits: 0, count: 1 }, 1), RangeError);
  assert.throws(() => rateDifferenceInterval({ hits: 0, count: 1 }, { hits: 0, count: 1 }, 2), RangeError);
  assert.throws(
    () => updateRatio(startRatio(), { candidateCount: 1, candidateHits: 2, baselineCount: 1, baselineHits: 0 }),
    RangeError,
  );
});
