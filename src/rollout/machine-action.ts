// What a person may do in which phase, and what it does. A refusal is a value with the reason, and leaves the state as it was.
import { freezeReason } from './hold-reasons.ts';
import { earlierStage, goForward, nextTarget, pause, rollBack, stepBack } from './machine-moves.ts';
import { adoptPolicy, firstState } from './machine-policy.ts';
import { actionKinds } from './rollout-event.ts';
import type { Action, ActionKind } from './rollout-event.ts';
import { checkNameIn, isWatched } from './rollout-state.ts';
import type { Paused, Phase, RolledBack, RolloutState } from './rollout-state.ts';
import type { Staging } from './staging.ts';
import { standingText } from './standing-text.ts';
import { change } from './transition.ts';
import type { Cause, Refusal, Transition } from './transition.ts';

const phasesOf = {
  promote: ['steady', 'progressing', 'waiting', 'paused', 'baking'],
  rollback: ['steady', 'progressing', 'waiting', 'paused', 'baking', 'promoted'],
  pause: ['steady', 'progressing', 'waiting', 'baking'],
  resume: ['paused'],
  advance: ['progressing', 'waiting', 'baking'],
  'step-back': ['progressing', 'waiting', 'paused', 'baking'],
  approve: ['waiting'],
  retry: ['rolled-back'],
} as const satisfies Record<ActionKind, readonly Phase[]>;

type Request = { readonly policy: Staging; readonly state: RolloutState; readonly action: Action };

/** The actions that the phase of a state allows; the evidence may still refuse one. */
export function allowedActions(state: RolloutState | null): ActionKind[] {
  return state === null ? [] : actionKinds.filter((kind) => isAllowed(kind, state.phase));
}

/** One action of a person. */
export function onAction(policy: Staging, state: RolloutState | null, action: Action): Transition {
  if (state === null) return refusal({ state, action }, 'phase', 'the rollout has not begun yet');
  const request = { policy, state, action };
  return refusalOf(request) ?? perform(request);
}

function refusalOf({ policy, state, action }: Request): Refusal | null {
  const refuse = (code: Refusal['code'], why: string) => refusal({ state, action }, code, why);
  const kind = action.action;
  if (action.revision !== null && action.revision !== state.revision) {
    return refuse('stale', `the rollout is at revision ${state.revision} now, not at ${action.revision}`);
  }
  if (!isAllowed(kind, state.phase)) {
    return refuse('phase', `the rollout is ${state.phase}, and this needs ${phasesOf[kind].join(' or ')}`);
  }
  const isSafe = kind === 'rollback' || kind === 'pause';
  if (!isSafe && adoptPolicy(policy, state, action.nowMs) !== null) {
    return refuse('blocked', 'the edited policy has not been taken over yet');
  }
  if (kind === 'promote' && policy.stages.length === 0 && policy.candidates.length > 1) {
    return refuse(
      'phase',
      `the split has several candidates (${policy.candidates.join(', ')}); change it in the policy`,
    );
  }
  const isForward = kind === 'promote' || kind === 'advance' || kind === 'approve';
  const frozen =
    isForward && isWatched(state) && action.measured !== null ? freezeReason(state, action.measured) : null;
  return frozen === null ? null : refuse('blocked', frozen);
}

/** Only for an action that `refusalOf` lets pass, so its phase fits. */
function perform({ policy, state, action }: Request): Transition {
  const cause: Cause = { nowMs: action.nowMs, by: action.by, note: action.reason, measured: action.measured };
  if (state.phase === 'rolled-back') return retry(policy, state, cause);
  if (!isWatched(state) || action.action === 'rollback') return rollBack(policy, state, { why: '', cause });
  if (action.action === 'pause') return pause(policy, state, { why: '', by: { kind: 'person' }, cause });
  if (action.action === 'step-back') {
    const index = earlierStage(policy, state);
    if (index === null) return refusal({ state, action }, 'phase', 'there is no earlier stage; roll back instead');
    return stepBack(policy, state, { index, why: '', byGuard: false, cause });
  }
  if (state.phase === 'paused' && action.action === 'resume') return resume(policy, state, cause);
  const target = action.action === 'promote' ? ({ kind: 'promoted' } as const) : nextTarget(policy, state);
  return goForward(policy, state, { target, why: '', cause });
}

/**
 * Goes on where it was paused. The signals that fail now do not pause again in this stay; a guard that paused it begins anew,
 * because its evidence would pause it again at once.
 */
function resume(policy: Staging, state: Paused, cause: Cause): Transition {
  const { resumeTo, cause: pausedBy, ...rest } = state;
  const failing = (cause.measured?.verdicts ?? []).filter(({ role, answer }) => role === 'signal' && answer === 'fail');
  const seen = [
    ...state.stay.acknowledged,
    ...failing.map((verdict) => checkNameIn(state, verdict)),
    ...(pausedBy.kind === 'signal' ? [pausedBy.check] : []),
  ];
  const stay = { ...state.stay, countingSinceMs: cause.nowMs, acknowledged: [...new Set(seen)] };
  const reason = `${standingText(policy, state, ['goes on at', 'go on at'])} (${resumeTo})`;
  const evidence = pausedBy.kind === 'guard' ? { evidence: 'guards' as const } : {};
  return change(
    { policy, from: state, to: { ...rest, phase: resumeTo, stay } },
    { kind: 'resume', order: 'save-first', reason, ...evidence },
    cause,
  );
}

/** The same release again, from the first stage. */
function retry(policy: Staging, state: RolledBack, cause: Cause): Transition {
  const rejected = state.rejected.filter((release) => release !== policy.release);
  const to = firstState(policy, { ...state, rejected }, cause.nowMs);
  const reason = `release ${policy.release} is tried again: ${standingText(policy, to, ['begins at', 'begin at'])}`;
  return change(
    { policy, from: state, to },
    { kind: 'retry', order: 'save-first', reason, evidence: 'release' },
    cause,
  );
}

function refusal(
  { state, action }: Pick<Refusal, 'state'> & Pick<Request, 'action'>,
  code: Refusal['code'],
  why: string,
): Refusal {
  return { ok: false, state, code, reason: `cannot ${action.action}: ${why}` };
}

function isAllowed(kind: ActionKind, phase: Phase): boolean {
  const phases: readonly Phase[] = phasesOf[kind];
  return phases.includes(phase);
}
