import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlaggerWatch } from '../../../src/rollout/rehearsal/flagger-watch.ts';
import { randomFrom } from '../../../src/rollout/rehearsal/random.ts';
import { scenarioOf } from '../../support/scenarios.ts';

const minuteMs = 60_000;

function watched(steps: readonly { failures: number; percent?: number }[]): FlaggerWatch {
  const watch = new FlaggerWatch();
  steps.forEach(({ failures, percent = 5 }, i) =>
    watch.add({ requests: 600, failures }, { fromMs: i * minuteMs, toMs: (i + 1) * minuteMs, percent }),
  );
  return watch;
}

/** After twenty seconds with a candidate that fails half of its requests. */
function begun(): FlaggerWatch {
  const watch = new FlaggerWatch();
  watch.add({ requests: 200, failures: 100 }, { fromMs: 0, toMs: 20_000, percent: 5 });
  return watch;
}

test('five bad minutes and one more look roll back', () => {
  const bad = Array.from({ length: 10 }, () => ({ failures: 30 }));
  const { rolledBackAtMs, candidateRequests, candidateFailures } = watched(bad).verdict();
  assert.deepEqual([rolledBackAtMs, candidateRequests, candidateFailures], [6 * minuteMs, 3_600, 180]);
});

test('minutes with less than one percent of failures, or without the candidate, are no failed looks', () => {
  const good = Array.from({ length: 10 }, () => ({ failures: 5 }));
  const without = Array.from({ length: 10 }, () => ({ failures: 600, percent: 0 }));
  assert.equal(watched(good).verdict().rolledBackAtMs, null);
  assert.equal(watched(without).verdict().rolledBackAtMs, null);
});

test('it goes on where graygate has stopped the candidate, minute by minute, until the limit', () => {
  const harm = { failureRate: 0.5, latencyFactor: 1, fromMs: 0 };
  const going = { nowMs: 20_000, limitMs: 60 * minuteMs, percent: 5, random: randomFrom(1) };
  const bad = begun();
  bad.goOn(scenarioOf({ harm }), going);
  assert.equal(bad.verdict().rolledBackAtMs, 6 * minuteMs);
  assert.ok(Math.abs(bad.verdict().candidateRequests - 3_600) < 300);
  const good = begun();
  good.goOn(scenarioOf(), going);
  assert.equal(good.verdict().rolledBackAtMs, null);
});
