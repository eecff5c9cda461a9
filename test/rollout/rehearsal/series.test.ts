import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leastRequestsOf, Series } from '../../../src/rollout/rehearsal/series.ts';
import { stageOf } from '../../support/rollout-machine.ts';
import { climbing, failing, rehearsed, scenarioOf, strict } from '../../support/scenarios.ts';

test('a series of bad releases says how fast they were found, at what price, and what any test needs', () => {
  const staying = strict([stageOf(5, { holdMs: 86_400_000 }), stageOf(100)]);
  const scenario = scenarioOf(failing(0.05));
  const series = new Series(staying, scenario);
  const runs = Array.from({ length: 5 }, (_, seed) => rehearsed(staying, scenario, { seed }));
  for (const run of runs) series.add(run);
  const summary = series.summary();
  assert.deepEqual([summary.runCount, summary.promotedCount, summary.rolledBackCount], [5, 0, 5]);
  assert.deepEqual([summary.promotedAfterMs, summary.stays], [null, []]);
  const { stops } = summary;
  const times = runs.map(({ endedMs }) => endedMs).toSorted((a, b) => a - b);
  assert.deepEqual([stops!.afterMs.median, stops!.afterMs.p95], [times[2], times[4]]);
  assert.equal(stops!.requests.mean, runs.reduce((sum, { candidate }) => sum + candidate.requests, 0) / 5);
  assert.ok(Math.abs(stops!.leastRequests! - 41.4) < 0.1, String(stops!.leastRequests));
  assert.equal(summary.flagger.rolledBackCount, 5);
  assert.ok(summary.flagger.rolledBackAfterMs!.median >= 300_000);
});

test('a series of healthy releases says how often one was rolled back all the same, and how long stages took', () => {
  const scenario = scenarioOf({ requestsPerSecond: 5_000 });
  const series = new Series(climbing(), scenario);
  for (let seed = 1; seed <= 2; seed += 1) series.add(rehearsed(climbing(), scenario, { seed }));
  const { promotedCount, rolledBackInterval, stops, stays, promotedAfterMs } = series.summary();
  assert.deepEqual([promotedCount, stops, rolledBackInterval.lower], [2, null, 0]);
  assert.ok(rolledBackInterval.upper > 0.5, 'two runs prove little');
  assert.deepEqual(
    stays.map(({ percent }) => percent),
    [1, 5, 25, 50, 100],
  );
  const whole = stays.reduce((sum, { ms }) => sum + ms.mean, 0);
  assert.ok(Math.abs(whole - promotedAfterMs!.mean) < 1e-6);
});

test('beside other candidates the least requests are those of the two alone, at its part of alpha', () => {
  const split = { canary: 20, green: 7 };
  const several = { ...strict([]), split, candidates: ['canary', 'green'] as const };
  const scenario = scenarioOf({ ...failing(0.05), harmOf: 'green' });
  const alone = { ...several, analysis: { ...several.analysis, alpha: 0.005 }, split: { canary: 8.75 } };
  const least = leastRequestsOf(several, scenario, 7)!;
  assert.ok(Math.abs(least - leastRequestsOf(alone, scenarioOf(failing(0.05)), 8.75)!) < 1e-6, `${least}`);
  assert.equal(leastRequestsOf(several, scenario, 80), null, 'then the baseline has nobody');
});

test('the least requests are those of the statistics, and none where there is nothing to find', () => {
  const guarded = strict([stageOf(5), stageOf(100)]);
  const least = (harm: number, percent: number): number | null =>
    leastRequestsOf(guarded, scenarioOf({ ...failing(harm), failureRate: 0.01 }), percent);
  assert.ok(Math.abs(least(0.02, 5)! - 1_256) < 1);
  assert.deepEqual([least(0.01, 5), least(0.02, 0), least(0.02, 100)], [null, null, null]);
  const slow = { harm: { failureRate: null, latencyFactor: 2, fromMs: 0 } };
  assert.equal(leastRequestsOf(guarded, scenarioOf(slow), 5), null);
});
