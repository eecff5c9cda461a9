import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standingOf } from '../../src/rollout/experiment-standing.ts';
import type { ExperimentStanding } from '../../src/rollout/experiment-standing.ts';
import { reportOf } from '../../src/rollout/experiment-report/report-of.ts';
import type { Experiment } from '../../src/rollout/experiment.ts';
import { splitOf } from '../../src/rollout/rollout-state.ts';
import {
  actionAt,
  after,
  comparison,
  fixedOf,
  minuteMs,
  moved,
  skewedRatio,
  stageOf,
  stagingOf,
  startMs,
  tickAt,
} from '../support/rollout-machine.ts';
import { conversion, counted, dayMs, experiment, figures, proportion } from './experiment-report/experiments.ts';

const at = startMs + minuteMs;
const fixed = fixedOf({ canary: 50 });

/** Where an experiment of release r1 stands with so many buyers among 20,000 users of each version. */
function standing(hits: readonly number[], changes: Partial<Experiment> = {}): ExperimentStanding {
  const asked = experiment({ stopWhen: { kind: 'decided' }, then: 'promote-winner', ...changes });
  const seen = figures(
    [
      counted(
        conversion,
        hits.map((each) => proportion(20_000, each)),
      ),
    ],
    { release: 'r1' },
  );
  return standingOf(reportOf(seen, asked, 10 * dayMs), asked);
}

const better = standing([1_000, 1_300]);
const worse = standing([1_300, 1_000]);
const open = standing([1_000, 1_010]);

test('the winner gets everyone, by the experiment, with the numbers in the audit log', () => {
  const { state, effects } = moved(fixed, after(fixed), tickAt(at, { experiment: better }));
  assert.equal(state.phase, 'promoted');
  assert.deepEqual(splitOf(state, fixed), { canary: 100 });
  assert.equal(effects.order, 'save-first');
  const [save] = effects.steps;
  assert.ok(save?.do === 'save');
  const [entry] = save.entries;
  assert.equal(entry!.by, 'experiment');
  assert.equal(entry!.kind, 'promote');
  assert.equal(entry!.alert, 'promoted');
  assert.match(entry!.reason, /goes from 50 % to 100 % .*canary is better than stable: 6\.5 % against 5 %/);
  const [told] = entry!.measured!.experiment!.figures;
  assert.ok(told!.lower! > 0 && told!.candidateMean === 0.065 && told!.users === 40_000);
});

test('a staged rollout is promoted from any stage, past those that are left', () => {
  const policy = stagingOf();
  assert.equal(moved(policy, after(policy), tickAt(at, { experiment: better })).state.phase, 'promoted');
});

test('where every candidate is worse the baseline gets its users back', () => {
  const { state, effects } = moved(fixed, after(fixed), tickAt(at, { experiment: worse }));
  assert.equal(state.phase, 'rolled-back');
  assert.equal(effects.order, 'publish-first');
  assert.equal(state.by, 'experiment');
  const again = moved(fixed, state, actionAt(at + 1, 'retry')).state;
  assert.equal(again.phase, 'steady');
  const next = moved(fixed, again, tickAt(at + minuteMs, { experiment: worse }));
  assert.equal(next.state.phase, 'steady', 'a person who tries it again is not overruled by the same experiment');
});

test('an experiment that only reports says once that it is decided, and moves nothing', () => {
  const told = standing([1_000, 1_300], { then: 'report' });
  const { state, effects } = moved(fixed, after(fixed), tickAt(at, { experiment: told }));
  assert.equal(state.phase, 'steady');
  assert.equal(state.concluded?.winner, 'canary');
  const [save] = effects.steps;
  assert.ok(save?.do === 'save' && save.entries[0]!.kind === 'conclude' && save.entries[0]!.alert === 'decided');
  assert.match(state.reason, /^the experiment is decided: canary is better/);
  assert.deepEqual(moved(fixed, state, tickAt(at + minuteMs, { experiment: told })).effects.steps, []);
});

test('an experiment whose time is up without a decision says so once and promotes nobody, whatever comes later', () => {
  const after14 = { stopWhen: { kind: 'after', afterMs: 10 * dayMs } } as const;
  const { state } = moved(fixed, after(fixed), tickAt(at, { experiment: standing([1_000, 1_010], after14) }));
  assert.equal(state.phase, 'steady');
  assert.match(state.reason, /^the experiment is over: undecided after 10 d: no difference/);
  const later = moved(fixed, state, tickAt(at + minuteMs, { experiment: standing([1_000, 1_300], after14) }));
  assert.equal(later.state.phase, 'steady');
  const early = standing([1_000, 1_300], { stopWhen: { kind: 'after', afterMs: 14 * dayMs } });
  assert.equal(early.winner, 'canary');
  assert.equal(early.isOver, false, 'before its time a decision does not end it');
});

test('nothing ends while nothing is decided, or where the policy asks for no end', () => {
  for (const told of [open, standing([1_000, 1_300], { stopWhen: null }), { ...better, release: 'r0' }]) {
    const { state, effects } = moved(fixed, after(fixed), tickAt(at, { experiment: told }));
    assert.equal(state.phase, 'steady');
    assert.deepEqual(effects.steps, []);
  }
});

test('nobody is promoted while a guard objects, users do not fall as the split says, or the store cannot save', () => {
  const uneasy = comparison('not-enough-data', { logHarm: 3 });
  const rows = [
    { verdicts: [uneasy], experiment: better },
    { sampleRatio: skewedRatio, experiment: better },
    { storeOk: false, experiment: better },
  ];
  for (const seen of rows) {
    const steady = after(fixed);
    const frozen = moved(fixed, steady, tickAt(at, { ...seen, experiment: open })).state;
    const { state, holds } = moved(fixed, frozen, tickAt(at + 1, seen));
    assert.equal(state.phase, 'steady');
    if (seen.storeOk !== false) assert.match(holds ?? '', /^canary has won the experiment, but /);
  }
  const failing = moved(fixed, after(fixed), tickAt(at, { verdicts: [comparison('fail')], experiment: better }));
  assert.equal(failing.state.phase, 'rolled-back');
});

test('a rollout that a person paused, or that waits for one, is not promoted by its experiment', () => {
  const paused = moved(fixed, after(fixed), actionAt(at, 'pause')).state;
  for (const told of [better, worse]) {
    assert.equal(moved(fixed, paused, tickAt(at + 1, { experiment: told })).state.phase, 'paused');
  }
  const policy = stagingOf({ stages: [stageOf(10, { approve: 'manual' }), stageOf(100)] });
  const waiting = after(policy, tickAt(startMs + 11 * minuteMs));
  assert.equal(waiting.phase, 'waiting');
  assert.equal(moved(policy, waiting, tickAt(at + 12 * minuteMs, { experiment: better })).state.phase, 'waiting');
  const approved = moved(policy, waiting, actionAt(at + 12 * minuteMs, 'approve')).state;
  assert.equal(approved.phase === 'promoted' || approved.phase === 'progressing' || approved.phase === 'baking', true);
});

test('of several candidates the winner gets everyone, and keeps them when the policy is read again', () => {
  const policy = fixedOf({ canary: 30, third: 30 });
  const several = { ...policy, candidates: ['canary', 'third'] as const };
  const told = standing([1_000, 1_010, 1_400]);
  assert.equal(told.winner, 'third');
  const { state } = moved(several, after(several), tickAt(at, { experiment: told }));
  assert.equal(state.phase, 'promoted');
  assert.deepEqual(splitOf(state, several), { third: 100 });
  const reread = moved(several, state, { kind: 'policy-changed', nowMs: at + minuteMs });
  assert.deepEqual(splitOf(reread.state, several), { third: 100 });
  assert.deepEqual(splitOf(moved(several, state, tickAt(at + 2 * minuteMs)).state, several), { third: 100 });
});

test('a new release has an experiment of its own', () => {
  const told = standing([1_000, 1_300], { then: 'report' });
  const { state } = moved(fixed, after(fixed), tickAt(at, { experiment: told }));
  const next = moved({ ...fixed, release: 'r2' }, state, { kind: 'policy-changed', nowMs: at + minuteMs }).state;
  assert.equal(next.concluded, undefined);
});
