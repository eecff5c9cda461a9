import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowedActions } from '../../src/rollout/machine-action.ts';
import { actionKinds } from '../../src/rollout/rollout-event.ts';
import type { ActionKind } from '../../src/rollout/rollout-event.ts';
import type { Phase, RolloutState } from '../../src/rollout/rollout-state.ts';
import type { Staging } from '../../src/rollout/staging.ts';
import {
  actionAt,
  after,
  comparison,
  fixedOf,
  measuredAt,
  minuteMs,
  moved,
  refused,
  skewedRatio,
  stageOf,
  stagingOf,
  startMs,
  tickAt,
  view,
} from '../support/rollout-machine.ts';

const policy = stagingOf();
const fixed = fixedOf();
const heldMs = startMs + 10 * minuteMs;
const nowMs = startMs + 500 * minuteMs;

const atStage = (count: number) => Array.from({ length: count }, (_, index) => actionAt(startMs + index, 'advance'));
const states: Record<Phase, RolloutState> = {
  steady: after(fixed),
  progressing: after(policy, ...atStage(1)),
  waiting: after(
    stagingOf({ stages: [stageOf(1), stageOf(5, { approve: 'manual' }), stageOf(25)] }),
    ...atStage(1),
    tickAt(heldMs + 1),
  ),
  paused: after(policy, ...atStage(1), actionAt(startMs + 2, 'pause')),
  baking: after(policy, ...atStage(4)),
  promoted: after(policy, actionAt(startMs, 'promote')),
  'rolled-back': after(policy, ...atStage(1), actionAt(startMs + 2, 'rollback')),
};

/** What an action makes of each phase, as `phase percent`; null: refused. The states are at 5 %, the second stage. */
const table: Record<ActionKind, Record<Phase, string | null>> = {
  promote: {
    steady: 'promoted 100',
    progressing: 'promoted 100',
    waiting: 'promoted 100',
    paused: 'promoted 100',
    baking: 'promoted 100',
    promoted: null,
    'rolled-back': null,
  },
  rollback: {
    steady: 'rolled-back 0',
    progressing: 'rolled-back 0',
    waiting: 'rolled-back 0',
    paused: 'rolled-back 0',
    baking: 'rolled-back 0',
    promoted: 'rolled-back 0',
    'rolled-back': null,
  },
  pause: {
    steady: 'paused 10',
    progressing: 'paused 5',
    waiting: 'paused 5',
    paused: null,
    baking: 'paused 99',
    promoted: null,
    'rolled-back': null,
  },
  resume: {
    steady: null,
    progressing: null,
    waiting: null,
    paused: 'progressing 5',
    baking: null,
    promoted: null,
    'rolled-back': null,
  },
  advance: {
    steady: null,
    progressing: 'progressing 25',
    waiting: 'progressing 25',
    paused: null,
    baking: 'promoted 100',
    promoted: null,
    'rolled-back': null,
  },
  'step-back': {
    steady: null,
    progressing: 'progressing 1',
    waiting: 'progressing 1',
    paused: 'paused 1',
    baking: 'progressing 25',
    promoted: null,
    'rolled-back': null,
  },
  approve: {
    steady: null,
    progressing: null,
    waiting: 'progressing 25',
    paused: null,
    baking: null,
    promoted: null,
    'rolled-back': null,
  },
  retry: {
    steady: null,
    progressing: null,
    waiting: null,
    paused: null,
    baking: null,
    promoted: null,
    'rolled-back': 'progressing 1',
  },
};

function policyOf(phase: Phase): Staging {
  if (phase === 'steady') return fixed;
  return phase === 'waiting'
    ? stagingOf({ stages: [stageOf(1), stageOf(5, { approve: 'manual' }), stageOf(25)] })
    : policy;
}

for (const action of actionKinds) {
  for (const state of Object.values(states)) {
    const { phase } = state;
    const expected = table[action][phase];
    test(`${action} while ${phase} ${expected === null ? 'is refused' : `leads to ${expected}`}`, () => {
      assert.equal(states[phase], state);
      assert.equal(allowedActions(state).includes(action), expected !== null);
      if (expected === null) {
        const { code, reason } = refused(policyOf(phase), state, actionAt(nowMs, action));
        assert.equal(code, 'phase');
        assert.ok(reason.startsWith(`cannot ${action}: the rollout is ${phase}, and this needs `), reason);
        return;
      }
      const { state: next } = moved(policyOf(phase), state, actionAt(nowMs, action));
      assert.equal(`${next.phase} ${next.percent}`, expected);
      assert.equal(next.revision, state.revision + 1);
      assert.equal(next.by, 'ops');
    });
  }
}

const orders: [ActionKind, Phase, string, string[]][] = [
  ['advance', 'progressing', 'save-first', ['save', 'publish', 'evidence', 'announce']],
  ['approve', 'waiting', 'save-first', ['save', 'publish', 'evidence', 'announce', 'alert']],
  ['promote', 'progressing', 'save-first', ['save', 'publish', 'evidence', 'announce', 'alert']],
  ['resume', 'paused', 'save-first', ['save', 'publish', 'announce', 'alert']],
  ['retry', 'rolled-back', 'save-first', ['save', 'publish', 'evidence', 'announce', 'alert']],
  ['rollback', 'progressing', 'publish-first', ['publish', 'save', 'announce', 'alert']],
  ['step-back', 'progressing', 'publish-first', ['publish', 'evidence', 'save', 'announce']],
  ['pause', 'progressing', 'publish-first', ['publish', 'save', 'announce', 'alert']],
];

for (const [action, phase, order, steps] of orders) {
  test(`${action} runs ${steps.join(', ')}`, () => {
    const { effects } = moved(policyOf(phase), states[phase], actionAt(nowMs, action));
    assert.equal(effects.order, order);
    assert.deepEqual(
      effects.steps.map((step) => step.do),
      steps,
    );
  });
}

test('an action is recorded with who, when, why, from where to where, and the numbers at that time', () => {
  const action = actionAt(nowMs, 'rollback', { by: 'lin', reason: 'checkout is slow' });
  const { state, effects } = moved(policy, states.progressing, action);
  const save = effects.steps.find((step) => step.do === 'save');
  assert.deepEqual(save?.entries, [
    {
      atMs: nowMs,
      kind: 'rollback',
      by: 'lin',
      reason: 'canary is rolled back from 5 %, by lin: checkout is slow',
      note: 'checkout is slow',
      release: 'r1',
      revision: 3,
      from: { phase: 'progressing', stage: 1, name: 's5', percent: 5 },
      to: { phase: 'rolled-back', stage: 1, name: 's5', percent: 0 },
      measured: action.measured,
      alert: 'rolled-back',
    },
  ]);
  assert.equal(save?.state, state);
  assert.deepEqual(effects.steps[0], { do: 'publish', split: {}, rolledBack: true });
});

for (const action of ['advance', 'promote', 'approve'] as const) {
  const phase = action === 'approve' ? 'waiting' : 'progressing';
  test(`${action} is refused while a guard fails and while the sample ratio is off`, () => {
    const failing = measuredAt(nowMs, { verdicts: [comparison('fail')] });
    assert.deepEqual(
      refused(policyOf(phase), states[phase], actionAt(nowMs, action, { measured: failing })).code,
      'blocked',
    );
    const skewed = measuredAt(nowMs, { sampleRatio: skewedRatio });
    const { code, reason } = refused(policyOf(phase), states[phase], actionAt(nowMs, action, { measured: skewed }));
    assert.equal(code, 'blocked');
    assert.match(reason, new RegExp(`^cannot ${action}: canary received 40 of 10,000 new users`));
  });
}

test('rollback and pause are never refused for what was measured', () => {
  const measured = measuredAt(nowMs, { verdicts: [comparison('fail')], sampleRatio: skewedRatio });
  for (const action of ['rollback', 'pause'] as const)
    moved(policy, states.progressing, actionAt(nowMs, action, { measured }));
});

test('an action on a state that is another one by now is refused as stale', () => {
  const { code, reason } = refused(policy, states.progressing, actionAt(nowMs, 'rollback', { revision: 1 }));
  assert.equal(code, 'stale');
  assert.equal(reason, 'cannot rollback: the rollout is at revision 2 now, not at 1');
  moved(policy, states.progressing, actionAt(nowMs, 'rollback', { revision: 2 }));
});

test('an action before the rollout has begun is refused', () => {
  assert.equal(refused(policy, null, actionAt(nowMs, 'promote')).code, 'phase');
  assert.deepEqual(allowedActions(null), []);
});

test('step-back in the first stage is refused and says what to do instead', () => {
  assert.match(
    refused(policy, after(policy), actionAt(nowMs, 'step-back')).reason,
    /no earlier stage; roll back instead/,
  );
});

test('a person steps back by one stage also where its percent is the same', () => {
  const twice = stagingOf({ stages: [stageOf(50), stageOf(50, { name: 'again' }), stageOf(100)] });
  const back = moved(twice, after(twice, ...atStage(1)), actionAt(nowMs, 'step-back')).state;
  assert.deepEqual(view(back), { phase: 'progressing', percent: 50, stage: 0 });
  assert.equal(back.stay.needsApproval, false);
});

test('promote without stages is refused where the split has several candidates', () => {
  const several = { ...fixedOf({ canary: 10, blue: 10 }), candidates: ['canary', 'blue'] as const };
  assert.match(
    refused(several, after(several), actionAt(nowMs, 'promote')).reason,
    /several candidates \(canary, blue\)/,
  );
});

test('pause and resume of a bake and of a fixed split lead back to where they were', () => {
  for (const phase of ['baking', 'steady'] as const) {
    const paused = moved(policyOf(phase), states[phase], actionAt(nowMs, 'pause')).state;
    const back = moved(policyOf(phase), paused, actionAt(nowMs + minuteMs, 'resume')).state;
    assert.deepEqual(view(back), view(states[phase]));
    assert.ok(!('resumeTo' in back) && !('cause' in back), 'nothing of the pause stays in the state');
  }
});

test('retry of a fixed split gives the split back', () => {
  const back = moved(fixed, moved(fixed, states.steady, actionAt(nowMs, 'rollback')).state, actionAt(nowMs, 'retry'));
  assert.deepEqual(view(back.state), { phase: 'steady', percent: 10, stage: null });
  assert.deepEqual(back.effects.steps[1], { do: 'publish', split: { canary: 10 }, rolledBack: false });
  assert.deepEqual(back.state.rejected, []);
});
