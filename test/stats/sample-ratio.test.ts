import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logShareEvidence } from '../../src/stats/dirichlet.ts';
import { logBeta, logGamma } from '../../src/stats/log-gamma.ts';
import { addUsers, sampleRatio } from '../../src/stats/sample-ratio.ts';
import type { SplitEpoch } from '../../src/stats/sample-ratio.ts';
import { randomFrom } from './random.ts';
import { assertClose, readVectors } from './vectors.ts';
import type { VectorNumber } from './vectors.ts';

type Input = { epochs: { counts: number[]; p: number[] }[]; concentrations: number[] };
type Expected = { logBfPerConcentration: VectorNumber[]; logE: VectorNumber; p: number; srm: boolean };
const { cases, tolerance } = readVectors<Input, Expected>('09_srm');

for (const { name, input, expected } of cases) {
  test(`the sample ratio is judged as worked out: ${name}`, () => {
    const got = sampleRatio(
      input.epochs.map(({ counts, p }) => ({ counts, shares: p })),
      input.concentrations,
    );
    got.logEvidences.forEach((value, i) =>
      assertClose(value, expected.logBfPerConcentration[i]!, tolerance, `concentration ${input.concentrations[i]}`),
    );
    assertClose(got.logEvidence, expected.logE, tolerance, 'log evidence');
    assertClose(got.chanceByLuck, expected.p, tolerance, 'chance by luck');
    assert.equal(got.isMismatch, expected.srm);
  });
}

test('the evidence over all outcomes of nine users adds up to 1 when the shares are right (exact)', () => {
  for (const [share, concentration] of [
    [0.5, 100],
    [0.01, 10_000],
    [0.3, 1],
  ] as const) {
    let expectation = 0;
    for (let count = 0; count <= 9; count += 1) {
      const ways = Math.exp(logGamma(10) - logGamma(count + 1) - logGamma(10 - count));
      expectation +=
        ways *
        share ** count *
        (1 - share) ** (9 - count) *
        Math.exp(logShareEvidence([count, 9 - count], [share, 1 - share], concentration));
    }
    assertClose(expectation, 1, { abs: 1e-11, rel: 0 });
  }
});

test('for a thousand million users the evidence agrees with its closed form to 1e-10, where differences of log gammas lose 5e-6', () => {
  const users = 1e9;
  const half = (100 + users) / 2;
  const closedForm = -99 * Math.LN2 + 0.5 * Math.log(Math.PI / half) + 1 / (8 * half) - logBeta(50, 50);
  assertClose(logShareEvidence([users / 2, users / 2], [0.5, 0.5], 100), closedForm, { abs: 1e-10, rel: 0 });
});

test('a version without a share and without users changes nothing', () => {
  assert.equal(logShareEvidence([70, 30, 0], [0.5, 0.5, 0], 100), logShareEvidence([70, 30], [0.5, 0.5], 100));
});

test('users join the epoch of their split, and a new split opens the next one', () => {
  let epochs: readonly SplitEpoch[] = [];
  epochs = addUsers(epochs, { counts: [99, 1], shares: [0.99, 0.01] });
  epochs = addUsers(epochs, { counts: [100, 0], shares: [0.99, 0.01] });
  epochs = addUsers(epochs, { counts: [5, 5], shares: [0.5, 0.5] });
  assert.deepEqual(epochs, [
    { counts: [199, 1], shares: [0.99, 0.01] },
    { counts: [5, 5], shares: [0.5, 0.5] },
  ]);
  assert.deepEqual(JSON.parse(JSON.stringify(epochs)), epochs);
  assert.equal(sampleRatio([]).logEvidence, 0);
});

test('in 300 simulated rollouts with a right split, looked at every 50 users, at most one in a hundred is called a mismatch', () => {
  const random = randomFrom(5);
  let alarms = 0;
  for (let run = 0; run < 300; run += 1) {
    let [candidate, baseline] = [0, 0];
    for (let look = 0; look < 60; look += 1) {
      const users = random.binomial(50, 0.1);
      [candidate, baseline] = [candidate + users, baseline + 50 - users];
      if (!sampleRatio([{ counts: [candidate, baseline], shares: [0.1, 0.9] }]).isMismatch) continue;
      alarms += 1;
      break;
    }
  }
  assert.ok(alarms <= 3, `${alarms} of 300`);
});

test('shares and counts that cannot be are refused', () => {
  assert.throws(() => logShareEvidence([1], [0.5, 0.5], 100), /one length/);
  assert.throws(() => logShareEvidence([1, 1], [0.5, 0.6], 100), /add up to 1/);
  assert.throws(() => logShareEvidence([1, -1], [0.5, 0.5], 100), RangeError);
  assert.throws(() => logShareEvidence([1, 1], [Number.NaN, 0.5], 100), RangeError);
  assert.throws(() => logShareEvidence([1, 1], [0.5, 0.5], 0), RangeError);
});
