import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyFigures, type Figures } from '../../src/rollout/figures.ts';
import { StageTotals } from '../../src/rollout/stage-totals.ts';
import { createHistogram, observe, packHistogram, quantileMs } from '../../src/stats/log-histogram.ts';

/** A hundred requests of the split, of which one failed, from 1 to 100 ms; slow ones that nobody compares beside them. */
function hundred(): Figures {
  const figures = { ...emptyFigures(), splitCount: 100, splitFailureCount: 1, otherCount: 50 };
  figures.otherLatencies = createHistogram();
  for (let ms = 1; ms <= 100; ms += 1) observe(figures.latencies, ms);
  for (let i = 0; i < 50; i += 1) observe(figures.otherLatencies, 9_000);
  return figures;
}

function medianOf(totals: StageTotals, index: number): number | null {
  return quantileMs(totals.view().latencies[index]!, 0.5);
}

test('latencies are those of the requests that are counted, and add up', () => {
  const totals = new StageTotals(2);
  assert.equal(medianOf(totals, 1), null);
  for (let i = 0; i < 3; i += 1) totals.add([emptyFigures(), hundred()]);
  assert.deepEqual(totals.view().split[1], { requests: 300, failures: 3 });
  assert.equal(totals.view().latencies[1]!.count, 300);
  assert.ok(Math.abs(medianOf(totals, 1)! - 50) < 1, `got ${medianOf(totals, 1)}`);
  assert.equal(medianOf(totals, 0), null);
});

test('a restart goes on from what was kept, and what was kept does not change with what comes after', () => {
  const totals = new StageTotals(2);
  totals.add([emptyFigures(), hundred()]);
  const kept = totals.snapshot();
  const written = JSON.stringify(kept);
  totals.add([hundred(), hundred()]);
  assert.equal(JSON.stringify(kept), written);
  const restored = new StageTotals(2, JSON.parse(written));
  restored.add([hundred(), hundred()]);
  assert.deepEqual(restored.snapshot(), totals.snapshot());
  assert.deepEqual(restored.view().latencies.map(packHistogram), totals.view().latencies.map(packHistogram));
});

test('what an older release kept has no latencies: those from now on count', () => {
  const counts = [
    { requests: 7, failures: 1 },
    { requests: 5, failures: 0 },
  ];
  const totals = new StageTotals(2, { split: counts, rules: counts });
  assert.deepEqual([totals.view().split, medianOf(totals, 0)], [counts, null]);
  totals.add([hundred(), emptyFigures()]);
  assert.equal(totals.view().split[0]?.requests, 107);
  assert.ok(Math.abs(medianOf(totals, 0)! - 50) < 1);
});

test('what was kept of another number of versions says nothing', () => {
  const totals = new StageTotals(2);
  totals.add([hundred(), hundred()]);
  assert.deepEqual(new StageTotals(3, totals.snapshot()).snapshot(), new StageTotals(3).snapshot());
});
