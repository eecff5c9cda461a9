import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitOf } from '../../src/rollout/rollout-state.ts';
import type { RolloutState } from '../../src/rollout/rollout-state.ts';
import { defaultAnalysis } from '../../src/rollout/staging.ts';
import type { Staging } from '../../src/rollout/staging.ts';
import {
  actionAt,
  after,
  comparison,
  fixedOf,
  minuteMs,
  moved,
  refused,
  stageOf,
  stagingOf,
  startMs,
  tickAt,
  view,
} from '../support/rollout-machine.ts';

const policy = stagingOf();
const nowMs = startMs + 100 * minuteMs;
const edited = { kind: 'policy-changed', nowMs } as const;
const at5 = after(policy, actionAt(startMs, 'advance'));
const baking = after(policy, ...[1, 2, 3, 4].map(() => actionAt(startMs, 'advance')));
const promoted = after(policy, actionAt(startMs, 'promote'));
const rolledBack = after(policy, actionAt(startMs, 'rollback'));
const steady = after(fixedOf({ canary: 10 }));
const promotedSplit = after(fixedOf({ canary: 10 }), actionAt(startMs, 'promote'));
const stages = (...percents: number[]) => ({ stages: percents.map((percent) => stageOf(percent)) });

type Row = { name: string; from: RolloutState; policy: Staging; expect: ReturnType<typeof view>; order?: string };

const rows: Row[] = [
  {
    name: 'a new release begins at the first stage',
    from: at5,
    policy: stagingOf({ release: 'r2' }),
    expect: { phase: 'progressing', percent: 1, stage: 0 },
    order: 'publish-first',
  },
  {
    name: 'a new release after a rollback begins once it is saved',
    from: rolledBack,
    policy: stagingOf({ release: 'r2' }),
    expect: { phase: 'progressing', percent: 1, stage: 0 },
    order: 'save-first',
  },
  {
    name: 'a new release that begins higher begins once it is saved',
    from: at5,
    policy: stagingOf({ release: 'r2', ...stages(10) }),
    expect: { phase: 'progressing', percent: 10, stage: 0 },
    order: 'save-first',
  },
  {
    name: 'a new release after promotion begins at the first stage',
    from: promoted,
    policy: stagingOf({ release: 'r2' }),
    expect: { phase: 'progressing', percent: 1, stage: 0 },
    order: 'publish-first',
  },
  {
    name: 'the same release stays rolled back',
    from: rolledBack,
    policy: stagingOf(stages(50)),
    expect: { phase: 'rolled-back', percent: 0, stage: 0 },
  },
  {
    name: 'the same release stays rolled back as a fixed split too',
    from: rolledBack,
    policy: fixedOf(),
    expect: { phase: 'rolled-back', percent: 0, stage: 0 },
  },
  {
    name: 'changed stages keep the percent and go on from the first stage that is not below it',
    from: at5,
    policy: stagingOf(stages(2, 4, 10, 50)),
    expect: { phase: 'progressing', percent: 5, stage: 2 },
  },
  {
    name: 'a stage moved in the list is followed',
    from: at5,
    policy: stagingOf(stages(1, 2, 3, 5, 25)),
    expect: { phase: 'progressing', percent: 5, stage: 3 },
  },
  {
    name: 'with every stage below the percent it goes on from the last',
    from: at5,
    policy: stagingOf(stages(1, 2)),
    expect: { phase: 'progressing', percent: 5, stage: 1 },
  },
  {
    name: 'losing the stages makes the split of the file count',
    from: at5,
    policy: fixedOf({ canary: 30 }),
    expect: { phase: 'steady', percent: 30, stage: null },
    order: 'publish-first',
  },
  {
    name: 'losing the stages after promotion makes the split of the file count',
    from: promoted,
    policy: fixedOf({ canary: 100 }),
    expect: { phase: 'steady', percent: 100, stage: null },
  },
  {
    name: 'gaining stages keeps the percent of the split',
    from: steady,
    policy: stagingOf(),
    expect: { phase: 'progressing', percent: 10, stage: 2 },
  },
  {
    name: 'gaining stages after a promotion changes nothing',
    from: promoted,
    policy: stagingOf(stages(50)),
    expect: { phase: 'promoted', percent: 100, stage: null },
  },
  {
    name: 'a fixed split that a person promoted stays promoted',
    from: promotedSplit,
    policy: fixedOf({ canary: 40 }),
    expect: { phase: 'promoted', percent: 100, stage: null },
  },
  {
    name: 'a new release after a rollback is saved first also where only rules send to it',
    from: rolledBack,
    policy: stagingOf({ release: 'r2', ...stages(0, 5) }),
    expect: { phase: 'progressing', percent: 0, stage: 0 },
    order: 'save-first',
  },
  {
    name: 'another version in the first place does not undo a rollback',
    from: rolledBack,
    policy: stagingOf({ candidates: ['blue', 'canary'] }),
    expect: { phase: 'rolled-back', percent: 0, stage: 0 },
  },
  {
    name: 'an edited fixed split applies at once',
    from: steady,
    policy: fixedOf({ canary: 40 }),
    expect: { phase: 'steady', percent: 40, stage: null },
    order: 'publish-first',
  },
  {
    name: 'a renamed candidate keeps its percent',
    from: at5,
    policy: stagingOf({ candidates: ['green'] }),
    expect: { phase: 'progressing', percent: 5, stage: 1 },
    order: 'publish-first',
  },
  {
    name: 'another version in the first place begins anew',
    from: at5,
    policy: stagingOf({ candidates: ['blue', 'canary'] }),
    expect: { phase: 'progressing', percent: 1, stage: 0 },
  },
  {
    name: 'a bake goes on when stages change',
    from: baking,
    policy: stagingOf(stages(1, 75)),
    expect: { phase: 'baking', percent: 99, stage: null },
  },
];

for (const row of rows) {
  test(`editing the policy while it runs: ${row.name}`, () => {
    const result = moved(row.policy, row.from, edited);
    assert.deepEqual(view(result.state), row.expect);
    assert.equal(result.state.candidate, row.policy.candidates[0]);
    if (row.order !== undefined) assert.equal(result.effects.order, row.order);
    const publish = result.effects.steps.find((step) => step.do === 'publish');
    assert.deepEqual(publish?.split, splitOf(result.state, row.policy));
    const again = moved(row.policy, result.state, edited);
    assert.equal(again.state, result.state, 'the same edit twice changes nothing');
    assert.deepEqual(
      again.effects.steps.map((step) => step.do),
      ['publish'],
    );
  });
}

test('changed checks and servers leave the state as it is', () => {
  const other = stagingOf({}, { ...defaultAnalysis, alpha: 0.001 });
  const result = moved(other, at5, edited);
  assert.equal(result.state, at5);
  assert.deepEqual(result.effects, {
    order: 'publish-first',
    steps: [{ do: 'publish', split: { canary: 5 }, rolledBack: false }],
  });
});

test('a new release forgets all evidence, a new percent or new stages only that of the stage', () => {
  const scopes: [RolloutState, Staging, string | undefined][] = [
    [at5, stagingOf({ release: 'r2' }), 'release'],
    [steady, fixedOf({ canary: 40 }), 'stage'],
    [steady, stagingOf(), 'stage'],
    [at5, stagingOf(stages(2, 10)), undefined],
  ];
  for (const [from, next, scope] of scopes) {
    const evidence = moved(next, from, edited).effects.steps.find((step) => step.do === 'evidence');
    assert.equal(evidence?.anew, scope);
  }
});

test('of two equal stages the rollout stays in its own', () => {
  const twice = stagingOf(stages(5, 5, 50));
  const second = after(twice, actionAt(startMs, 'advance'));
  assert.equal(moved(twice, second, edited).state, second);
});

test('a stage that waits for a person is entered without one', () => {
  const other = stagingOf({ stages: [stageOf(2), stageOf(10, { approve: 'manual' }), stageOf(50)] });
  const there = moved(other, moved(other, at5, edited).state, tickAt(nowMs)).state;
  assert.deepEqual(view(there), { phase: 'progressing', percent: 10, stage: 1 });
  assert.equal(moved(other, there, tickAt(nowMs + 10 * minuteMs)).state.phase, 'waiting');
});

test('after an edit the rollout walks from its percent up to the stage, and then on', () => {
  const other = stagingOf(stages(2, 10, 50));
  const moving = moved(other, at5, edited).state;
  const there = moved(other, moving, tickAt(nowMs + minuteMs)).state;
  assert.deepEqual(view(there), { phase: 'progressing', percent: 10, stage: 1 });
  const next = moved(other, there, tickAt(nowMs + 12 * minuteMs)).state;
  assert.deepEqual(view(next), { phase: 'progressing', percent: 50, stage: 2 });
  const back = moved(other, moving, actionAt(nowMs, 'step-back')).state;
  assert.deepEqual(view(back), { phase: 'progressing', percent: 2, stage: 0 });
});

test('above the last stage a step back leads to that stage', () => {
  const other = stagingOf(stages(1, 2));
  const back = moved(other, moved(other, at5, edited).state, actionAt(nowMs, 'step-back')).state;
  assert.deepEqual(view(back), { phase: 'progressing', percent: 2, stage: 1 });
});

test('an edit that changes no percent keeps the time that was held', () => {
  const moving = moved(stagingOf(stages(2, 10)), at5, edited).state;
  assert.equal(moving.stay.countingSinceMs, at5.stay.countingSinceMs);
});

test('a paused rollout stays paused over an edit of its stages, and resumes in the new ones', () => {
  const other = stagingOf(stages(2, 10));
  const paused = after(policy, actionAt(startMs, 'advance'), actionAt(startMs, 'pause'));
  const still = moved(other, paused, edited).state;
  assert.deepEqual(view(still), { phase: 'paused', percent: 5, stage: 1 });
  assert.deepEqual(view(moved(other, still, actionAt(nowMs, 'resume')).state), {
    phase: 'progressing',
    percent: 5,
    stage: 1,
  });
  const fixed = moved(fixedOf({ canary: 7 }), still, edited).state;
  assert.deepEqual(view(fixed), { phase: 'paused', percent: 7, stage: null });
  assert.equal(moved(fixedOf({ canary: 7 }), fixed, actionAt(nowMs, 'resume')).state.phase, 'steady');
});

test('an approval that the file no longer asks for is not waited for', () => {
  const manual = stagingOf({ stages: [stageOf(1, { approve: 'manual' }), stageOf(5)] });
  const waiting = after(manual, tickAt(startMs + 10 * minuteMs));
  assert.equal(waiting.phase, 'waiting');
  assert.equal(moved(manual, waiting, edited).state, waiting);
  assert.equal(moved(stagingOf(stages(1, 5)), waiting, edited).state.phase, 'progressing');
});

test('a bake that was taken out of the file is promoted at the next tick', () => {
  const unbaked = stagingOf({ bake: null });
  assert.equal(moved(unbaked, baking, edited).state, baking);
  assert.equal(moved(unbaked, baking, tickAt(nowMs)).state.phase, 'promoted');
});

test('a release that was rolled back stays so when the file returns to it, until a person retries', () => {
  const second = stagingOf({ release: 'r2' });
  const onSecond = moved(second, rolledBack, edited).state;
  const returned = moved(policy, onSecond, edited);
  assert.deepEqual(view(returned.state), { phase: 'rolled-back', percent: 0, stage: 0 });
  assert.equal(returned.effects.order, 'publish-first');
  assert.match(returned.state.reason, /release r1 was rolled back before and stays so until it is retried/);
  assert.equal(moved(policy, returned.state, actionAt(nowMs, 'retry')).state.phase, 'progressing');
});

test('a new release that could not be saved begins at the next tick with a store, and no action comes between', () => {
  const second = stagingOf({ release: 'r2', ...stages(10, 50) });
  const first = moved(second, at5, edited);
  const save = first.effects.steps.find((step) => step.do === 'save')!;
  const kept = moved(second, at5, { kind: 'save-failed', order: first.effects.order, save }).state;
  assert.equal(kept, at5);
  assert.equal(refused(second, kept, actionAt(nowMs, 'advance')).code, 'blocked');
  assert.equal(moved(second, kept, tickAt(nowMs, { storeOk: false })).state, kept);
  assert.deepEqual(view(moved(second, kept, tickAt(nowMs)).state), { phase: 'progressing', percent: 10, stage: 0 });
});

test('a rollback while a new release waits for the store rejects both', () => {
  const second = stagingOf({ release: 'r2', ...stages(10, 50) });
  const back = moved(second, at5, tickAt(nowMs, { storeOk: false, verdicts: [comparison('fail')] })).state;
  assert.deepEqual([back.phase, back.release, back.rejected], ['rolled-back', 'r2', ['r1', 'r2']]);
  assert.equal(moved(second, back, { ...tickAt(nowMs + 1) }).state.phase, 'rolled-back');
});

test('a staged rollout begins only once that is saved, and sends nobody to the candidate before', () => {
  assert.deepEqual(splitOf(null, policy), {});
  const begun = moved(policy, null, { kind: 'started', nowMs });
  assert.equal(begun.effects.order, 'save-first');
  assert.deepEqual(view(begun.state), { phase: 'progressing', percent: 1, stage: 0 });
  const { step } = { step: begun.effects.steps[0]! };
  assert.equal(step.do, 'save');
  assert.equal(
    moved(policy, null, tickAt(nowMs)).state.phase,
    'progressing',
    'a tick begins what could not be saved at first',
  );
});

test('a fixed split applies before any store answers', () => {
  const fixed = fixedOf({ canary: 20 });
  assert.deepEqual(splitOf(null, fixed), { canary: 20 });
  assert.equal(moved(fixed, null, { kind: 'started', nowMs }).effects.order, 'publish-first');
});

test('a restart neither lowers nor raises a percent, and does not hold the time that nobody watched', () => {
  for (const state of [at5, baking, promoted, rolledBack, after(policy, actionAt(startMs, 'pause'))]) {
    const lastTickMs = startMs + 4 * minuteMs;
    const back = moved(policy, state, { kind: 'restored', nowMs, lastTickMs });
    assert.deepEqual(view(back.state), view(state));
    assert.deepEqual(back.effects.steps[0], {
      do: 'publish',
      split: splitOf(state, policy),
      rolledBack: state.phase === 'rolled-back',
    });
  }
  const back = moved(policy, at5, { kind: 'restored', nowMs, lastTickMs: startMs + 4 * minuteMs }).state;
  assert.equal(moved(policy, back, tickAt(nowMs + minuteMs)).holds, 'held 5 min of 10 min');
  const unknown = moved(policy, at5, { kind: 'restored', nowMs, lastTickMs: null }).state;
  assert.equal(moved(policy, unknown, tickAt(nowMs + minuteMs)).holds, 'held 1 min of 10 min');
});

test('a restart keeps revision, reason and author of a state that still fits, saves what it knows, and says so in the audit log', () => {
  for (const from of [at5, baking, promoted, rolledBack, steady, after(policy, actionAt(startMs, 'pause'))]) {
    const staging = from === steady ? fixedOf({ canary: 10 }) : policy;
    const { state, effects } = moved(staging, from, { kind: 'restored', nowMs, lastTickMs: startMs + minuteMs });
    const { stay, ...before } = from;
    const { countingSinceMs, heldMs } = state.stay;
    assert.deepEqual(state, { ...before, stay: { ...stay, countingSinceMs, heldMs } });
    const save = effects.steps.find((step) => step.do === 'save')!;
    assert.deepEqual(save.state, state);
    assert.deepEqual(
      save.entries.map(({ kind, revision, alert }) => ({ kind, revision, alert })),
      [{ kind: 'restore', revision: from.revision, alert: null }],
    );
    assert.deepEqual(effects.steps.at(-1), { do: 'announce', entry: save.entries[0] });
  }
});

test('a policy that does not touch the rollout makes no newer state of it', () => {
  for (const from of [at5, baking, promoted, rolledBack, after(policy, actionAt(startMs, 'pause'))]) {
    const { state, effects } = moved(policy, from, edited);
    assert.equal(state, from);
    assert.deepEqual(
      effects.steps.map((step) => step.do),
      ['publish'],
    );
  }
});

test('a restart with another release begins that release', () => {
  const back = moved(stagingOf({ release: 'r2' }), at5, { kind: 'restored', nowMs, lastTickMs: null });
  assert.deepEqual([back.state.release, back.state.percent], ['r2', 1]);
});

test('a rollback that could not be saved is in force, and is saved with its entry once the store is well', () => {
  const back = moved(policy, at5, actionAt(nowMs, 'rollback'));
  const save = back.effects.steps.find((step) => step.do === 'save')!;
  const unsaved = moved(policy, back.state, { kind: 'save-failed', order: 'publish-first', save }).state;
  assert.equal(unsaved.phase, 'rolled-back');
  assert.equal(moved(policy, unsaved, tickAt(nowMs, { storeOk: false })).effects.steps.length, 0);
  const healed = moved(policy, unsaved, tickAt(nowMs));
  assert.deepEqual(healed.effects.steps, [{ do: 'save', state: back.state, entries: save.entries }]);
  assert.deepEqual(moved(policy, healed.state, tickAt(nowMs)).effects.steps, []);
  const twice = moved(policy, unsaved, { kind: 'save-failed', order: 'publish-first', save }).state;
  assert.deepEqual(twice, unsaved, 'an entry is remembered once');
});

test('what could not be saved goes with the next change', () => {
  const back = moved(policy, at5, actionAt(nowMs, 'rollback'));
  const save = back.effects.steps.find((step) => step.do === 'save')!;
  const unsaved = moved(policy, back.state, { kind: 'save-failed', order: 'publish-first', save }).state;
  const begun = moved(policy, unsaved, { kind: 'restored', nowMs, lastTickMs: null });
  const restored = begun.effects.steps.find((step) => step.do === 'save')!;
  assert.deepEqual(
    restored.entries.map(({ kind }) => kind),
    ['rollback', 'restore'],
  );
  assert.deepEqual([restored.state.unsaved, begun.state.unsaved], [[], []]);
  const retried = moved(policy, unsaved, actionAt(nowMs, 'retry')).effects.steps.find((step) => step.do === 'save')!;
  assert.deepEqual(
    retried.entries.map(({ kind }) => kind),
    ['rollback', 'retry'],
  );
  assert.deepEqual(retried.state.unsaved, []);
});
