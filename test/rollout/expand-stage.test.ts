import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { expandStage } from '../../src/rollout/expand-stage.ts';
import type { StageSpec } from '../../src/rollout/expand-stage.ts';

const spec: StageSpec = {
  name: 'grow',
  percent: 5,
  to: null,
  step: null,
  holdMs: null,
  minRequests: null,
  approve: 'auto',
};
const percents = (more: Partial<StageSpec>) => expandStage({ ...spec, ...more }).map(({ percent }) => percent);

test('a stage without a range is one step', () => {
  assert.deepEqual(expandStage(spec), [
    { name: 'grow', percent: 5, holdMs: 60_000, minRequests: 100, approve: 'auto' },
  ]);
});

test('a range is spelled out, every step with the same words', () => {
  const stages = expandStage({ ...spec, to: 50, step: 5, holdMs: 600_000, approve: 'manual' });
  assert.deepEqual(
    stages.map(({ percent }) => percent),
    [5, 10, 15, 20, 25, 30, 35, 40, 45, 50],
  );
  assert.ok(stages.every(({ name, holdMs, approve }) => name === 'grow' && holdMs === 600_000 && approve === 'manual'));
});

test('a range ends at `to` also where its steps do not hit it, and without a step has two', () => {
  assert.deepEqual(percents({ to: 12, step: 5 }), [5, 10, 12]);
  assert.deepEqual(percents({ to: 12 }), [5, 12]);
  assert.deepEqual(percents({ to: 5, step: 5 }), [5]);
});

test('steps of 0.01 stay exact', () => {
  const fine = percents({ percent: 0.01, to: 0.3, step: 0.01 });
  assert.equal(fine.length, 30);
  assert.deepEqual([fine[2], fine[6], fine.at(-1)], [0.03, 0.07, 0.3]);
});

test('rules only asks for no split traffic, and everyone needs no hold, unless the file says so', () => {
  assert.deepEqual(expandStage({ ...spec, percent: 0 })[0]?.minRequests, 0);
  assert.deepEqual(expandStage({ ...spec, percent: 0, minRequests: 20 })[0]?.minRequests, 20);
  assert.deepEqual(expandStage({ ...spec, percent: 100 })[0]?.holdMs, 0);
  assert.deepEqual(expandStage({ ...spec, percent: 100, holdMs: 5 })[0]?.holdMs, 5);
});

test('a range that goes down and a step of nothing are refused', () => {
  assert.throws(() => percents({ to: 4, step: 1 }), /stage grow must go up, not from 5 to 4/);
  assert.throws(() => percents({ to: 50, step: 0 }), /the step of stage grow must be at least 0.01, not 0/);
});

test('every range goes up from its percent to its end in steps no larger than asked for', () => {
  const hundredths = fc.integer({ min: 1, max: 10_000 });
  fc.assert(
    fc.property(hundredths, hundredths, hundredths, (a, b, step) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      const steps = percents({ percent: low / 100, to: high / 100, step: step / 100 }).map((percent) => percent * 100);
      assert.deepEqual([Math.round(steps[0]!), Math.round(steps.at(-1)!)], [low, high]);
      steps.slice(1).forEach((next, i) => assert.ok(next > steps[i]! && next - steps[i]! <= step + 1e-6));
    }),
    { seed: 11 },
  );
});
