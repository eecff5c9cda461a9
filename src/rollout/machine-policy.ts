// How a rollout takes a policy over: its first start, a restart, and a file that was edited while it ran.
import { rolledBack } from './machine-moves.ts';
import type { Restored } from './rollout-event.ts';
import { basePhase, beginStay, heldMsOf } from './rollout-state.ts';
import type { RolloutState, Standing, Stay, WatchedState } from './rollout-state.ts';
import type { Staging } from './staging.ts';
import { standingText } from './standing-text.ts';
import { change, goOn, publishing, stayAt } from './transition.ts';
import type { Cause, Change, Changed, Transition, Unstamped } from './transition.ts';

/** What has to change so that the state fits the policy; null where it does already. */
export function adoptPolicy(policy: Staging, state: RolloutState | null, nowMs: number): Changed | null {
  const candidate = state !== null && hasWon(policy, state) ? state.candidate : policy.candidates[0];
  if (state === null || state.release !== policy.release) return beginRelease(policy, state, nowMs);
  const isSwapped = state.candidate !== candidate && policy.candidates.includes(state.candidate);
  if (isSwapped) return beginRelease(policy, state, nowMs);
  const staged = policy.stages.length > 0;
  const to = relocate(policy, { ...state, candidate }, nowMs);
  const isSame =
    state.candidate === candidate &&
    state.staged === staged &&
    state.phase === to.phase &&
    state.percent === to.percent &&
    state.stay.stage === to.stay.stage &&
    state.stay.name === to.stay.name;
  if (isSame) return null;
  const reason = `the policy was edited: ${describe(policy, to)}`;
  const evidence = to.stay.sinceMs === state.stay.sinceMs ? {} : { evidence: 'stage' as const };
  return change(
    { policy, from: state, to: { ...to, staged } },
    { kind: 'policy', order: 'publish-first', reason, ...evidence },
    fileCause(nowMs),
  );
}

/** Whether the version that everyone is on is one that an experiment has chosen among several. */
function hasWon({ candidates }: Staging, { phase, candidate, concluded }: RolloutState): boolean {
  return phase === 'promoted' && concluded?.winner === candidate && candidates.includes(candidate);
}

/** The policy in force is another one: what it changes, or only its split told anew. */
export function onPolicyChanged(policy: Staging, state: RolloutState | null, nowMs: number): Transition {
  const adopted = adoptPolicy(policy, state, nowMs);
  if (adopted !== null || state === null) return adopted ?? stayAt(state);
  return { ok: true, state, effects: { order: 'publish-first', steps: [publishing(policy, state)] }, holds: null };
}

/** Neither lowers nor raises a percent, and makes no newer state of one that still fits; the time in which nobody watched is not held. */
export function onRestored(policy: Staging, state: RolloutState | null, { nowMs, lastTickMs }: Restored): Transition {
  if (state === null) return onPolicyChanged(policy, state, nowMs);
  const heldMs = heldMsOf(state, lastTickMs ?? state.stay.countingSinceMs);
  const awake = { ...state, stay: { ...state.stay, heldMs, countingSinceMs: nowMs } };
  const adopted = adoptPolicy(policy, awake, nowMs);
  if (adopted !== null) return adopted;
  const reason = `${standingText(policy, state, ['goes on at', 'go on at'])} (${state.phase}) after a restart`;
  return goOn({ policy, from: state, to: awake }, { kind: 'restore', reason }, fileCause(nowMs, 'graygate'));
}

/** The first stage, or the fixed split; a release that was rolled back stays so. */
export function firstState(policy: Staging, state: RolloutState | null, nowMs: number): Unstamped {
  const { release, stages, candidates, split } = policy;
  const kept = {
    release,
    candidate: candidates[0],
    staged: stages.length > 0,
    rejected: state?.rejected ?? [],
    frozenSinceMs: null,
  };
  const first = stages[0];
  if (first === undefined) {
    return {
      ...kept,
      phase: 'steady',
      percent: split[candidates[0]] ?? 0,
      stay: beginStay(nowMs, { stage: null, name: 'split' }),
    };
  }
  return {
    ...kept,
    phase: 'progressing',
    percent: first.percent,
    stay: beginStay(nowMs, { stage: 0, name: first.name }),
  };
}

function beginRelease(policy: Staging, state: RolloutState | null, nowMs: number): Changed {
  const first = firstState(policy, state, nowMs);
  const isRejected = first.rejected.includes(policy.release);
  const to = isRejected ? rolledBack(policy.release, first) : first;
  const reason = isRejected
    ? `release ${policy.release} was rolled back before and stays so until it is retried`
    : `release ${policy.release} begins: ${describe(policy, first)}`;
  const isFirstSplit = state === null && !first.staged;
  const raises = state === null || state.phase === 'rolled-back' || to.percent > state.percent;
  const order: Change['order'] = raises && !isFirstSplit && !isRejected ? 'save-first' : 'publish-first';
  return change({ policy, from: state, to }, { kind: 'begin', order, reason, evidence: 'release' }, fileCause(nowMs));
}

/** The same release under another policy: the percent stays where stages set it, and is the file's where they do not. */
function relocate(policy: Staging, state: RolloutState, nowMs: number): RolloutState {
  if (state.phase === 'rolled-back') return state;
  const isFixed = policy.stages.length === 0;
  if (state.phase === 'promoted')
    return isFixed && state.staged ? fixedAt(policy, { ...state, phase: 'steady', frozenSinceMs: null }, nowMs) : state;
  if (isFixed) return fixedAt(policy, state, nowMs);
  if (basePhase(state) === 'baking') return state;
  const stay = stayIn(policy, state, nowMs);
  const isHere = stay.stage === state.stay.stage && stay.name === state.stay.name;
  const isApproved = state.phase === 'waiting' && !stay.needsApproval && policy.stages[stay.stage!]?.approve === 'auto';
  if (isHere && !isApproved) return state;
  if (state.phase === 'paused') return { ...state, resumeTo: 'progressing', stay };
  return { ...state, phase: 'progressing', stay };
}

function fixedAt(policy: Staging, state: WatchedState, nowMs: number): RolloutState {
  const percent = policy.split[state.candidate] ?? 0;
  const stay =
    basePhase(state) === 'steady' && percent === state.percent
      ? { ...state.stay, name: 'split' }
      : beginStay(nowMs, { stage: null, name: 'split' });
  return state.phase === 'paused'
    ? { ...state, resumeTo: 'steady', percent, stay }
    : { ...state, phase: 'steady', percent, stay };
}

/** The stage that the state is in by name and percent, else the first that is not below it, else the last. */
function stayIn({ stages }: Staging, { stay, percent }: RolloutState, nowMs: number): Stay {
  const isHere = (index: number) => stages[index]?.name === stay.name && stages[index]?.percent === percent;
  const known = stay.stage !== null && isHere(stay.stage) ? stay.stage : stages.findIndex((_, index) => isHere(index));
  const notBelow = known === -1 ? stages.findIndex((stage) => stage.percent >= percent) : known;
  const index = notBelow === -1 ? stages.length - 1 : notBelow;
  const { name } = stages[index]!;
  return stay.stage === null ? beginStay(nowMs, { stage: index, name }) : { ...stay, stage: index, name };
}

function describe(policy: Staging, state: Standing & Pick<RolloutState, 'stay'>): string {
  const { phase, stay } = state;
  return `${standingText(policy, state, [`is ${phase} at`, `are ${phase} at`])}${stay.stage === null ? '' : ` (stage ${stay.name})`}`;
}

function fileCause(nowMs: number, by = 'policy'): Cause {
  return { nowMs, by, note: null, measured: null };
}
