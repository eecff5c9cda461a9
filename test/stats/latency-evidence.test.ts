import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logThreshold } from '../../src/stats/evidence.ts';
import {
  countSlower,
  latencyHarm,
  latencySafety,
  latencyTest,
  resetLatencyPromotion,
  restartLatency,
  startLatency,
  updateLatency,
} from '../../src/stats/latency-evidence.ts';
import type { LatencyEvidence, LatencySlices } from '../../src/stats/latency-evidence.ts';
import { startReference, thresholdIndex, updateReference } from '../../src/stats/latency-reference.ts';
import { bucketIndex, createHistogram, observe, unpackHistogram } from '../../src/stats/log-histogram.ts';
import type { LogHistogram } from '../../src/stats/log-histogram.ts';
import { randomFrom } from './random.ts';
import type { Random } from './random.ts';
import { assertClose, readVectors, throughJson } from './vectors.ts';

type Buckets = Readonly<Record<string, number>>;
type Input = {
  kind: 'guard' | 'promote';
  q: number;
  margin: number;
  restartEvery: number;
  strata: [Buckets, Buckets][];
};
type Expected = { shift: number; rows: [number | null, number, number, number, number, number][] };
const { cases, tolerance } = readVectors<Input, Expected>('13_latency_eprocess');

function histogramOf(buckets: Buckets): LogHistogram {
  const indexes = Object.keys(buckets).map(Number);
  if (indexes.length === 0) return createHistogram();
  const firstIndex = Math.min(...indexes);
  const counts = Array.from({ length: Math.max(...indexes) - firstIndex + 1 }, (_, i) => buckets[firstIndex + i] ?? 0);
  return unpackHistogram({ firstIndex, counts });
}

for (const { name, input, expected } of cases) {
  test(`latency evidence follows its worked course from bucket counts: ${name}`, () => {
    const rule = latencyTest({ quantiles: [input.q], tolerate: 1 + input.margin, prove: 1 + input.margin });
    assert.equal(rule.toleratedBuckets, expected.shift);
    assert.equal(rule.provedBuckets, expected.shift);
    let evidence = startLatency(rule);
    input.strata.forEach(([candidate, baseline], t) => {
      const slices = { candidate: histogramOf(candidate), baseline: histogramOf(baseline) };
      const [threshold, nc, xc, ns, xs, logV] = expected.rows[t]!;
      const got = thresholdIndex(evidence.reference, input.q);
      assert.equal(got, threshold, `threshold of stratum ${t + 1}`);
      const counts = { candidateCount: nc, candidateHits: xc, baselineCount: ns, baselineHits: xs };
      assert.deepEqual(countSlower(slices, got, expected.shift), counts, `counts of stratum ${t + 1}`);
      if (input.restartEvery > 0 && t > 0 && t % input.restartEvery === 0) evidence = restartLatency(evidence);
      evidence = updateLatency(rule, evidence, slices);
      const process = input.kind === 'guard' ? evidence.guards[0]! : evidence.promotions[0]!;
      assertClose(process.logEvidence, logV, tolerance, `after stratum ${t + 1}`);
    });
  });
}

const rule = latencyTest({ quantiles: [0.5, 0.95, 0.99], tolerate: 1.1, prove: 1.25 });

/** A second at 200 requests a second, 5 % candidate, lognormal around a median. */
function second(random: Random, medianMs: number, candidateFactor: number): LatencySlices {
  const slices = { candidate: createHistogram(), baseline: createHistogram() };
  for (let i = random.poisson(10); i > 0; i -= 1)
    observe(slices.candidate, candidateFactor * medianMs * Math.exp(0.6 * random.normal()));
  for (let i = random.poisson(190); i > 0; i -= 1) observe(slices.baseline, medianMs * Math.exp(0.6 * random.normal()));
  return slices;
}

function run(
  random: Random,
  seconds: number,
  medianMs: (t: number) => number,
  candidateFactor: number,
): LatencyEvidence & { alarmAt: number | null } {
  let evidence = startLatency(rule);
  for (let t = 0; t < seconds; t += 1) {
    if (t > 0 && t % 60 === 0) evidence = restartLatency(evidence);
    evidence = updateLatency(rule, evidence, second(random, medianMs(t), candidateFactor));
    if (latencyHarm(evidence).logEvidence >= logThreshold(0.01)) return { ...evidence, alarmAt: t };
  }
  return { ...evidence, alarmAt: null };
}

test('a candidate half slower is found within a minute', () => {
  const { alarmAt } = run(randomFrom(1), 60, () => 60, 1.5);
  assert.ok(alarmAt !== null);
});

test('no alarm while the latency of both drifts up by 60 %, nor for a candidate within the tolerated tenth', () => {
  const random = randomFrom(2);
  for (let times = 0; times < 8; times += 1) {
    assert.equal(run(random, 200, (t) => 60 * (1 + (0.6 * t) / 200), 1).alarmAt, null);
    assert.equal(run(random, 200, () => 60, 1.08).alarmAt, null);
  }
});

test('an equal candidate is proved to be at most a quarter slower at every quantile, and a stage change takes the proof back', () => {
  const evidence = run(randomFrom(4), 900, () => 60, 1);
  assert.ok(latencySafety(evidence).logEvidence >= logThreshold(0.05), `${latencySafety(evidence).logEvidence}`);
  const anew = resetLatencyPromotion(rule, evidence);
  assert.equal(latencySafety(anew).logEvidence, 0);
  assert.deepEqual(anew.guards, evidence.guards);
});

test('a slow tail alone is named as the strongest reason, and keeps safety unproved there', () => {
  const random = randomFrom(6);
  let evidence = startLatency(rule);
  for (let t = 0; t < 120; t += 1) {
    const slices = second(random, 60, 1);
    for (let i = random.binomial(10, 0.05); i > 0; i -= 1) observe(slices.candidate, 2000);
    evidence = updateLatency(rule, evidence, slices);
  }
  assert.equal(latencyHarm(evidence).strongest, 2);
  assert.equal(latencySafety(evidence).weakest, 2);
});

test('latency evidence that went through JSON goes on as if it had stayed', () => {
  const [random, again] = [randomFrom(8), randomFrom(8)];
  let [kept, stored] = [startLatency(rule), startLatency(rule)];
  for (let t = 0; t < 20; t += 1) {
    kept = updateLatency(rule, kept, second(random, 60, 1.2));
    stored = throughJson(updateLatency(rule, stored, second(again, 60, 1.2)));
  }
  assert.deepEqual(stored, kept);
});

test('a threshold is the bucket at which the share of the quantile is reached exactly, from 200 observations on', () => {
  const past = createHistogram();
  for (let i = 0; i < 199; i += 1) observe(past, i < 190 ? 10 : 100);
  assert.equal(thresholdIndex(updateReference(startReference(), past), 0.95), null);
  observe(past, 100);
  assert.equal(thresholdIndex(updateReference(startReference(), past), 0.95), bucketIndex(10));
});

test('a share that only rounding keeps out of reach is that of the last bucket', () => {
  assert.equal(thresholdIndex({ firstIndex: 7, weights: [100, 100], total: 200.0000001 }, 0.9999999999), 8);
});

test('the reference forgets: buckets that were last used long ago leave the record, and the threshold follows the present', () => {
  let reference = startReference();
  const old = createHistogram();
  for (let i = 0; i < 500; i += 1) observe(old, 10_000);
  reference = updateReference(reference, old);
  const fast = createHistogram();
  observe(fast, 0.01);
  reference = updateReference(reference, fast);
  const present = createHistogram();
  for (let i = 0; i < 10; i += 1) observe(present, 5);
  for (let i = 0; i < 6000; i += 1) reference = updateReference(reference, present);
  assert.equal(reference.weights.length, 1);
  assertClose(reference.weights[0]!, 1280, { abs: 1e-6, rel: 0 });
  assert.equal(thresholdIndex(reference, 0.99), 81);
  assertClose(reference.total, 1280, { abs: 1e-6, rel: 0 });
  for (let i = 0; i < 4000; i += 1) reference = updateReference(reference, createHistogram());
  assert.deepEqual([reference.weights.length, thresholdIndex(reference, 0.5)], [0, null]);
});

test('quantiles and factors that cannot be are refused', () => {
  assert.throws(() => latencyTest({ quantiles: [], tolerate: 1.1, prove: 1.25 }), RangeError);
  assert.throws(() => latencyTest({ quantiles: [1], tolerate: 1.1, prove: 1.25 }), RangeError);
  assert.throws(() => latencyTest({ quantiles: [0.5], tolerate: 1, prove: 1.25 }), RangeError);
  assert.throws(() => thresholdIndex(startReference(), 0), RangeError);
});
