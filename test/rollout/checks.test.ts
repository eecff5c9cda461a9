import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeComparisons } from '../../src/rollout/checks.ts';
import type { CheckNumbers, ErrorRateNumbers, LatencyNumbers } from '../../src/rollout/checks.ts';
import { defaultAnalysis } from '../../src/rollout/staging.ts';
import type { ErrorRateCheck, LatencyCheck } from '../../src/rollout/staging.ts';
import { isCalm } from '../../src/rollout/verdict.ts';
import type { Verdict } from '../../src/rollout/verdict.ts';

const versions = { baseline: 'stable', candidate: 'canary' };
const errors = defaultAnalysis.checks.find((check): check is ErrorRateCheck => check.metric === 'error-rate')!;
const latency = defaultAnalysis.checks.find((check): check is LatencyCheck => check.metric === 'latency')!;

/** Log evidence that never was higher than now. */
const wealth = (logEvidence: number, peakLogEvidence = Math.max(0, logEvidence)) => ({ logEvidence, peakLogEvidence });

function errorsOf(more: Partial<ErrorRateNumbers> = {}): ErrorRateNumbers {
  const [baseline, candidate] = [
    { hits: 12, count: 11_800 },
    { hits: 3, count: 62 },
  ];
  return { check: errors, baseline, candidate, harm: wealth(0), proof: wealth(0), ...more };
}

function latencyOf(harms: [number, number, number], proofs: [number, number, number] = [0, 0, 0]): LatencyNumbers {
  const quantiles = latency.quantiles.map((quantile, i) => ({
    quantile,
    baselineMs: 60 * (i + 1),
    candidateMs: 100 * (i + 1),
    harm: wealth(harms[i]!),
    proof: wealth(proofs[i]!),
  }));
  return { check: latency, baselineRequests: 11_800, candidateRequests: 620, quantiles };
}

function judge(...numbers: CheckNumbers[]): Verdict[] {
  return judgeComparisons({ versions, analysis: defaultAnalysis }, numbers);
}

const sentences: [string, CheckNumbers, Verdict['answer'], string][] = [
  [
    'harm',
    errorsOf({ harm: wealth(Math.log(12_345)) }),
    'fail',
    'canary fails 4.8 % of requests, stable 0.1 %; 62 canary requests; the chance of this by luck is below 1 in 10,000',
  ],
  [
    'overwhelming harm',
    errorsOf({ harm: wealth(800) }),
    'fail',
    'canary fails 4.8 % of requests, stable 0.1 %; 62 canary requests; the chance of this by luck is below 1 in 1,000,000,000',
  ],
  [
    'a suspicion',
    errorsOf({ harm: wealth(Math.log(40)) }),
    'not-enough-data',
    'canary fails 4.8 % of requests, stable 0.1 %; 62 canary requests; harm is suspected but not shown, the chance of this by luck is below 1 in 40',
  ],
  [
    'proof',
    errorsOf({ candidate: { hits: 1, count: 8663 }, proof: wealth(3) }),
    'pass',
    'canary fails 0.012 % of requests, stable 0.1 %; 8,663 canary requests prove that it is not worse than 1.5 times as many failures plus 0.1 percentage points',
  ],
  [
    'half of the proof',
    errorsOf({ candidate: { hits: 0, count: 62 }, proof: wealth(1.5) }),
    'not-enough-data',
    'canary fails 0 % of requests, stable 0.1 %; 62 canary requests are not enough to prove that it is not worse than 1.5 times as many failures plus 0.1 percentage points (50 % of the evidence needed)',
  ],
  [
    'no request of the candidate',
    errorsOf({ candidate: { hits: 0, count: 0 } }),
    'not-enough-data',
    'canary has had no request to compare yet',
  ],
  [
    'no request of the baseline',
    errorsOf({ baseline: { hits: 0, count: 0 } }),
    'not-enough-data',
    'stable has had no request to compare with yet',
  ],
  [
    'slower at one quantile',
    latencyOf([0, 9, 2]),
    'fail',
    'p95 of canary is 200 ms, of stable 120 ms; 620 canary requests; the chance of this by luck is below 1 in 2,000',
  ],
  [
    'proof at every quantile',
    latencyOf([0, 0, 0], [5, 4, 3]),
    'pass',
    'p99 of canary is 300 ms, of stable 180 ms; 620 canary requests prove that it is not slower by 27.1 % or more',
  ],
  [
    'proof at two of three quantiles',
    latencyOf([0, 0, 0], [5, 4, 0.3]),
    'not-enough-data',
    'p99 of canary is 300 ms, of stable 180 ms; 620 canary requests are not enough to prove that it is not slower by 27.1 % or more (10 % of the evidence needed)',
  ],
];

for (const [name, numbers, answer, sentence] of sentences) {
  test(`${name} is told as: ${sentence.slice(0, 40)}…`, () => {
    const [verdict] = judge(numbers);
    assert.deepEqual([verdict?.answer, verdict?.sentence], [answer, sentence]);
  });
}

test('one guard alone fails exactly where its evidence reaches 1/alpha', () => {
  assert.equal(judge(errorsOf({ harm: wealth(Math.log(100)) }))[0]?.answer, 'fail');
  assert.equal(judge(errorsOf({ harm: wealth(Math.log(99.9)) }))[0]?.answer, 'not-enough-data');
});

test('two guards share the chance of a false alarm by their weights, 5 to 4', () => {
  const [first, second] = judge(errorsOf(), latencyOf([0, 0, 0]));
  assert.ok(close(logThresholdOf(first), Math.log(180)) && close(logThresholdOf(second), Math.log(225)));
  const alone = errorsOf({ harm: wealth(Math.log(179)) });
  assert.equal(judge(alone, latencyOf([-50, -50, -50]))[0]?.answer, 'not-enough-data');
  const together = judge(alone, latencyOf([3, 3, 3]));
  assert.deepEqual(
    together.map(({ answer }) => answer),
    ['fail', 'not-enough-data'],
    'the heavier one is the reason',
  );
});

test('evidence that was high enough once stays failing', () => {
  const [verdict] = judge(errorsOf({ harm: wealth(1, Math.log(120)) }));
  assert.equal(verdict?.answer, 'fail');
  assert.match(verdict?.sentence ?? '', /below 1 in 100$/);
});

test('a quantile whose evidence was high enough once stays failing', () => {
  const calm = latencyOf([0, 0, 0]);
  const [first, ...others] = calm.quantiles;
  const peaked = (peak: number) => ({ ...calm, quantiles: [{ ...first!, harm: wealth(0, peak) }, ...others] });
  assert.equal(judge(peaked(Math.log(301)))[0]?.answer, 'fail', 'a third of the mean');
  assert.equal(judge(peaked(Math.log(299)))[0]?.answer, 'not-enough-data');
});

test('a guard that fails is not calm, whatever its evidence is by now', () => {
  assert.deepEqual(judge(errorsOf({ harm: wealth(0, 9) })).map(isCalm), [false]);
});

test('a signal neither takes from the guards nor gives to them', () => {
  const signal = errorsOf({ check: { ...errors, name: 'soft', role: 'signal' }, harm: wealth(Math.log(99)) });
  const [guard, soft] = judge(errorsOf({ harm: wealth(Math.log(99)) }), signal);
  assert.deepEqual([guard?.answer, soft?.answer, soft?.role], ['not-enough-data', 'not-enough-data', 'signal']);
  assert.ok(close(logThresholdOf(guard), Math.log(100)) && close(logThresholdOf(soft), Math.log(100)));
});

test('proof does not pass while the guard is not calm', () => {
  const verdicts = judge(errorsOf({ harm: wealth(Math.log(10)), proof: wealth(9) }));
  assert.deepEqual(
    verdicts.map((verdict) => [verdict.answer, isCalm(verdict)]),
    [['not-enough-data', false]],
  );
  assert.equal(judge(errorsOf({ harm: wealth(Math.log(9.9)), proof: wealth(9) }))[0]?.answer, 'pass');
});

test('verdicts of impossibly strong evidence are still JSON', () => {
  const [verdict] = judge(errorsOf({ harm: wealth(1e6), proof: wealth(-1e6) }));
  assert.deepEqual(JSON.parse(JSON.stringify(verdict)), verdict);
});

test('nothing to judge gives no verdict', () => {
  assert.deepEqual(judge(), []);
});

function logThresholdOf(verdict: Verdict | undefined): number {
  assert.ok(verdict !== undefined && verdict.evidence.kind !== 'source');
  return verdict.evidence.harmThreshold;
}

function close(a: number, b: number): boolean {
  return Math.abs(a - b) < 1e-9;
}
