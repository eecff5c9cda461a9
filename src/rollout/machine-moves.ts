// The moves a rollout can make, each from a state to a transition, whoever asks for it. Whether it may be made is judged elsewhere.
import { basePhase, beginStay, heldMsOf } from './rollout-state.ts';
import type { PauseCause, Phase, RolloutState, WatchedState } from './rollout-state.ts';
import type { Staging } from './staging.ts';
import { standingText } from './standing-text.ts';
import { change } from './transition.ts';
import type { Cause, Transition, Unstamped } from './transition.ts';

/** Where a forward move leads. */
export type Target =
  | { readonly kind: 'stage'; readonly index: number }
  | { readonly kind: 'bake' }
  | { readonly kind: 'promoted' };

/** Releases remembered as rolled back. */
const rejectedLimit = 100;

/** The next place: the stage that is not reached yet after an edit, the next stage, the bake, promoted. */
export function nextTarget(policy: Staging, state: WatchedState): Target {
  const { stage } = state.stay;
  if (stage === null) return { kind: 'promoted' };
  if (state.percent < (policy.stages[stage]?.percent ?? 0)) return { kind: 'stage', index: stage };
  if (stage + 1 < policy.stages.length) return { kind: 'stage', index: stage + 1 };
  return policy.bake === null ? { kind: 'promoted' } : { kind: 'bake' };
}

/** The stage before: of the bake, the last stage with fewer users; null where there is none. */
export function earlierStage(policy: Staging, state: WatchedState): number | null {
  const { stage } = state.stay;
  if (basePhase(state) === 'baking') return lowerStage(policy, state);
  if (stage === null) return null;
  const passed = state.percent > (policy.stages[stage]?.percent ?? 100);
  return passed ? stage : stage > 0 ? stage - 1 : null;
}

/** The last stage up to here with fewer users than now; null where there is none. */
export function lowerStage(policy: Staging, state: WatchedState): number | null {
  if (basePhase(state) === 'steady') return null;
  const passed = policy.stages.slice(0, (state.stay.stage ?? policy.stages.length) + 1);
  const index = passed.findLastIndex(({ percent }) => percent < state.percent);
  return index === -1 ? null : index;
}

/** Goes forward; `why` says what allows it. */
export function goForward(
  policy: Staging,
  state: WatchedState,
  { target, why, cause }: { target: Target; why: string; cause: Cause },
): Transition {
  const to = arrive(policy, state, target, cause.nowMs);
  const path =
    state.percent === to.percent ? `stays on ${to.percent} %` : `goes from ${state.percent} % to ${to.percent} %`;
  const place = to.phase === 'promoted' ? 'promoted' : to.phase === 'baking' ? 'bake' : `stage ${to.stay.name}`;
  return change(
    { policy, from: state, to },
    {
      kind: to.phase === 'promoted' ? 'promote' : 'advance',
      order: 'save-first',
      reason: `${state.candidate} ${path} (${place})${why === '' ? '' : `: ${why}`}`,
      evidence: 'stage',
    },
    cause,
  );
}

/** Gives every user back to the baseline, and the release no traffic again until a person retries it. */
export function rollBack(
  policy: Staging,
  state: RolloutState,
  { why, cause }: { why: string; cause: Cause },
): Transition {
  return change(
    { policy, from: state, to: rolledBack(policy.release, state) },
    {
      kind: 'rollback',
      order: 'publish-first',
      reason: `${standingText(policy, state, ['is rolled back from', 'are rolled back from'])}${why === '' ? '' : `: ${why}`}`,
    },
    cause,
  );
}

/** The rolled-back form of a state. `release`: the policy's, which may be a newer one that could not begin yet; both are rejected. */
export function rolledBack(
  release: string,
  state: Pick<RolloutState, 'release' | 'candidate' | 'staged' | 'stay' | 'rejected'>,
): Unstamped & { phase: 'rolled-back' } {
  const { candidate, staged, stay } = state;
  const both = [state.release, release];
  const rejected = [...new Set([...state.rejected.filter((known) => !both.includes(known)), ...both])].slice(
    -rejectedLimit,
  );
  return { phase: 'rolled-back', release, candidate, staged, stay, percent: 0, rejected };
}

/** Goes back to a stage; a paused rollout stays paused. A guard's step back does not go forward again without a person. */
export function stepBack(
  policy: Staging,
  state: WatchedState,
  { index, why, byGuard, cause }: { index: number; why: string; byGuard: boolean; cause: Cause },
): Transition {
  const stage = policy.stages[index]!;
  const stay = beginStay(cause.nowMs, { stage: index, name: stage.name, needsApproval: byGuard });
  const at = { ...state, stay, percent: stage.percent };
  const to: Unstamped =
    state.phase === 'paused'
      ? { ...at, phase: 'paused', resumeTo: 'progressing', cause: state.cause }
      : { ...at, phase: 'progressing' };
  return change(
    { policy, from: state, to },
    {
      kind: 'step-back',
      order: 'publish-first',
      reason: `${state.candidate} steps back from ${state.percent} % to ${stage.percent} % (stage ${stage.name})${why === '' ? '' : `: ${why}`}`,
      evidence: byGuard ? 'guards' : 'stage',
      ...(byGuard ? { alert: 'stepped-back' } : {}),
    },
    cause,
  );
}

/** Stops where it is; a paused rollout only takes the new cause. */
export function pause(
  policy: Staging,
  state: WatchedState,
  { why, by, cause }: { why: string; by: PauseCause; cause: Cause },
): Transition {
  const to: Unstamped = {
    ...state,
    phase: 'paused',
    resumeTo: basePhase(state),
    cause: by,
    stay: { ...state.stay, heldMs: heldMsOf(state, cause.nowMs) },
  };
  const reason = `${standingText(policy, state, ['is paused at', 'are paused at'])}${why === '' ? '' : `: ${why}`}`;
  return change({ policy, from: state, to }, { kind: 'pause', order: 'publish-first', reason }, cause);
}

function arrive(policy: Staging, state: WatchedState, target: Target, nowMs: number): Unstamped & { phase: Phase } {
  const { release, candidate, staged, rejected, frozenSinceMs } = state;
  const kept = { release, candidate, staged, rejected };
  if (target.kind === 'promoted') {
    return { ...kept, phase: 'promoted', percent: 100, stay: beginStay(nowMs, { stage: null, name: 'full' }) };
  }
  if (target.kind === 'bake') {
    const percent = Math.round(10_000 - (policy.bake?.controlPercent ?? 0) * 100) / 100;
    return { ...kept, phase: 'baking', frozenSinceMs, percent, stay: beginStay(nowMs, { stage: null, name: 'bake' }) };
  }
  const { name, percent } = policy.stages[target.index]!;
  return {
    ...kept,
    phase: 'progressing',
    frozenSinceMs,
    percent,
    stay: beginStay(nowMs, { stage: target.index, name }),
  };
}
