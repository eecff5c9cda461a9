import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultAnalysis, unwatched } from '../../src/rollout/staging.ts';
import type { Analysis, PrometheusCheck, Staging } from '../../src/rollout/staging.ts';
import type { RolloutState } from '../../src/rollout/rollout-state.ts';
import {
  actionAt,
  after,
  comparison,
  fixedOf,
  minuteMs,
  moved,
  skewedRatio,
  source,
  stageOf,
  stagingOf,
  startMs,
  tickAt,
  view,
} from '../support/rollout-machine.ts';
import type { Seen } from '../support/rollout-machine.ts';

const cpu: PrometheusCheck = {
  name: 'cpu',
  role: 'guard',
  metric: 'prometheus',
  url: 'http://prom:9090',
  query: 'up',
  min: null,
  max: 0.7,
  everyMs: 30_000,
  timeoutMs: 5_000,
  failures: 3,
};
const heldMs = startMs + 10 * minuteMs;
const at1 = { phase: 'progressing', percent: 1, stage: 0 };
const at5 = { phase: 'progressing', percent: 5, stage: 1 };
const rolledBack = { phase: 'rolled-back', percent: 0, stage: 0 };
const errorRate = defaultAnalysis.checks.slice(0, 1);
const little = { candidate: { requests: 99, failures: 0 } };

type Row = {
  readonly name: string;
  readonly atMs?: number;
  readonly policy?: Partial<Staging>;
  readonly analysis?: Partial<Analysis>;
  readonly seen?: Seen & { storeOk?: boolean };
  readonly expect: { phase: string; percent: number; stage: number | null };
  /** Must be in the reason of the move or, where nothing moves, in `holds`. */
  readonly says?: RegExp;
};

const fromFirstStage: Row[] = [
  {
    name: 'hold over and everything proved: the next stage',
    expect: at5,
    says: /goes from 1 % to 5 % \(stage s5\): held 10 min, 1,000 canary requests, every guard passes/,
  },
  { name: 'the hold is the least time', atMs: heldMs - 1, expect: at1, says: /^held 9 min 59 s of 10 min$/ },
  {
    name: 'too few requests of the candidate hold',
    seen: { figures: little },
    expect: at1,
    says: /canary has had 99 of the 100 requests/,
  },
  {
    name: 'too few requests of the baseline hold',
    seen: { figures: { baseline: { requests: 7, failures: 0 } } },
    expect: at1,
    says: /stable has had 7 of the 100 requests/,
  },
  {
    name: 'no proof holds where evidence is asked for',
    seen: { verdicts: [comparison('not-enough-data')] },
    expect: at1,
    says: /error-rate says not-enough-data/,
  },
  {
    name: 'a guard that nobody judged is no pass',
    seen: { verdicts: [] },
    expect: at1,
    says: /check error-rate has not been judged yet/,
  },
  {
    name: 'no proof is asked for where the time decides',
    analysis: { advance: 'time' },
    seen: { verdicts: [comparison('not-enough-data')] },
    expect: at5,
    says: /nothing is wrong/,
  },
  {
    name: 'a guard that is not calm holds, also where the time decides',
    analysis: { advance: 'time' },
    seen: { verdicts: [comparison('not-enough-data', { logHarm: 2.4 })] },
    expect: at1,
  },
  { name: 'a guard below ln 10 is calm', seen: { verdicts: [comparison('pass', { logHarm: 2.3 })] }, expect: at5 },
  {
    name: 'at ln 10 a guard is not calm',
    seen: { verdicts: [comparison('pass', { logHarm: Math.log(10) })] },
    expect: at1,
  },
  {
    name: 'a source must pass even where the time decides: no data is never a pass',
    analysis: { advance: 'time', checks: [...errorRate, cpu] },
    seen: { verdicts: [comparison('not-enough-data'), source('not-enough-data')] },
    expect: at1,
    says: /cpu says not-enough-data/,
  },
  {
    name: 'a source that passes lets go',
    analysis: { checks: [...errorRate, cpu] },
    seen: { verdicts: [comparison('pass'), source('pass')] },
    expect: at5,
  },
  {
    name: 'a guard that fails rolls back',
    seen: { verdicts: [comparison('fail')] },
    expect: rolledBack,
    says: /canary is rolled back from 1 %: error-rate says fail/,
  },
  {
    name: 'a guard acts before the hold is over',
    atMs: startMs + 1,
    seen: { verdicts: [comparison('fail')] },
    expect: rolledBack,
  },
  {
    name: 'a guard acts while the store is away',
    seen: { verdicts: [comparison('fail')], storeOk: false },
    expect: rolledBack,
  },
  {
    name: 'a guard acts in spite of a sample ratio mismatch',
    seen: { verdicts: [comparison('fail')], sampleRatio: skewedRatio },
    expect: rolledBack,
  },
  {
    name: 'onFail step-back in the first stage has nowhere to go but back',
    analysis: { onFail: 'step-back' },
    seen: { verdicts: [comparison('fail')] },
    expect: rolledBack,
  },
  {
    name: 'onFail pause stops where it is',
    analysis: { onFail: 'pause' },
    seen: { verdicts: [comparison('fail')] },
    expect: { ...at1, phase: 'paused' },
    says: /paused at 1 %: error-rate says fail/,
  },
  {
    name: 'a signal that fails pauses',
    seen: { verdicts: [comparison('pass'), comparison('fail', { role: 'signal', check: 'value' })] },
    expect: { ...at1, phase: 'paused' },
  },
  {
    name: 'a signal that has not enough data holds nothing',
    seen: { verdicts: [comparison('pass'), comparison('not-enough-data', { role: 'signal', check: 'value' })] },
    expect: at5,
  },
  {
    name: 'a sample ratio mismatch freezes and rolls nothing back',
    seen: { sampleRatio: skewedRatio },
    expect: at1,
    says: /canary received 40 of 10,000 new users where the split says 100; the chance of this by luck is 1 in 2,000/,
  },
  {
    name: 'the store cannot save: nothing moves forward',
    seen: { storeOk: false },
    expect: at1,
    says: /the store cannot save/,
  },
  {
    name: 'a source error holds',
    analysis: { checks: [...errorRate, cpu] },
    seen: { verdicts: [comparison('pass'), source('error')] },
    expect: at1,
    says: /cpu says error/,
  },
  {
    name: 'a source error of a signal holds too',
    seen: { verdicts: [comparison('pass'), source('error', { role: 'signal' })] },
    expect: at1,
    says: /cpu says error/,
  },
  {
    name: 'an outage with onSourceError rollback rolls back',
    analysis: { onSourceError: 'rollback' },
    seen: { verdicts: [source('error')] },
    expect: rolledBack,
    says: /cpu says error/,
  },
  {
    name: 'fewer errors than the check takes are no outage',
    analysis: { onSourceError: 'rollback' },
    seen: { verdicts: [source('error', { inARow: 2 })] },
    expect: at1,
  },
  {
    name: 'an outage of a signal rolls nothing back',
    analysis: { onSourceError: 'rollback' },
    seen: { verdicts: [source('error', { role: 'signal' })] },
    expect: at1,
  },
  {
    name: 'down for as long as `down` rolls back',
    seen: { candidate: { kind: 'refused', sinceMs: heldMs - 5_000 } },
    expect: rolledBack,
    says: /every server of canary has refused connections for 5 s/,
  },
  {
    name: 'down for less than `down` does not',
    atMs: startMs + 6_000,
    seen: { candidate: { kind: 'refused', sinceMs: startMs + 1_001 } },
    expect: at1,
  },
  {
    name: 'a candidate that completes nothing within its timeout rolls back',
    seen: { candidate: { kind: 'stalled', sinceMs: heldMs - 30_000, timeoutMs: 30_000 } },
    expect: rolledBack,
    says: /completed none for 30 s/,
  },
  {
    name: 'a candidate that is slower than `down` is not stalled yet',
    atMs: startMs + 9_000,
    seen: { candidate: { kind: 'stalled', sinceMs: startMs, timeoutMs: 30_000 } },
    expect: at1,
  },
  {
    name: 'a candidate without any traffic holds',
    seen: { figures: { lastCandidateRequestMs: null } },
    expect: at1,
    says: /canary has had no request for 10 min at 1 %/,
  },
  {
    name: 'without any traffic and onNoTraffic rollback it rolls back',
    analysis: { onNoTraffic: 'rollback' },
    seen: { figures: { lastCandidateRequestMs: null } },
    expect: rolledBack,
  },
  {
    name: 'no traffic is not said before the hold is over',
    atMs: heldMs - 1,
    analysis: { onNoTraffic: 'rollback' },
    seen: { figures: { lastCandidateRequestMs: null } },
    expect: at1,
  },
  {
    name: 'traffic that stopped counts as none after the hold',
    atMs: startMs + 12 * minuteMs,
    analysis: { onNoTraffic: 'rollback' },
    seen: { figures: { lastCandidateRequestMs: startMs + minuteMs } },
    expect: rolledBack,
  },
  {
    name: 'maxHold over without proof: held, and said',
    atMs: startMs + 24 * 60 * minuteMs,
    seen: { verdicts: [comparison('not-enough-data')] },
    expect: at1,
    says: /held at 1 %: error-rate says not-enough-data after 1 d; could only exclude an increase of error-rate above \d\.?\d* percentage points/,
  },
  {
    name: 'maxHold over and onTimeout advance: the next stage, saying what was not proved',
    atMs: startMs + 24 * 60 * minuteMs,
    analysis: { onTimeout: 'advance' },
    seen: { verdicts: [comparison('not-enough-data')] },
    expect: at5,
    says: /could only exclude/,
  },
  {
    name: 'onTimeout advance goes on over too few requests',
    atMs: startMs + 24 * 60 * minuteMs,
    analysis: { onTimeout: 'advance' },
    seen: { figures: little },
    expect: at5,
  },
  {
    name: 'onTimeout advance does not go on over a guard that is not calm',
    atMs: startMs + 24 * 60 * minuteMs,
    analysis: { onTimeout: 'advance' },
    seen: { verdicts: [comparison('not-enough-data', { logHarm: 3 })] },
    expect: at1,
  },
  {
    name: 'onTimeout advance does not go on without any traffic',
    atMs: startMs + 24 * 60 * minuteMs,
    analysis: { onTimeout: 'advance' },
    seen: { figures: { lastCandidateRequestMs: null } },
    expect: at1,
  },
  {
    name: 'maxHold over and onTimeout rollback: back',
    atMs: startMs + 24 * 60 * minuteMs,
    analysis: { onTimeout: 'rollback' },
    seen: { verdicts: [comparison('not-enough-data')] },
    expect: rolledBack,
    says: /could only exclude/,
  },
  {
    name: 'a frozen rollout does not time out',
    atMs: startMs + 24 * 60 * minuteMs,
    analysis: { onTimeout: 'rollback' },
    seen: { sampleRatio: skewedRatio, verdicts: [comparison('not-enough-data')] },
    expect: at1,
  },
  {
    name: 'a stage with a hold longer than maxHold keeps its hold',
    atMs: startMs + 11 * minuteMs,
    policy: { stages: [stageOf(1, { holdMs: 60 * minuteMs })] },
    analysis: { maxHoldMs: 10 * minuteMs, onTimeout: 'rollback' },
    seen: { figures: little },
    expect: at1,
  },
  {
    name: 'approve manual waits for a person',
    policy: { stages: [stageOf(1, { approve: 'manual' }), stageOf(5)] },
    expect: { ...at1, phase: 'waiting' },
    says: /canary waits at 1 % \(stage s1\) for an approval: held 10 min/,
  },
  {
    name: 'approve manual does not wait before the stage has its evidence',
    policy: { stages: [stageOf(1, { approve: 'manual' }), stageOf(5)] },
    seen: { verdicts: [comparison('not-enough-data')] },
    expect: at1,
  },
  {
    name: 'onTimeout advance also asks the person',
    atMs: startMs + 24 * 60 * minuteMs,
    policy: { stages: [stageOf(1, { approve: 'manual' }), stageOf(5)] },
    analysis: { onTimeout: 'advance' },
    seen: { figures: little },
    expect: { ...at1, phase: 'waiting' },
  },
  {
    name: 'after the last stage without a bake: promoted',
    policy: { stages: [stageOf(1)], bake: null },
    expect: { phase: 'promoted', percent: 100, stage: null },
    says: /goes from 1 % to 100 % \(promoted\)/,
  },
  {
    name: 'after the last stage with a bake: everyone but the control',
    policy: { stages: [stageOf(1)] },
    expect: { phase: 'baking', percent: 99, stage: null },
  },
  {
    name: 'a stage of 0 % needs no proof and, asked for none, no requests',
    policy: { stages: [stageOf(0, { minRequests: 0 }), stageOf(5)] },
    seen: {
      verdicts: [comparison('not-enough-data')],
      figures: {
        candidate: { requests: 0, failures: 0 },
        baseline: { requests: 0, failures: 0 },
        lastCandidateRequestMs: null,
      },
    },
    expect: at5,
  },
  {
    name: 'a stage of 0 % waits for the requests of its rules where it asks for some',
    policy: { stages: [stageOf(0, { minRequests: 20 }), stageOf(5)] },
    seen: { figures: { candidate: { requests: 19, failures: 0 }, baseline: { requests: 0, failures: 0 } } },
    expect: { ...at1, percent: 0 },
  },
  {
    name: 'a stage of 0 % needs its sources to pass',
    policy: { stages: [stageOf(0, { minRequests: 0 }), stageOf(5)] },
    analysis: { checks: [cpu] },
    seen: { verdicts: [source('not-enough-data')] },
    expect: { ...at1, percent: 0 },
  },
  {
    name: "a stage of 100 % cannot compare: it asks for the candidate's requests only",
    policy: { stages: [stageOf(100)] },
    seen: {
      verdicts: [comparison('not-enough-data', { logHarm: 2.5 })],
      figures: { baseline: { requests: 0, failures: 0 } },
    },
    expect: { phase: 'baking', percent: 99, stage: null },
  },
];

for (const row of fromFirstStage) {
  test(`tick in the first stage: ${row.name}`, () => {
    const policy = stagingOf(row.policy, row.analysis);
    const result = moved(policy, after(policy), tickAt(row.atMs ?? heldMs, row.seen));
    assert.deepEqual(view(result.state), row.expect);
    const said = result.effects.steps.length === 0 ? result.holds : result.state.reason;
    if (row.says !== undefined) assert.match(said ?? '', row.says);
  });
}

test('a healthy rollout walks all stages, bakes and is promoted, and then rests', () => {
  const policy = stagingOf();
  let state: RolloutState = after(policy);
  const seen: number[] = [state.percent];
  for (let nowMs = startMs; state.phase !== 'promoted' && nowMs < startMs + 300 * minuteMs; nowMs += 1000) {
    state = moved(policy, state, tickAt(nowMs)).state;
    if (seen.at(-1) !== state.percent) seen.push(state.percent);
  }
  assert.deepEqual(seen, [1, 5, 25, 100, 99, 100]);
  assert.equal(state.phase, 'promoted');
  const rest = moved(policy, state, tickAt(startMs + 400 * minuteMs, { verdicts: [comparison('fail')] }));
  assert.equal(rest.state, state);
});

test('a bake is still watched: a failing guard gives everyone back to the baseline', () => {
  const policy = stagingOf({ stages: [stageOf(5)] });
  const baking = after(policy, tickAt(heldMs));
  assert.equal(moved(policy, baking, tickAt(heldMs + 1)).holds, 'held 1 ms of 1 h');
  assert.deepEqual(view(moved(policy, baking, tickAt(heldMs + 1, { verdicts: [comparison('fail')] })).state), {
    phase: 'rolled-back',
    percent: 0,
    stage: null,
  });
});

test('a bake needs no proof, but is not promoted while a guard is not calm', () => {
  const policy = stagingOf({ stages: [stageOf(5)] });
  const baking = after(policy, tickAt(heldMs));
  const endMs = heldMs + 60 * minuteMs;
  const uneasy = moved(policy, baking, tickAt(endMs, { verdicts: [comparison('not-enough-data', { logHarm: 3 })] }));
  assert.equal(uneasy.state, baking);
  assert.equal(
    moved(policy, baking, tickAt(endMs, { verdicts: [comparison('not-enough-data')] })).state.phase,
    'promoted',
  );
});

test('onFail step-back goes to the last stage with fewer users, and forward from there only with an approval', () => {
  const policy = stagingOf(
    { stages: [stageOf(1), stageOf(5), stageOf(5, { name: 'again' })] },
    { onFail: 'step-back' },
  );
  const third = after(policy, tickAt(heldMs), tickAt(heldMs + 10 * minuteMs));
  assert.equal(third.stay.stage, 2);
  const back = moved(policy, third, tickAt(heldMs + 11 * minuteMs, { verdicts: [comparison('fail')] }));
  assert.deepEqual(view(back.state), at1);
  assert.equal(back.effects.order, 'publish-first');
  assert.deepEqual(
    back.effects.steps.map((step) => step.do),
    ['publish', 'evidence', 'save', 'announce', 'alert'],
  );
  assert.deepEqual(back.effects.steps[1], { do: 'evidence', anew: 'guards' });
  const waiting = moved(policy, back.state, tickAt(heldMs + 21 * minuteMs));
  assert.equal(waiting.state.phase, 'waiting');
  assert.deepEqual(view(moved(policy, waiting.state, actionAt(heldMs + 22 * minuteMs, 'approve')).state), at5);
});

test('a timeout is said once', () => {
  const policy = stagingOf();
  const late = startMs + 24 * 60 * minuteMs;
  const unproved = { verdicts: [comparison('not-enough-data')] };
  const first = moved(policy, after(policy), tickAt(late, unproved));
  assert.deepEqual(first.effects.steps.at(-1), { do: 'alert', on: 'timed-out', entry: entryOf(first.effects.steps) });
  const second = moved(policy, first.state, tickAt(late + 1000, unproved));
  assert.deepEqual(second.effects.steps, []);
  assert.deepEqual(view(moved(policy, second.state, tickAt(late + 2000)).state), at5);
});

test('a freeze is said once, and its end too', () => {
  const policy = stagingOf();
  const frozen = moved(policy, after(policy), tickAt(heldMs, { sampleRatio: skewedRatio }));
  assert.deepEqual(frozen.effects.steps.at(-1), { do: 'alert', on: 'frozen', entry: entryOf(frozen.effects.steps) });
  const still = moved(policy, frozen.state, tickAt(heldMs + 1000, { sampleRatio: skewedRatio }));
  assert.equal(still.state, frozen.state);
  assert.match(still.holds ?? '', /canary received 40 of 10,000 new users/);
  const free = moved(policy, still.state, tickAt(heldMs + 2000));
  assert.match(free.state.reason, /as the split says again/);
  assert.deepEqual(view(moved(policy, free.state, tickAt(heldMs + 3000)).state), at5);
});

test('a signal that a person resumed over does not pause again in this stage, but does in the next', () => {
  const policy = stagingOf();
  const verdicts = [comparison('pass'), comparison('fail', { role: 'signal', check: 'value' })];
  const paused = moved(policy, after(policy), tickAt(startMs + minuteMs, { verdicts })).state;
  const resumed = moved(policy, paused, actionAt(startMs + 3 * minuteMs, 'resume')).state;
  const later = moved(policy, resumed, tickAt(startMs + 11 * minuteMs, { verdicts }));
  assert.equal(later.holds, 'held 9 min of 10 min', 'the pause is not held');
  const next = moved(policy, resumed, tickAt(startMs + 12 * minuteMs, { verdicts })).state;
  assert.deepEqual(view(next), at5);
  assert.equal(moved(policy, next, tickAt(startMs + 12 * minuteMs + 1, { verdicts })).state.phase, 'paused');
});

test('a guard is heard before a signal', () => {
  const policy = stagingOf();
  const verdicts = [comparison('fail', { role: 'signal', check: 'value' }), comparison('fail')];
  assert.equal(moved(policy, after(policy), tickAt(heldMs, { verdicts })).state.phase, 'rolled-back');
});

test('a signal that goes on failing while paused is said once', () => {
  const policy = stagingOf();
  const seen = { verdicts: [comparison('fail', { role: 'signal', check: 'value' })] };
  const paused = moved(policy, after(policy), tickAt(heldMs, seen)).state;
  assert.equal(moved(policy, paused, tickAt(heldMs + 1, seen)).state, paused);
});

test('a phase lasts over its stages, and a freeze over a store that cannot save', () => {
  const policy = stagingOf();
  const second = after(policy, tickAt(heldMs));
  assert.deepEqual([second.sinceMs, second.stay.sinceMs], [startMs, heldMs]);
  assert.equal(moved(policy, second, actionAt(heldMs + 5, 'pause')).state.sinceMs, heldMs + 5);
  const frozen = moved(policy, second, tickAt(heldMs + 1, { sampleRatio: skewedRatio })).state;
  assert.equal(moved(policy, frozen, tickAt(heldMs + 2, { storeOk: false })).state, frozen);
});

test('a paused or waiting rollout is still rolled back by a guard', () => {
  const manual = stagingOf({ stages: [stageOf(1, { approve: 'manual' })] });
  const waiting = after(manual, tickAt(heldMs));
  const paused = after(manual, actionAt(startMs, 'pause'));
  for (const state of [waiting, paused]) {
    assert.equal(moved(manual, state, tickAt(heldMs + 1)).state, state, 'nothing moves forward');
    assert.equal(
      moved(manual, state, tickAt(heldMs + 1, { verdicts: [comparison('fail')] })).state.phase,
      'rolled-back',
    );
  }
});

test('a guard that pauses says so once, also when a person had paused before', () => {
  const policy = stagingOf({}, { onFail: 'pause' });
  const byPerson = after(policy, actionAt(startMs, 'pause'));
  const failing = { verdicts: [comparison('fail')] };
  const byGuard = moved(policy, byPerson, tickAt(heldMs, failing)).state;
  assert.deepEqual(byGuard.phase === 'paused' && byGuard.cause, { kind: 'guard', check: 'error-rate' });
  assert.equal(moved(policy, byGuard, tickAt(heldMs + 1, failing)).state, byGuard);
  const resumed = moved(policy, byGuard, actionAt(heldMs + 2, 'resume'));
  assert.ok(
    resumed.effects.steps.some((step) => step.do === 'evidence' && step.anew === 'guards'),
    'its evidence begins anew',
  );
});

test('a fixed split rolls back on its guards, and without analysis moves by nothing', () => {
  const policy = fixedOf();
  const steady = after(policy);
  assert.deepEqual(view(steady), { phase: 'steady', percent: 10, stage: null });
  assert.equal(moved(policy, steady, tickAt(heldMs)).state, steady);
  assert.equal(moved(policy, steady, tickAt(heldMs, { verdicts: [comparison('fail')] })).state.phase, 'rolled-back');
  const alone = { ...policy, analysis: unwatched };
  assert.equal(
    moved(alone, steady, tickAt(heldMs, { verdicts: [], candidate: { kind: 'refused', sinceMs: 0 } })).state,
    steady,
  );
});

test('a clock that goes backwards holds nothing and breaks nothing', () => {
  const policy = stagingOf();
  assert.equal(moved(policy, after(policy), tickAt(startMs - 60 * minuteMs)).holds, 'held 0 ms of 10 min');
});

function entryOf(steps: readonly { do: string }[]): unknown {
  const announced = steps.find((step) => step.do === 'announce');
  assert.ok(announced !== undefined && 'entry' in announced);
  return announced.entry;
}
