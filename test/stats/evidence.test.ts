import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  addLogFactors,
  chanceByLuck,
  logThreshold,
  restartEvidence,
  startEvidence,
  updateEvidence,
} from '../../src/stats/evidence.ts';
import { errorGuardTest, latencyGuardTest } from '../../src/stats/guard-test.ts';
import { errorPromotionTest, latencyPromotionTest } from '../../src/stats/promotion-test.ts';
import { addCounts, logFactors, stakes } from '../../src/stats/stratum.ts';
import type { StratumCounts, StratumTest } from '../../src/stats/stratum.ts';
import { randomFrom } from './random.ts';
import { assertClose, readVectors, throughJson } from './vectors.ts';

type Design = { kind: 'guard' | 'promote'; R: number; delta: number; centre: number };
type Strata = readonly (readonly [number, number, number, number])[];
type Course = Design & { pi0: number; restartEvery: number; alpha: number; strata: Strata };
type CourseExpected = {
  checkpoints: [number, number][];
  maxLogV: number;
  pAnytime: number;
  stopAt: number | null;
  restarts: number;
};

const errorGuard = errorGuardTest({ ratio: 1.1, plus: 0.0005 });

function testOf({ kind, R, delta, centre }: Design): StratumTest {
  if (kind === 'promote')
    return centre > 0 ? latencyPromotionTest(1 - centre) : errorPromotionTest({ ratio: R, plus: delta });
  return centre > 0 ? latencyGuardTest(1 - centre) : errorGuardTest({ ratio: R, plus: delta });
}

function countsOf([candidateCount, candidateHits, baselineCount, baselineHits]: Strata[number]): StratumCounts {
  return { candidateCount, candidateHits, baselineCount, baselineHits };
}

const factors = readVectors<
  Design & { nc: number; xc: number; ns: number; xs: number },
  { lambda: number[]; logFactor: number[] }
>('01_stratum_factor');

for (const { name, input, expected } of factors.cases) {
  test(`one stratum gives every bet its worked factor: ${name}`, () => {
    const counts = countsOf([input.nc, input.xc, input.ns, input.xs]);
    const got = logFactors(testOf(input), counts);
    assert.equal(got.length, expected.logFactor.length);
    got.forEach((value, k) => assertClose(value, expected.logFactor[k]!, factors.tolerance, `bet ${k}`));
    if (input.nc === 0 || input.ns === 0) return;
    stakes(testOf(input), input.nc / (input.nc + input.ns)).forEach((value, k) =>
      assertClose(value, expected.lambda[k]!, factors.tolerance, `stake ${k}`),
    );
  });
}

for (const file of ['02_guard_eprocess', '03_promote_eprocess']) {
  const { cases, tolerance } = readVectors<Course, CourseExpected>(file);
  for (const { name, input, expected } of cases) {
    test(`evidence follows its worked course over the strata (${file}): ${name}`, () => {
      const rule = testOf(input);
      const checkpoints = new Map(expected.checkpoints);
      let evidence = startEvidence(rule);
      let stopAt: number | null = null;
      input.strata.forEach((stratum, t) => {
        if (input.restartEvery > 0 && t > 0 && t % input.restartEvery === 0) evidence = restartEvidence(evidence);
        evidence = updateEvidence(rule, evidence, countsOf(stratum));
        const wanted = checkpoints.get(t + 1);
        if (wanted !== undefined) assertClose(evidence.logEvidence, wanted, tolerance, `after stratum ${t + 1}`);
        if (evidence.logEvidence >= logThreshold(input.alpha)) stopAt ??= t + 1;
      });
      assert.equal(stopAt, expected.stopAt);
      assert.equal(evidence.restartCount, expected.restarts);
      assertClose(evidence.peakLogEvidence, Math.max(0, expected.maxLogV), tolerance, 'peak');
      assertClose(chanceByLuck(evidence), expected.pAnytime, tolerance, 'chance by luck');
    });
  }
}

/** Chance of each number of hits among requests that each have their own. */
function hitDistribution(rates: readonly number[]): number[] {
  let chances = [1];
  for (const rate of rates) {
    const next = [...chances, 0].map((chance) => chance * (1 - rate));
    chances.forEach((chance, hits) => (next[hits + 1] = next[hits + 1]! + chance * rate));
    chances = next;
  }
  return chances;
}

/** Expected factor of each bet, by enumeration of every outcome of the requests. */
function expectedFactors(
  rule: StratumTest,
  candidateRates: readonly number[],
  baselineRates: readonly number[],
): number[] {
  const sums = rule.bets.values.map(() => 0);
  hitDistribution(candidateRates).forEach((candidateChance, candidateHits) => {
    hitDistribution(baselineRates).forEach((baselineChance, baselineHits) => {
      const counts = {
        candidateCount: candidateRates.length,
        candidateHits,
        baselineCount: baselineRates.length,
        baselineHits,
      };
      logFactors(rule, counts).forEach(
        (factor, k) => (sums[k] = sums[k]! + candidateChance * baselineChance * Math.exp(factor)),
      );
    });
  });
  return sums;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const someRates = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 6 });
const someTest = fc.oneof(
  fc
    .record({ ratio: fc.double({ min: 1, max: 2, noNaN: true }), plus: fc.double({ min: 0, max: 0.1, noNaN: true }) })
    .map(errorGuardTest),
  fc
    .record({ ratio: fc.double({ min: 1, max: 2, noNaN: true }), plus: fc.double({ min: 0, max: 0.1, noNaN: true }) })
    .map(errorPromotionTest),
  fc.constantFrom(0.5, 0.95, 0.99).map(latencyGuardTest),
  fc.constantFrom(0.5, 0.95, 0.99).map(latencyPromotionTest),
);

test('no bet gains on average while its null holds, whatever the requests are like and however they are split (exact)', () => {
  let held = 0;
  fc.assert(
    fc.property(someTest, someRates, someRates, (rule, candidateRates, baselineRates) => {
      const border = rule.ratio * mean(baselineRates) + rule.plus;
      const isNull = rule.against === 'harm' ? mean(candidateRates) <= border : mean(candidateRates) >= border;
      if (!isNull) return;
      held += 1;
      for (const expectation of expectedFactors(rule, candidateRates, baselineRates))
        assert.ok(expectation <= 1 + 1e-12, `expectation ${expectation}`);
    }),
    { seed: 20261122, numRuns: 600 },
  );
  assert.ok(held > 150, `the property was met with its premise only ${held} times`);
});

test('a bet does gain on average when the harm is real, so the property above is not empty', () => {
  const gains = expectedFactors(errorGuard, [0.9, 0.9], [0.01, 0.01, 0.01]);
  assert.ok(Math.max(...gains) > 1.5);
});

test('the whole process with its restarts has an expectation of at most 1 over two strata at the border (exact)', () => {
  const rule = errorGuardTest({ ratio: 1, plus: 0 });
  const hits = hitDistribution([0.3, 0.3]);
  let expectation = 0;
  for (let outcome = 0; outcome < 81; outcome += 1) {
    const [a, b, c, d] = [
      outcome % 3,
      Math.floor(outcome / 3) % 3,
      Math.floor(outcome / 9) % 3,
      Math.floor(outcome / 27),
    ] as const;
    const first = updateEvidence(rule, startEvidence(rule), countsOf([2, a, 2, b]));
    const second = updateEvidence(rule, restartEvidence(first), countsOf([2, c, 2, d]));
    expectation += hits[a]! * hits[b]! * hits[c]! * hits[d]! * Math.exp(second.logEvidence);
  }
  assert.ok(expectation <= 1 + 1e-12 && expectation > 0.85, `expectation ${expectation}`);
});

test('a restart moves prior mass and changes no evidence; before a stratum, or without a reserve, it changes nothing', () => {
  const fresh = startEvidence(errorGuard);
  assert.deepEqual(restartEvidence(fresh), fresh);
  const once = updateEvidence(errorGuard, fresh, countsOf([10, 1, 190, 0]));
  assert.equal(once.strataCount, 1);
  const restarted = restartEvidence(once);
  const next = updateEvidence(errorGuard, restarted, countsOf([0, 0, 190, 0]));
  assertClose(next.logEvidence, once.logEvidence, { abs: 1e-12, rel: 0 });
  assert.deepEqual(restartEvidence(restarted), restarted);
  const promotion = errorPromotionTest({ ratio: 1.5, plus: 0.001 });
  const proving = updateEvidence(promotion, startEvidence(promotion), countsOf([10, 0, 190, 0]));
  assert.deepEqual(restartEvidence(proving), proving);
});

test('evidence that went through JSON goes on as if it had stayed', () => {
  let kept = startEvidence(errorGuard);
  let stored = startEvidence(errorGuard);
  for (const stratum of [
    [10, 0, 190, 2],
    [9, 9, 180, 0],
    [0, 0, 10, 1],
    [500, 500, 9500, 1],
  ] as const) {
    kept = restartEvidence(updateEvidence(errorGuard, kept, countsOf(stratum)));
    stored = throughJson(restartEvidence(updateEvidence(errorGuard, stored, countsOf(stratum))));
  }
  assert.deepEqual(stored, kept);
});

test('log factors of two machines can be added by a third, and counts of one slice merged', () => {
  const [here, there] = [countsOf([10, 1, 90, 1]), countsOf([5, 3, 200, 2])];
  const inOrder = updateEvidence(errorGuard, updateEvidence(errorGuard, startEvidence(errorGuard), here), there);
  const sent = addLogFactors(
    addLogFactors(startEvidence(errorGuard), logFactors(errorGuard, there)),
    logFactors(errorGuard, here),
  );
  assertClose(sent.logEvidence, inOrder.logEvidence, { abs: 1e-12, rel: 0 });
  assert.deepEqual(addCounts(here, there), countsOf([15, 4, 290, 3]));
});

test('impossible counts and impossible tests are refused, so no NaN can compare false and pass', () => {
  const fresh = startEvidence(errorGuard);
  for (const counts of [
    [Number.NaN, 0, 1, 0],
    [1, 2, 1, 0],
    [1, 0, 1, -1],
    [1, 0, Infinity, 0],
    [1, 0, 1, Number.NaN],
  ] as const) {
    assert.throws(() => updateEvidence(errorGuard, fresh, countsOf(counts)), RangeError);
  }
  assert.throws(() => addLogFactors(fresh, [0]), /8 bets/);
  assert.throws(() => addLogFactors(fresh, [Number.NaN, 0, 0, 0, 0, 0, 0, 0]), RangeError);
  for (const margin of [
    { ratio: 0, plus: 0 },
    { ratio: 1, plus: -0.1 },
    { ratio: 1, plus: 1 },
    { ratio: Number.NaN, plus: 0 },
  ]) {
    assert.throws(() => errorGuardTest(margin), RangeError);
    assert.throws(() => errorPromotionTest(margin), RangeError);
  }
  for (const quantile of [0, 1, 1.5, Number.NaN]) assert.throws(() => latencyGuardTest(quantile), RangeError);
  assert.throws(() => logThreshold(0), RangeError);
});

test('a test in which a bet could lose everything, or the null means nothing, does not start', () => {
  const latencyGuard = latencyGuardTest(0.95);
  const promotion = errorPromotionTest({ ratio: 1.5, plus: 0.001 });
  const impossible: readonly StratumTest[] = [
    { ...errorGuard, firstShare: 0 },
    { ...errorGuard, firstShare: 1.1 },
    { ...errorGuard, bets: { as: 'rate-ratio', values: [1] } },
    { ...errorGuard, bets: { as: 'rate-ratio', values: [Infinity] } },
    { ...errorGuard, bets: { as: 'rate-ratio', values: [] } },
    { ...latencyGuard, bets: { as: 'fraction', values: [1] } },
    { ...latencyGuard, bets: { as: 'fraction', values: [0] } },
    { ...latencyGuard, centre: 1 },
    { ...latencyGuard, ratio: 0.05 },
    { ...latencyGuard, plus: 0.95 },
    { ...promotion, bets: { as: 'rate-ratio', values: [2] } },
  ];
  for (const rule of impossible) assert.throws(() => startEvidence(rule), RangeError, JSON.stringify(rule));
});

/** One simulated rollout at 200 requests a second, 5 % candidate: strata of a second until the alarm, or null. */
function simulate(
  random: ReturnType<typeof randomFrom>,
  candidateRate: number,
  baselineRate: number,
  seconds: number,
): { alarmed: boolean; candidateRequests: number } {
  const rule = errorGuardTest({ ratio: 1, plus: 0 });
  let evidence = startEvidence(rule);
  let candidateRequests = 0;
  for (let second = 0; second < seconds; second += 1) {
    if (second > 0 && second % 60 === 0) evidence = restartEvidence(evidence);
    const [candidateCount, baselineCount] = [random.poisson(10), random.poisson(190)];
    const [candidateHits, baselineHits] = [
      random.binomial(candidateCount, candidateRate),
      random.binomial(baselineCount, baselineRate),
    ];
    evidence = updateEvidence(rule, evidence, { candidateCount, candidateHits, baselineCount, baselineHits });
    candidateRequests += candidateCount;
    if (evidence.logEvidence >= logThreshold(0.01)) return { alarmed: true, candidateRequests };
  }
  return { alarmed: false, candidateRequests };
}

test('in 300 simulated half hours of equal versions, looked at every second, at most 2 % raise the alarm', () => {
  const random = randomFrom(7);
  let alarms = 0;
  for (let run = 0; run < 300; run += 1) if (simulate(random, 0.01, 0.01, 1800).alarmed) alarms += 1;
  assert.ok(alarms <= 6, `${alarms} false alarms`);
});

test('a candidate that fails 1 % instead of 0.1 % is found within 1.6 times the least requests any valid test needs', () => {
  const random = randomFrom(11);
  const needed: number[] = [];
  for (let run = 0; run < 200; run += 1) {
    const { alarmed, candidateRequests } = simulate(random, 0.01, 0.001, 3600);
    assert.ok(alarmed);
    needed.push(candidateRequests);
  }
  const leastByTheory = 375;
  assert.ok(mean(needed) < 1.6 * leastByTheory, `${mean(needed)} candidate requests on average`);
  assert.ok(mean(needed) > leastByTheory, 'less than the limit would mean that the test is not valid');
});
