import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Rehearsed } from '../../../src/rollout/rehearsal/rehearse.ts';
import { type BusinessCheck, defaultAnalysis, type Check } from '../../../src/rollout/staging.ts';
import { stageOf, stagingOf } from '../../support/rollout-machine.ts';
import { climbing, failing, rehearsed, scenarioOf, strict } from '../../support/scenarios.ts';

const hourMs = 3_600_000;
const busy = { requestsPerSecond: 5_000 };

function at(seed: number): Rehearsed {
  return rehearsed(climbing(), scenarioOf(failing(0.05)), { seed });
}

function path({ entries }: Rehearsed): string[] {
  return entries.map(({ kind, to }) => `${kind} ${to.percent}`);
}

const upwards = ['begin 1', 'advance 5', 'advance 25', 'advance 50', 'advance 100', 'promote 100'];

test('a healthy release goes through every stage and is promoted, at 5,000 requests a second within six minutes', () => {
  const healthy = rehearsed(climbing(), scenarioOf(busy));
  assert.deepEqual(path(healthy), upwards);
  assert.equal(healthy.state.phase, 'promoted');
  assert.ok(healthy.endedMs < 360_000, `${healthy.endedMs} ms`);
  assert.equal(healthy.candidate.sinceHarm, null);
  assert.ok(Math.abs(healthy.candidate.excessFailures) < 60, `${healthy.candidate.excessFailures}`);
});

test('a healthy release at 200 requests a second is promoted too, each time', () => {
  for (let seed = 1; seed <= 3; seed += 1)
    assert.deepEqual(path(rehearsed(climbing(), scenarioOf(), { seed })), upwards, `seed ${seed}`);
});

test('the same seed gives the same rehearsal, another seed another one', () => {
  assert.deepEqual(at(1), at(1));
  assert.notDeepEqual(at(1).candidate, at(2).candidate);
});

test('a release that fails requests is rolled back in the first stage, with the reason in a sentence', () => {
  const { state, entries, candidate, flagger } = rehearsed(climbing(), scenarioOf(failing(0.5)));
  assert.equal(state.phase, 'rolled-back');
  assert.match(state.reason, /canary fails \d+ % of requests, stable .*by luck is below 1 in/);
  assert.deepEqual(
    entries.map(({ kind }) => kind),
    ['begin', 'rollback'],
  );
  assert.ok(candidate.sinceHarm!.forMs < 10_000 && candidate.requests < 30);
  assert.ok(candidate.disappointedUsers <= 10, `${candidate.disappointedUsers} users`);
  assert.ok(flagger.rolledBackAtMs! >= 300_000, 'a rule that counts failed minutes takes minutes');
  assert.ok(flagger.candidateFailures > 20 * candidate.failures);
});

test('a release that turns slow later is rolled back then, because of its latency', () => {
  const harm = { failureRate: null, latencyFactor: 2, fromMs: 120_000 };
  const { state, endedMs, candidate } = rehearsed(climbing(), scenarioOf({ ...busy, harm }));
  assert.equal(state.phase, 'rolled-back');
  assert.match(state.reason, /p\d+ of canary is \d+ ms, of stable \d+ ms/);
  assert.ok(endedMs > 120_000 && endedMs < 130_000, `${endedMs}`);
  assert.equal(candidate.sinceHarm!.forMs, endedMs - 120_000);
  assert.ok(candidate.sinceHarm!.requests < candidate.requests / 2);
});

test('requests until rollback come near to what any test needs: within 1.6 times for 0.1 to 1 %', () => {
  const staying = strict([stageOf(5, { holdMs: 24 * hourMs }), stageOf(100)]);
  const runs = Array.from({ length: 60 }, (_, seed) => rehearsed(staying, scenarioOf(failing(0.01)), { seed }));
  assert.ok(runs.every(({ state }) => state.phase === 'rolled-back'));
  const mean = runs.reduce((sum, { candidate }) => sum + candidate.requests, 0) / runs.length;
  const informationLimit = 375;
  assert.ok(mean < 1.6 * informationLimit, `${mean} requests`);
  assert.ok(mean > informationLimit, `${mean} requests: fewer than any valid test can do with`);
});

test('a dependency that fails for both versions, or a broken user who retries, rolls no healthy release back', () => {
  const outage = { failureRate: 0.05, fromMs: 60_000, forMs: 600_000 };
  for (const trouble of [{ outage }, { brokenUser: 'first' }] as const)
    for (let seed = 1; seed <= 5; seed += 1) {
      const { state } = rehearsed(climbing(), scenarioOf({ requestsPerSecond: 1_000, ...trouble }), { seed });
      assert.equal(state.phase, 'promoted', `seed ${seed}, ${JSON.stringify(trouble)}`);
    }
});

const outside = { role: 'guard', url: '', everyMs: 1_000, timeoutMs: 1_000, failures: 1 } as const;

test('stages of 0 %, approvals and the bake are gone through; outside sources are content', () => {
  const sources: Check[] = [
    { ...outside, name: 'cpu', metric: 'prometheus', query: '', min: null, max: 0.7, failures: 3 },
    { ...outside, name: 'smoke', metric: 'webhook' },
  ];
  const staging = stagingOf(
    {
      stages: [
        stageOf(0, { holdMs: 60_000, minRequests: 90 }),
        stageOf(25, { holdMs: 60_000, approve: 'manual' }),
        stageOf(100, { holdMs: 0 }),
      ],
      bake: { holdMs: hourMs, controlPercent: 1 },
    },
    { checks: [...defaultAnalysis.checks, ...sources] },
  );
  const gone = rehearsed(staging, scenarioOf({ requestsPerSecond: 1_000 }));
  assert.deepEqual(path(gone), ['begin 0', 'advance 25', 'wait 25', 'advance 100', 'advance 99', 'promote 100']);
  const rules = gone.entries[1]!.atMs;
  assert.ok(rules > 75_000 && rules < 110_000, `90 requests of testers at one a second took ${rules} ms`);
});

test('the least requests of a stage are counted in the stage', () => {
  const stages = [40, 50, 60].map((percent) => stageOf(percent, { holdMs: 0, minRequests: 6_000 }));
  const { entries } = rehearsed(climbing({ stages, analysis: { ...defaultAnalysis, advance: 'time' } }), scenarioOf());
  const took = entries.slice(1).map(({ atMs }, i) => atMs - entries[i]!.atMs);
  for (const ms of took) assert.ok(ms > 55_000, `a stage of some 100 requests a second took ${ms} ms for 6,000`);
});

test('a rehearsal ends where only a person could go on, and at its limit, and says why it does not move', () => {
  const bad = scenarioOf({ ...busy, ...failing(0.2) });
  const paused = rehearsed(climbing({ analysis: { ...defaultAnalysis, onFail: 'pause' } }), bad);
  assert.deepEqual([paused.state.phase, paused.state.percent], ['paused', 1]);
  assert.ok(paused.endedMs < 60_000);
  const steppedBack = rehearsed(
    climbing({ analysis: { ...defaultAnalysis, onFail: 'step-back' } }),
    scenarioOf({ ...busy, ...failing(0.2, 100_000) }),
  );
  assert.ok(path(steppedBack).includes('step-back 1'), path(steppedBack).join());
  const late = rehearsed(climbing(), scenarioOf(), { limitMs: 120_000 });
  assert.deepEqual([late.state.phase, late.endedMs], ['progressing', 120_000]);
  assert.match(late.holds!, /not enough to prove/);
});

test('a fixed split is watched as well, beside other candidates', () => {
  const fixed = climbing({ stages: [], split: { canary: 20, green: 30 }, candidates: ['canary', 'green'] });
  const good = rehearsed(fixed, scenarioOf(), { limitMs: hourMs });
  assert.deepEqual([good.state.phase, good.endedMs, path(good)], ['steady', hourMs, ['begin 20']]);
  assert.ok(Math.abs(good.candidate.requests / (0.2 * 200 * 3_600) - 1) < 0.05);
  const bad = rehearsed(fixed, scenarioOf(failing(0.05)));
  assert.equal(bad.state.phase, 'rolled-back');
  assert.match(bad.state.reason, /^canary and green are rolled back from 20 % and 30 %: canary fails/);
  const thresholdOf = ({ entries }: typeof bad): number => {
    const evidence = entries.at(-1)?.measured?.verdicts[0]?.evidence;
    assert.ok(evidence?.kind === 'error-rate');
    return evidence.harmThreshold;
  };
  const alone = rehearsed({ ...fixed, split: { canary: 20 } }, scenarioOf(failing(0.05)));
  assert.ok(Math.abs(thresholdOf(bad) - thresholdOf(alone) - Math.LN2) < 1e-9, 'alpha is shared');
});

const three = climbing({ stages: [], split: { canary: 20, green: 10 }, candidates: ['canary', 'green'] });

test('any candidate of a split can be the bad one: it is named, and the others go back with it', () => {
  const bad = rehearsed(three, scenarioOf({ ...failing(0.05, 60_000), harmOf: 'green' }));
  assert.equal(bad.state.phase, 'rolled-back');
  assert.match(
    bad.state.reason,
    /^canary and green are rolled back from 20 % and 10 %: green fails [\d.]+ % of requests/,
  );
  const { candidate, others = [], endedMs } = bad;
  assert.deepEqual([candidate.version, others.map(({ version }) => version)], ['green', ['canary']]);
  assert.equal(candidate.sinceHarm!.forMs, endedMs - 60_000);
  assert.equal(candidate.sinceHarm!.percent, 10);
  assert.equal(others[0]!.sinceHarm, null);
  assert.ok(candidate.failures > 5 && others[0]!.failures < candidate.failures, 'only green fails');
  assert.ok(Math.abs(others[0]!.requests / candidate.requests - 2) < 0.3);
});

test('a slow candidate beside a good one is found too', () => {
  const harm = { failureRate: null, latencyFactor: 2, fromMs: 0 };
  const { state } = rehearsed(three, scenarioOf({ ...busy, harm, harmOf: 'green' }));
  assert.match(state.reason, /: p\d+ of green is \d+ ms, of stable \d+ ms/);
});

test('healthy candidates stay, also when what all of them need fails', () => {
  const outage = { failureRate: 0.05, fromMs: 60_000, forMs: 600_000 };
  for (let seed = 1; seed <= 3; seed += 1) {
    const { state, candidate, others } = rehearsed(three, scenarioOf({ outage }), { seed, limitMs: hourMs });
    assert.deepEqual([state.phase, candidate.version, others?.length], ['steady', 'canary', 1]);
  }
});

test('the users of each candidate are counted, and fall as the split says', () => {
  const smoke: Check = { ...outside, name: 'smoke', metric: 'webhook' };
  const analysis = { ...defaultAnalysis, checks: [...defaultAnalysis.checks, smoke] };
  const late = scenarioOf({ ...failing(0.05, hourMs), harmOf: 'green' });
  const { entries, holds } = rehearsed({ ...three, analysis }, late);
  assert.equal(holds, null);
  const { sampleRatio, verdicts } = entries.at(-1)!.measured!;
  assert.equal(sampleRatio.answer, 'ok');
  const { users, expectedCandidateUsers } = sampleRatio;
  const part = sampleRatio.version === 'green' ? 0.1 : 0.2;
  assert.ok(users > 90_000 && Math.abs(expectedCandidateUsers / users - part) < 1e-9, 'of all users');
  assert.deepEqual(
    verdicts.map(({ check, version }) => `${check} ${version}`),
    ['error-rate', 'latency', 'smoke'].flatMap((check) => [`${check} canary`, `${check} green`]),
  );
});

test('checks of the business hold no rehearsal up: nobody knows what users will buy', () => {
  const check: BusinessCheck = {
    name: 'conversion',
    role: 'guard',
    metric: 'conversion',
    measure: { kind: 'conversion', name: 'conversion', event: 'purchase', of: null, windowMs: 86_400_000 },
    tolerate: { ratio: 0.95 },
    prove: { ratio: 0.9 },
  };
  const analysis = { ...defaultAnalysis, checks: [...defaultAnalysis.checks, check] };
  const { state, entries } = rehearsed({ ...climbing(), analysis }, scenarioOf(busy));
  assert.equal(state.phase, 'promoted');
  const verdicts = entries.flatMap(({ measured }) => measured?.verdicts ?? []);
  const business = verdicts.find((verdict) => verdict.check === 'conversion');
  assert.equal(business?.answer, 'pass');
  assert.equal(business?.sentence, 'conversion: taken as content');
});
