import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exclusionOf } from '../../src/rollout/exclusion.ts';
import { defaultAnalysis } from '../../src/rollout/staging.ts';
import { rateDifferenceInterval } from '../../src/stats/rate-interval.ts';
import { comparison, source, stagingOf } from '../support/rollout-machine.ts';

const policy = stagingOf();

test('a failure rate that is not proved says how large an increase is excluded, by the exact interval', () => {
  const { upper } = rateDifferenceInterval({ hits: 1, count: 1_000 }, { hits: 10, count: 10_000 }, 0.05);
  assert.ok(upper > 0.005 && upper < 0.02);
  const sentence = `could only exclude an increase of error-rate above ${Number((upper * 100).toPrecision(2))} percentage points`;
  assert.equal(exclusionOf(policy, [comparison('not-enough-data')]), sentence);
});

test('without any request nothing but an increase above everything is excluded', () => {
  const { evidence, ...rest } = comparison('not-enough-data');
  assert.ok(evidence.kind === 'error-rate');
  const none = { hits: 0, count: 0 };
  const empty = {
    ...rest,
    answer: 'not-enough-data',
    evidence: { ...evidence, baseline: none, candidate: none },
  } as const;
  assert.equal(
    exclusionOf(policy, [empty]),
    'could only exclude an increase of error-rate above 100 percentage points',
  );
});

test('a latency that is not proved says which slowdown stays possible', () => {
  const logs = { logHarm: 0, harmThreshold: 5, logProof: 1, proofThreshold: 3 };
  const evidence = { kind: 'latency', ...logs, quantiles: [], baselineRequests: 9, candidateRequests: 9 } as const;
  const verdict = {
    check: 'latency',
    version: 'canary',
    role: 'guard',
    answer: 'not-enough-data',
    evidence,
    sentence: '',
  } as const;
  const both = stagingOf({}, { checks: defaultAnalysis.checks });
  assert.equal(
    exclusionOf(both, [comparison('pass'), verdict]),
    "could not exclude that latency is 1.25 times the baseline's",
  );
});

test('a signal is not asked for proof, so nothing is said of it', () => {
  const soft = stagingOf({}, { checks: policy.analysis.checks.map((check) => ({ ...check, role: 'signal' })) });
  assert.equal(exclusionOf(soft, [comparison('not-enough-data')]), 'nothing else is open');
});

test('where every comparison passes, nothing else is open', () => {
  assert.equal(exclusionOf(policy, [comparison('pass'), source('not-enough-data')]), 'nothing else is open');
});
