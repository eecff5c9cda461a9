// Sums kept up step by step are those that every user, looked at afterwards, gives; in whatever order things came in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as assertProperty, integer, property } from 'fast-check';
import type { Sample } from '../../../src/stats/sample.ts';
import { createDayClock } from '../../../src/rollout/experiment/day-clock.ts';
import { ExperimentSums } from '../../../src/rollout/experiment/experiment-sums.ts';
import { LiveExperiment, planOf } from '../../../src/rollout/experiment/live-experiment.ts';
import { packRecord, unknownUser, unpackRecord, type UserRecord } from '../../../src/rollout/experiment/user-record.ts';
import { dayMs, experimentOf, type Lives, someLives, T0, versions } from './lives.ts';
import { naiveFigures } from './naive-experiment.ts';

/** Lives as they come in, one step after the other; records are packed between steps. */
function run(lives: Lives, settleEvery: number) {
  const live = new LiveExperiment(planOf(versions, experimentOf()));
  const records = new Map<string, string>();
  const recordOf = (user: string): UserRecord => (records.has(user) ? unpackRecord(records.get(user)!) : unknownUser);
  const steps = [
    ...lives.splits.map((change) => ({ nowMs: change.atMs, step: () => live.splitChanged(change) })),
    ...lives.exposures.map(({ exposure, nowMs }) => ({
      nowMs,
      step: () => void records.set(exposure.user, packRecord(live.exposed(recordOf(exposure.user), exposure, nowMs))),
    })),
    ...lives.events.map(({ event, nowMs }) => ({
      nowMs,
      step: () => void records.set(event.user, packRecord(live.happened(recordOf(event.user), event, nowMs))),
    })),
  ].toSorted((a, b) => a.nowMs - b.nowMs);
  for (const [i, { step, nowMs }] of steps.entries()) {
    step();
    if (i % settleEvery === 0) live.settle(nowMs);
  }
  return { live, records: [...records.values()].map(unpackRecord) };
}

const clock = createDayClock('Asia/Shanghai');
const endMs = T0 + 10 * dayMs;
const runs = { numRuns: 400, seed: 20_261_122 };

test('what the sums say at last is what every user, looked at one by one, gives', () => {
  assertProperty(
    property(someLives, integer({ min: 1, max: 30 }), (lives, settleEvery) => {
      const found = run(lives, settleEvery).live.summed(endMs);
      const expected = naiveFigures(lives);
      assert.deepEqual(
        found.phases.map(({ exposed }) => exposed),
        expected.exposed,
      );
      assert.deepEqual(found.leftOut, expected.leftOut);
      for (const { metric, samples, paired, waiting } of found.metrics) {
        const isPaired = metric.kind === 'revenue' || metric.kind === 'events';
        const numbers = samples.map((each, phase) =>
          each.map((sample, i) => (isPaired ? pairedNumbers(paired?.[phase]?.[i], sample) : numbersOf(sample))),
        );
        assert.deepEqual(numbers, expected.samples[metric.name], metric.name);
        assert.deepEqual(waiting, [0, 0, 0]);
      }
    }),
    runs,
  );
});

/** Without a past of anybody there is nothing to pair. */
function pairedNumbers(paired: Readonly<Record<string, number>> | undefined, sample: Sample): number[] {
  return paired === undefined ? [...numbersOf(sample), 0, 0, 0] : Object.values(paired);
}

function numbersOf(sample: Sample): number[] {
  return Object.values(sample).filter((value) => typeof value === 'number');
}

test('the sums are at any time those of all records added up anew', () => {
  assertProperty(
    property(someLives, (lives) => {
      const { live, records } = run(lives, Infinity);
      const anew = new ExperimentSums();
      for (const record of records) anew.replace(unknownUser, record, live.plan.metrics, clock);
      assert.deepEqual(nonZero(anew), nonZero(live.sums));
    }),
    runs,
  );
});

function nonZero(sums: ExperimentSums): unknown[] {
  return [...sums.blocks()]
    .filter((block) => block.sums.some((sum) => sum !== 0))
    .map((block) => ({ ...block.place, sums: [...block.sums].map((sum) => sum + 0) }))
    .toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
}
