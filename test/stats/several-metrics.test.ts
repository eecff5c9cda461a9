import assert from 'node:assert/strict';
import { test } from 'node:test';
import { combineEvidence } from '../../src/stats/combine.ts';
import { discoveries } from '../../src/stats/discoveries.ts';
import { logThreshold } from '../../src/stats/evidence.ts';
import { assertClose, readVectors } from './vectors.ts';

type Input = { weights: number[]; logE: number[]; alpha: number };
type Expected = { logE: number; reject: boolean; top: number; rejected: number[] };
const { cases, tolerance } = readVectors<Input, Expected>('14_multiplicity');

for (const { name, fn, input, expected } of cases) {
  test(`several metrics are judged as worked out: ${name}`, () => {
    if (fn === 'eBH') {
      assert.deepEqual(discoveries(input.logE, input.alpha), expected.rejected);
      return;
    }
    const got = combineEvidence(input.weights.map((weight, i) => ({ weight, logEvidence: input.logE[i]! })));
    assertClose(got.logEvidence, expected.logE, tolerance);
    assert.equal(got.strongest, expected.top);
    assert.equal(got.logEvidence >= logThreshold(input.alpha), expected.reject);
  });
}

test('combined evidence does not overflow, and is at least each part with its weight', () => {
  const { logEvidence } = combineEvidence([
    { weight: 0.4, logEvidence: 5000 },
    { weight: 0.6, logEvidence: -5000 },
  ]);
  assertClose(logEvidence, 5000 + Math.log(0.4), tolerance);
});

test('metrics that would not count alone can count together', () => {
  const [ten, eleven, nine] = [Math.log(10.1), Math.log(11), Math.log(9)];
  assert.deepEqual(discoveries([ten, eleven], 0.1), [0, 1]);
  assert.deepEqual(discoveries([nine, eleven], 0.1), []);
});

test('weights that do not add up, evidence that is no number and an empty list of metrics are handled', () => {
  assert.throws(() => combineEvidence([]), /add up to 1, not 0/);
  assert.throws(() => combineEvidence([{ weight: 0.5, logEvidence: 0 }]), RangeError);
  assert.throws(
    () =>
      combineEvidence([
        { weight: 1.5, logEvidence: 0 },
        { weight: -0.5, logEvidence: 0 },
      ]),
    RangeError,
  );
  assert.throws(() => combineEvidence([{ weight: 1, logEvidence: Number.NaN }]), RangeError);
  assert.throws(() => discoveries([Number.NaN], 0.05), RangeError);
  assert.deepEqual(discoveries([], 0.05), []);
});
