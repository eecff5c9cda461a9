import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alphaShareOf } from '../../src/rollout/checks.ts';
import { harmMs, proofMs, type ExpectedTraffic } from '../../src/rollout/plan-check.ts';
import { planStages, planWarnings, usualHarms } from '../../src/rollout/plan-stages.ts';
import { defaultAnalysis, type ErrorRateCheck, type LatencyCheck } from '../../src/rollout/staging.ts';
import { fixedOf, stageOf } from '../support/rollout-machine.ts';
import { climbing, failing, rehearsed, scenarioOf, strict } from '../support/scenarios.ts';

const traffic: ExpectedTraffic = {
  requestsPerSecond: 200,
  userCount: 100_000_000,
  failureRate: 0.001,
  latency: { medianMs: 60, spread: 0.6 },
};
const [errors, latency] = defaultAnalysis.checks as readonly [ErrorRateCheck, LatencyCheck];

/** Candidate requests to promote a healthy candidate (STATISTICS 8): base rate, percent, requests. */
const promotions = [
  [0.001, 1, 8_663],
  [0.001, 5, 8_969],
  [0.01, 25, 5_615],
  [0.05, 50, 2_287],
] as const;

for (const [failureRate, percent, requests] of promotions) {
  test(`the proof at ${percent} % with ${100 * failureRate} % of failures takes the ${requests} requests of the statistics`, () => {
    const ms = proofMs(errors, { traffic: { ...traffic, failureRate }, percent, alpha: 0.05 })!;
    const planned = (ms * traffic.requestsPerSecond * percent) / 100_000;
    assert.ok(Math.abs(planned / requests - 1) < 0.002, `${planned}`);
  });
}

test('few users make it slower: each counts once a slice', () => {
  const question = { traffic, percent: 5, alpha: 0.05 };
  const few = { ...question, traffic: { ...traffic, userCount: 100 } };
  const ratio = proofMs(errors, few)! / proofMs(errors, question)!;
  assert.ok(Math.abs(ratio - 2 / (1 - Math.exp(-2))) < 0.01, `${ratio}`);
});

test('harm that is tolerated is never found, larger harm sooner, and nothing before the first slice is closed', () => {
  const question = { traffic, percent: 5, alpha: 0.01 };
  const found = (failureRate: number | null, latencyFactor: number, check: ErrorRateCheck | LatencyCheck = errors) =>
    harmMs(check, { failureRate, latencyFactor }, question);
  assert.equal(found(0.0016, 1), null);
  assert.equal(found(null, 2), null);
  assert.ok(found(0.01, 1)! > found(0.05, 1)! && found(0.05, 1)! > 1_000);
  assert.equal(found(1, 1), 1_000);
  assert.equal(found(null, 1, latency), null);
  assert.equal(found(null, 1.09, latency), null);
  assert.ok(found(null, 1.3, latency)! > found(null, 1.5, latency)!);
  const oneQuantile: LatencyCheck = { ...latency, quantiles: [0.5] };
  assert.ok(found(null, 1.5, oneQuantile)! < found(null, 1.5, { ...latency, quantiles: [0.5, 0.999] })!);
});

test('what is planned is about what a rehearsal shows', () => {
  const stages = strict([stageOf(5, { holdMs: 86_400_000 }), stageOf(100)]);
  const [few] = planStages(stages, { ...traffic, userCount: 100_000 }, [{ failureRate: 0.01, latencyFactor: 1 }]);
  const planned = few!.stops[0]!.found!;
  const runs = Array.from({ length: 40 }, (_, seed) => rehearsed(stages, scenarioOf(failing(0.01)), { seed }));
  const mean = (value: (run: (typeof runs)[number]) => number): number =>
    runs.reduce((sum, run) => sum + value(run), 0) / runs.length;
  assert.ok(Math.abs(mean(({ endedMs }) => endedMs) / planned.afterMs - 1) < 0.25, `${planned.afterMs}`);
  assert.ok(Math.abs(mean(({ candidate }) => candidate.disappointedUsers) - planned.failedUsers) < 2);
});

test('a stage goes on after its hold, its least requests and its proof, whichever is last', () => {
  const at = (stage: ReturnType<typeof stageOf>, analysis = defaultAnalysis): number | null =>
    planStages(climbing({ stages: [stage], analysis }), traffic, [])[0]!.goesOnAfterMs;
  const byTime = { ...defaultAnalysis, advance: 'time' as const };
  assert.equal(at(stageOf(5, { holdMs: 86_400_000 })), 86_400_000);
  assert.equal(at(stageOf(5, { holdMs: 0, minRequests: 600 }), byTime), 60_000);
  assert.equal(at(stageOf(90, { holdMs: 0, minRequests: 600 }), byTime), 30_000);
  assert.equal(at(stageOf(0, { holdMs: 5_000, minRequests: 600 })), 5_000);
  assert.equal(at(stageOf(5, { holdMs: 0 })), proofMs(errors, { traffic, percent: 5, alpha: 0.05 }));
});

test('there is nothing to prove or to find without split traffic on both versions', () => {
  const bake = { holdMs: 3_600_000, controlPercent: 1 };
  const sizes = usualHarms(0.001);
  const stages = planStages(climbing({ stages: [stageOf(0), stageOf(5), stageOf(100)], bake }), traffic, sizes);
  assert.deepEqual(
    stages.map(({ name, percent, proofs, stops }) => [
      name,
      percent,
      proofs.length,
      stops.every(({ found }) => found === null),
    ]),
    [
      ['s0', 0, 0, true],
      ['s5', 5, 2, false],
      ['s100', 100, 0, true],
      ['bake', 99, 0, false],
    ],
  );
  const [split] = planStages(fixedOf({ canary: 10 }), traffic, sizes);
  assert.deepEqual([split!.name, split!.percent, split!.goesOnAfterMs], ['split', 10, 0]);
});

test('guards share alpha by weights that are fixed in advance, signals stand alone', () => {
  const signal: ErrorRateCheck = { ...errors, role: 'signal' };
  assert.deepEqual([alphaShareOf(errors, [errors, latency]), alphaShareOf(latency, [errors, latency])], [5 / 9, 4 / 9]);
  assert.deepEqual([alphaShareOf(signal, [signal, latency]), alphaShareOf(latency, [signal, latency])], [1, 1]);
});

test('checks that share alpha take longer than one alone, and signals roll nothing back', () => {
  const size = { failureRate: 0.01, latencyFactor: 1 };
  const after = (checks: typeof defaultAnalysis.checks): number | undefined =>
    planStages(climbing({ analysis: { ...defaultAnalysis, checks } }), traffic, [size])[1]!.stops[0]!.found?.afterMs;
  assert.ok(after([errors, latency])! > after([errors])!);
  assert.equal(after([{ ...errors, role: 'signal' }, latency]), undefined);
});

test('several candidates of a split share alpha, so harm of one takes longer to be found', () => {
  const size = { failureRate: 0.01, latencyFactor: 1 };
  const after = (split: Record<string, number>): number => {
    const several = { ...fixedOf(split), candidates: ['canary', 'green'] as const };
    return planStages(several, traffic, [size])[0]!.stops[0]!.found!.afterMs;
  };
  assert.ok(after({ canary: 10, green: 10 }) > 1.05 * after({ canary: 10 }));
});

test('each candidate of a split is planned beside the baseline alone: who is on another one counts for neither', () => {
  const size = { failureRate: 0.01, latencyFactor: 1 };
  const several = { ...fixedOf({ canary: 30, green: 10, idle: 0 }), candidates: ['canary', 'green', 'idle'] as const };
  const [canary, green, ...none] = planStages(several, traffic, [size]);
  assert.deepEqual([canary!.candidate, green!.candidate, none], ['canary', 'green', []]);
  assert.deepEqual([canary!.percent, green!.percent, green!.candidateRequestsPerSecond], [30, 10, 20]);
  // 10 % of all users are a seventh of those who are on it or on the baseline, who make seven tenths of the requests.
  const alone = fixedOf({ canary: 1_000 / 70 }, { alpha: defaultAnalysis.alpha / 2 });
  const fewer = { ...traffic, requestsPerSecond: 140, userCount: 0.7 * traffic.userCount };
  const [seventh] = planStages(alone, fewer, [size]);
  const [found, expected] = [green!.stops[0]!.found!, seventh!.stops[0]!.found!];
  assert.ok(Math.abs(found.afterMs / expected.afterMs - 1) < 1e-9, `${found.afterMs} and ${expected.afterMs}`);
  assert.ok(Math.abs(found.requests / expected.requests - 1) < 1e-9);
});

test('what is planned of one of several candidates is about what a rehearsal shows', () => {
  const split = { canary: 40, green: 10 };
  const several = { ...strict([]), split, candidates: ['canary', 'green'] as const };
  const [, green] = planStages(several, { ...traffic, userCount: 100_000 }, [{ failureRate: 0.01, latencyFactor: 1 }]);
  const planned = green!.stops[0]!.found!;
  const scenario = scenarioOf({ ...failing(0.01), harmOf: 'green' });
  const runs = Array.from({ length: 40 }, (_, seed) => rehearsed(several, scenario, { seed }));
  const mean = runs.reduce((sum, { endedMs }) => sum + endedMs, 0) / runs.length;
  assert.ok(Math.abs(mean / planned.afterMs - 1) < 0.25, `${mean} and ${planned.afterMs}`);
});

test('where the baseline has no users there is nothing to find', () => {
  const half = { ...fixedOf({ canary: 50, green: 50 }), candidates: ['canary', 'green'] as const };
  const [canary, green] = planStages(half, traffic, usualHarms(0.001));
  for (const { stops } of [canary!, green!]) assert.ok(stops.every(({ found }) => found === null));
});

test('stages that prove nothing within maxHold are warned of, with the percent that would do', () => {
  const slow = { ...traffic, requestsPerSecond: 2 };
  const warnings = planWarnings(climbing(), slow);
  assert.deepEqual(
    warnings.map(({ stage, check, provesAtPercent }) => [stage, check, provesAtPercent]),
    [
      ['s1', 'error-rate', 10],
      ['s5', 'error-rate', 10],
    ],
  );
  assert.ok(warnings[0]!.ms! > 86_400_000);
  assert.deepEqual(planWarnings(climbing(), traffic), []);
  assert.deepEqual(planWarnings(climbing({ analysis: { ...defaultAnalysis, advance: 'time' } }), slow), []);
  const impatient = { ...defaultAnalysis, maxHoldMs: 1_000 };
  assert.equal(planWarnings(climbing({ analysis: impatient }), slow)[0]!.provesAtPercent, null);
});

test('the usual sizes are all worse than today, each once', () => {
  assert.deepEqual(
    usualHarms(0.001).map(({ failureRate, latencyFactor }) => failureRate ?? latencyFactor),
    [0.002, 0.01, 0.05, 0.5, 1.5, 2],
  );
  assert.deepEqual(
    usualHarms(0.05).map(({ failureRate }) => failureRate),
    [0.1, 0.5, null, null],
  );
  assert.deepEqual(
    usualHarms(0).map(({ failureRate }) => failureRate),
    [0.05, 0.5, null, null],
  );
});
