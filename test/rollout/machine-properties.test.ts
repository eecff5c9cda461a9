import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { transition } from '../../src/rollout/machine.ts';
import { isWatched, splitOf } from '../../src/rollout/rollout-state.ts';
import type { RolloutState } from '../../src/rollout/rollout-state.ts';
import type { Staging } from '../../src/rollout/staging.ts';
import { live, lives, policies } from '../support/rollout-runner.ts';
import type { Step } from '../support/rollout-runner.ts';

const settings = { seed: 20_261, numRuns: 1_000 };

function always(holds: (step: Step, steps: readonly Step[]) => void): void {
  fc.assert(
    fc.property(lives(), (moments) => {
      const steps = live(moments);
      for (const step of steps) holds(step, steps);
    }),
    settings,
  );
}

test('no sequence of events leaves the union of states', () => {
  const keys = { steady: 1, progressing: 1, waiting: 1, baking: 1, paused: 3, promoted: 0, 'rolled-back': 0 };
  const common = 12;
  always(({ after: { state } }) => {
    if (state === null) return;
    assert.equal(Object.keys(state).length, common + keys[state.phase], JSON.stringify(state));
    assert.ok(state.percent >= 0 && state.percent <= 100);
    assert.equal(isWatched(state), 'frozenSinceMs' in state);
    if (state.phase === 'progressing' || state.phase === 'waiting') assert.ok(state.stay.stage !== null);
    if (state.phase === 'promoted') assert.equal(state.percent, 100);
    if (state.phase === 'rolled-back') assert.deepEqual([state.percent, state.rejected.at(-1)], [0, state.release]);
    else assert.ok(!state.rejected.includes(state.release));
    assert.ok(state.stay.heldMs >= 0);
  });
});

test('the random lives reach every phase, every kind of change, every refusal and every effect', () => {
  const seen = new Set<string>();
  always(({ after: { state }, result }) => {
    seen.add(`phase ${state?.phase}`);
    if (!result.ok) seen.add(`refused ${result.code}`);
    else
      for (const step of result.effects.steps)
        seen.add(step.do === 'announce' ? `change ${step.entry.kind}` : `effect ${step.do}`);
  });
  const phases = ['steady', 'progressing', 'waiting', 'paused', 'baking', 'promoted', 'rolled-back'].map(
    (name) => `phase ${name}`,
  );
  const changes =
    'begin advance wait promote rollback step-back pause resume retry freeze unfreeze time-out policy restore'.split(
      ' ',
    );
  const wanted = [
    ...phases,
    ...changes.map((name) => `change ${name}`),
    'refused phase',
    'refused blocked',
    'effect evidence',
    'effect alert',
  ];
  assert.deepEqual(
    wanted.filter((name) => !seen.has(name)),
    [],
  );
});

test('a rolled-back release never gets traffic again without a person', () => {
  always(({ moment }, steps) => {
    if (moment !== steps[0]!.moment) return;
    const banned = new Set<string>();
    for (const {
      before,
      after,
      moment: { event, policy },
    } of steps) {
      if (event.kind === 'action' && event.action === 'retry' && before.state !== after.state)
        banned.delete(policy.release);
      if (after.state?.phase === 'rolled-back') banned.add(after.state.release);
      const isBanned = after.state !== null && banned.has(after.state.release);
      if (isBanned)
        assert.deepEqual(
          [after.state.phase, after.published?.split, after.published?.rolledBack],
          ['rolled-back', {}, true],
        );
    }
  });
});

test('what is published is what the state in force says', () => {
  always(({ after: { state, published }, moment: { policy, event } }) => {
    const isSettled =
      state !== null && state.candidate === policy.candidates[0] && state.staged === policy.stages.length > 0;
    if (isSettled && event.kind === 'policy-changed') assert.deepEqual(published?.split, splitOf(state, policy));
    if (state !== null && published !== null && isWatched(state) && state.staged)
      assert.equal(published.split[state.candidate], state.percent);
  });
});

test('the percent moves only along the percents of the policy', () => {
  always(({ before, after, moment: { policy } }) => {
    if (after.state === null || after.state.percent === before.state?.percent) return;
    assert.ok(percentsOf(policy).includes(after.state.percent), `${before.state?.percent} to ${after.state.percent}`);
  });
});

test('a person raises the percent by one stage at most, save for promote; graygate always by one', () => {
  always(({ before, after, moment: { policy, event } }) => {
    if (before.state === null || after.state === null || before.state.release !== after.state.release) return;
    if (event.kind === 'action' && (event.action === 'promote' || event.action === 'retry')) return;
    if (
      policy.stages.length === 0 ||
      after.state.percent <= before.state.percent ||
      after.state.phase !== 'progressing'
    )
      return;
    const between = policy.stages.filter(
      ({ percent }) => percent > before.state!.percent && percent < after.state!.percent,
    );
    assert.deepEqual(between, []);
  });
});

test('nothing moves forward while a guard fails, the sample ratio is off, or the store cannot save', () => {
  always(({ before, after, moment: { event, storeOk } }) => {
    if (!raises(before.state, after.state)) return;
    assert.ok(storeOk || after.state?.staged === false, 'the store can save');
    if (event.kind !== 'tick' && event.kind !== 'action') return;
    if (before.state === null || before.state.release !== after.state?.release || after.state.by === 'policy') return;
    if (event.kind === 'action' && event.action === 'retry') return;
    assert.ok(
      !event.measured?.verdicts.some(({ role, answer }) => role === 'guard' && answer === 'fail'),
      'no guard fails',
    );
    assert.notEqual(event.measured?.sampleRatio.answer, 'mismatch');
  });
});

test('a rollback publishes before it saves, and is in force whether or not the store takes it', () => {
  always(({ before, after, result }) => {
    if (
      !result.ok ||
      before.state === null ||
      before.state.phase === 'rolled-back' ||
      result.state?.phase !== 'rolled-back'
    )
      return;
    assert.equal(result.effects.order, 'publish-first');
    assert.equal(result.effects.steps[0]?.do, 'publish');
    assert.equal(after.state?.phase, 'rolled-back');
    assert.equal(after.published?.rolledBack, true);
  });
});

test('a change that raises the percent saves first, and without a save no traffic moves', () => {
  always(({ before, after, result, moment: { storeOk } }) => {
    if (!result.ok || !raises(before.state, result.state) || result.state?.staged === false) return;
    assert.equal(result.effects.order, 'save-first');
    assert.equal(result.effects.steps[0]?.do, 'save');
    if (!storeOk) assert.deepEqual([after.state, after.published], [before.state, before.published]);
  });
});

test('a guard that fails moves a watched rollout at once, or has paused it already', () => {
  always(({ before, result, moment: { policy, event } }) => {
    const { state } = before;
    if (event.kind !== 'tick' || state === null || !isWatched(state) || state.release !== policy.release || !result.ok)
      return;
    if (!event.measured.verdicts.some(({ role, answer }) => role === 'guard' && answer === 'fail')) return;
    const isPaused = state.phase === 'paused' && policy.analysis.onFail === 'pause' && state.cause.kind === 'guard';
    assert.ok(result.state !== state || isPaused);
    assert.ok((result.state?.percent ?? 0) <= state.percent || result.state?.by === 'policy');
  });
});

test('a refused action leaves the state untouched', () => {
  always(({ before, after, result }) => {
    if (!result.ok) assert.ok(result.state === before.state && after === before);
  });
});

test('the state is plain JSON: a round trip through it changes nothing that follows', () => {
  always(({ before, moment: { policy, event }, result }) => {
    const copy: RolloutState | null = JSON.parse(JSON.stringify(before.state));
    assert.deepEqual(copy, before.state);
    assert.deepEqual(transition(policy, copy, event), result);
  });
});

test('what is saved is what was announced, and nothing unsaved is saved', () => {
  always(({ after: { saved }, result }) => {
    if (saved !== null) assert.deepEqual(saved.unsaved, []);
    if (!result.ok) return;
    const announced = result.effects.steps.find((step) => step.do === 'announce')?.entry;
    const save = result.effects.steps.find((step) => step.do === 'save');
    if (announced === undefined || save === undefined) return;
    assert.equal(save.entries.at(-1), announced);
    assert.deepEqual(
      [announced.revision, announced.to.percent, announced.to.phase],
      [save.state.revision, save.state.percent, save.state.phase],
    );
  });
});

test('every change has one sentence that says more than nothing', () => {
  always(({ result }) => {
    const reason = result.ok ? result.state?.reason : result.reason;
    if (reason === undefined) return;
    assert.match(reason, /^[a-z].{9,}[^.]$/);
    assert.doesNotMatch(reason, /NaN|undefined|null|Infinity|: $/);
  });
});

function raises(from: RolloutState | null, to: RolloutState | null): boolean {
  return to !== null && to.percent > (from?.percent ?? 0);
}

function percentsOf(policy: Staging): number[] {
  const known = policies
    .filter(({ stages }) => stages === policy.stages)
    .flatMap(({ stages }) => stages.map(({ percent }) => percent));
  return [...known, 0, 99, 100, ...Object.values(policy.split)];
}
