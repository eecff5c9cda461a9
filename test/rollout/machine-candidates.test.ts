// The machine with a fixed split among several candidates: what one of them does moves all, and is said with its name.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExperimentStanding } from '../../src/rollout/experiment-standing.ts';
import type { RolloutEvent } from '../../src/rollout/rollout-event.ts';
import type { Analysis, Staging } from '../../src/rollout/staging.ts';
import { actionAt, after, comparison, fixedOf, minuteMs, moved, startMs, tickAt } from '../support/rollout-machine.ts';

const at = startMs + minuteMs;
const good = [comparison('pass'), comparison('pass', { version: 'c' })];

/** Harm of a version is suspected. */
function uneasy(version: string) {
  return comparison('not-enough-data', { version, logHarm: 3 });
}

function signal(version: string, answer: 'pass' | 'fail') {
  return comparison(answer, { version, check: 'conversion', role: 'signal' });
}

function severalWith(analysis: Partial<Analysis> = {}): Staging {
  return { ...fixedOf({ canary: 20, c: 10 }, analysis), candidates: ['canary', 'c'] };
}

test('what is said of a split names every candidate that has users, with its percent', () => {
  const policy = severalWith();
  const said = (...events: RolloutEvent[]): string => after(policy, ...events).reason.replace(', by ops: because', '');
  assert.equal(said(), 'release r1 begins: canary and c are steady at 20 % and 10 %');
  const pause = actionAt(at, 'pause');
  assert.equal(said(pause, actionAt(at + 1, 'resume')), 'canary and c go on at 20 % and 10 % (steady)');
  const back = actionAt(at, 'rollback');
  assert.equal(said(back, actionAt(at + 1, 'retry')), 'release r1 is tried again: canary and c begin at 20 % and 10 %');
  const restored = { kind: 'restored', nowMs: at, lastTickMs: at } as const;
  const { effects } = moved(policy, after(policy), restored);
  const entry = effects.steps.find((step) => step.do === 'announce')?.entry;
  assert.equal(entry?.reason, 'canary and c go on at 20 % and 10 % (steady) after a restart');
  const alone = { ...policy, split: { c: 10 } };
  assert.equal(after(alone).reason, 'release r1 begins: c is steady at 10 %');
});

test('step-back has no stage to go to: a failing guard rolls all of them back', () => {
  const policy = severalWith({ onFail: 'step-back' });
  const verdicts = [comparison('pass'), comparison('fail', { version: 'c' })];
  const { state } = moved(policy, after(policy), tickAt(at, { verdicts }));
  assert.equal(state.phase, 'rolled-back');
  assert.equal(state.reason, 'canary and c are rolled back from 20 % and 10 %: error-rate says fail');
});

test('a signal pauses once for each candidate: who resumes over one has not seen the other', () => {
  const policy = severalWith();
  const first = [...good, signal('canary', 'fail'), signal('c', 'pass')];
  const paused = moved(policy, after(policy), tickAt(at, { verdicts: first })).state;
  assert.deepEqual(paused.phase === 'paused' && paused.cause, { kind: 'signal', check: 'conversion' });
  const resumed = moved(policy, paused, actionAt(at + 1, 'resume')).state;
  assert.equal(moved(policy, resumed, tickAt(at + 2, { verdicts: first })).state.phase, 'steady');
  const both = [...good, signal('canary', 'fail'), signal('c', 'fail')];
  const again = moved(policy, resumed, tickAt(at + 3, { verdicts: both })).state;
  assert.deepEqual(again.phase === 'paused' && again.cause, { kind: 'signal', check: 'conversion of c' });
  const last = moved(policy, again, actionAt(at + 4, 'resume')).state;
  assert.deepEqual(last.stay.acknowledged, ['conversion', 'conversion of c']);
  assert.equal(moved(policy, last, tickAt(at + 5, { verdicts: both })).state.phase, 'steady');
});

for (const [name, health, says] of [
  ['refuses', { kind: 'refused', sinceMs: at - 5_000 }, /: every server of c has refused connections for 5 s$/],
  [
    'answers nobody',
    { kind: 'stalled', sinceMs: at - 9_000, timeoutMs: 9_000 },
    /: c has received requests and completed none for 9 s$/,
  ],
] as const) {
  test(`another candidate that ${name} is down`, () => {
    const policy = severalWith();
    const { state } = moved(policy, after(policy), tickAt(at, { verdicts: good, others: [{ version: 'c', health }] }));
    assert.equal(state.phase, 'rolled-back');
    assert.match(state.reason, says);
    const early = tickAt(at - 1, { verdicts: good, others: [{ version: 'c', health }] });
    assert.equal(moved(policy, after(policy), early).state.phase, 'steady');
    const never = severalWith({ downMs: null });
    const late = tickAt(at, { verdicts: good, others: [{ version: 'c', health }] });
    assert.equal(moved(never, after(never), late).state.phase, 'steady');
  });
}

test('a winner waits while harm of itself is suspected, not while it is of another that it would take the users from', () => {
  const policy = severalWith();
  const experiment: ExperimentStanding = {
    release: 'r1',
    metric: 'conversion',
    winner: 'c',
    isOver: true,
    then: 'promote-winner',
    sentence: 'c is better than stable',
    figures: [],
  };
  const own = [comparison('pass'), uneasy('c')];
  const held = moved(policy, after(policy), tickAt(at, { verdicts: own, experiment }));
  assert.equal(held.state.phase, 'steady');
  assert.match(held.holds ?? '', /^c has won the experiment, but error-rate says/);
  const anothers = [uneasy('canary'), comparison('pass', { version: 'c' })];
  const { state } = moved(policy, after(policy), tickAt(at, { verdicts: anothers, experiment }));
  assert.deepEqual([state.phase, state.candidate, state.percent], ['promoted', 'c', 100]);
});
