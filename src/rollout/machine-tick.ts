// What a rollout does by itself at a tick: back before anything else, then stop, then forward when nothing holds it.
import { conclude } from './machine-conclude.ts';
import { failingCheck, freezeReason, holdMsOf, holdReason, silence } from './hold-reasons.ts';
import { goForward, lowerStage, nextTarget, pause, rollBack, stepBack } from './machine-moves.ts';
import { adoptPolicy } from './machine-policy.ts';
import type { VersionHealth } from './measurement.ts';
import type { Tick } from './rollout-event.ts';
import { checkNameIn, heldMsOf } from './rollout-state.ts';
import type { RolloutState, WatchedState } from './rollout-state.ts';
import type { Staging } from './staging.ts';
import { exclusionOf } from './exclusion.ts';
import { change, stayAt } from './transition.ts';
import type { Cause, Transition } from './transition.ts';
import { isOutage } from './verdict.ts';
import type { Verdict } from './verdict.ts';
import { countOf, durationOf } from './wording.ts';

/** The name under which graygate itself acts. */
export const itself = 'graygate';

/** One tick: at most one change. */
export function onTick(policy: Staging, state: RolloutState | null, tick: Tick): Transition {
  const adopted = adoptPolicy(policy, state, tick.nowMs);
  if (adopted !== null && (tick.storeOk || adopted.effects.order === 'publish-first')) return adopted;
  if (state === null) return stayAt(state, 'the store cannot save, so the rollout does not begin');
  if (state.phase === 'promoted' || state.phase === 'rolled-back') return saveAgain(state, tick) ?? stayAt(state);
  return (
    goBack(policy, state, tick) ??
    stop(policy, state, tick) ??
    freeze(policy, state, tick) ??
    saveAgain(state, tick) ??
    conclude(policy, state, tick) ??
    (state.phase === 'progressing' || state.phase === 'baking'
      ? advance(policy, state, tick)
      : stayAt(state, restReason(state)))
  );
}

/** What harms users, or is said to be as bad: first what needs no statistics. */
function goBack(policy: Staging, state: WatchedState, tick: Tick): Transition | null {
  const { analysis } = policy;
  const cause = causeOf(tick);
  const down = downReason(policy, state, tick);
  if (down !== null) return rollBack(policy, state, { why: down, cause });
  const failing = failingCheck(tick.measured.verdicts, 'guard');
  if (failing !== undefined) return onGuardFailing(policy, state, { failing, cause });
  const out = tick.measured.verdicts.find((verdict) => verdict.role === 'guard' && isOutage(verdict));
  if (out !== undefined && analysis.onSourceError === 'rollback')
    return rollBack(policy, state, { why: out.sentence, cause });
  const silent = analysis.onNoTraffic === 'rollback' ? silence(policy, state, tick) : null;
  return silent === null ? null : rollBack(policy, state, { why: silent, cause });
}

function downReason({ analysis }: Staging, state: WatchedState, { measured, nowMs }: Tick): string | null {
  const { downMs } = analysis;
  if (downMs === null) return null;
  const all = [{ version: state.candidate, health: measured.candidate }, ...(measured.others ?? [])];
  return all.map((one) => downReasonOf(one, { downMs, nowMs })).find((why) => why !== null) ?? null;
}

/** Why a candidate counts as down; null while it does not. */
function downReasonOf(
  { version, health }: VersionHealth,
  { downMs, nowMs }: { readonly downMs: number; readonly nowMs: number },
): string | null {
  if (health.kind === 'up') return null;
  const forMs = nowMs - health.sinceMs;
  if (health.kind === 'refused')
    return forMs < downMs ? null : `every server of ${version} has refused connections for ${durationOf(forMs)}`;
  return forMs < health.timeoutMs
    ? null
    : `${version} has received requests and completed none for ${durationOf(forMs)}`;
}

function onGuardFailing(
  policy: Staging,
  state: WatchedState,
  { failing, cause }: { failing: Verdict; cause: Cause },
): Transition | null {
  const { onFail } = policy.analysis;
  const why = failing.sentence;
  const by = { kind: 'guard', check: checkNameIn(state, failing) } as const;
  if (onFail === 'pause') {
    const isKnown = state.phase === 'paused' && state.cause.kind === 'guard';
    return isKnown ? null : pause(policy, state, { why, by, cause });
  }
  const index = onFail === 'step-back' ? lowerStage(policy, state) : null;
  if (index === null) return rollBack(policy, state, { why, cause });
  return stepBack(policy, state, { index, why, byGuard: true, cause });
}

/** A failing signal pauses, once a stay when a person resumed over it. */
function stop(policy: Staging, state: WatchedState, tick: Tick): Transition | null {
  if (state.phase === 'paused') return null;
  const fresh = tick.measured.verdicts.filter(
    (verdict) => !state.stay.acknowledged.includes(checkNameIn(state, verdict)),
  );
  const failing = failingCheck(fresh, 'signal');
  if (failing === undefined) return null;
  return pause(policy, state, {
    why: failing.sentence,
    by: { kind: 'signal', check: checkNameIn(state, failing) },
    cause: causeOf(tick),
  });
}

/** Says once when the sample ratio freezes the rollout, and once when it no longer does. */
function freeze(policy: Staging, state: WatchedState, tick: Tick): Transition | null {
  const isFrozen = tick.measured.sampleRatio.answer === 'mismatch';
  if (isFrozen === (state.frozenSinceMs !== null)) return null;
  if (isFrozen) {
    const reason = freezeReason(state, { ...tick.measured, verdicts: [] }) ?? '';
    const to = { ...state, frozenSinceMs: tick.nowMs };
    return change(
      { policy, from: state, to },
      { kind: 'freeze', order: 'publish-first', reason, alert: 'frozen' },
      causeOf(tick),
    );
  }
  if (!tick.storeOk) return null;
  const { version = state.candidate, users } = tick.measured.sampleRatio;
  const reason = `users fall to ${version} as the split says again (${countOf(users)} new users)`;
  return change(
    { policy, from: state, to: { ...state, frozenSinceMs: null } },
    { kind: 'unfreeze', order: 'save-first', reason },
    causeOf(tick),
  );
}

/** What a failed save left behind is saved as soon as the store is well. */
function saveAgain(state: RolloutState, { storeOk }: Tick): Transition | null {
  if (state.unsaved.length === 0 || !storeOk) return null;
  const saved = { ...state, unsaved: [] };
  const steps = [{ do: 'save', state: saved, entries: state.unsaved }] as const;
  return { ok: true, state: saved, effects: { order: 'publish-first', steps }, holds: null };
}

function advance(policy: Staging, state: WatchedState, tick: Tick): Transition {
  const hold = holdReason(policy, state, tick);
  if (hold === null) return goOn(policy, state, { why: achievement(policy, state, tick), cause: causeOf(tick) });
  const heldMs = heldMsOf(state, tick.nowMs);
  const isOver = heldMs >= Math.max(holdMsOf(policy, state), policy.analysis.maxHoldMs);
  if (hold.firm || !isOver) return stayAt(state, hold.sentence);
  return timeOut(policy, state, {
    tick,
    why: `${hold.sentence} after ${durationOf(heldMs)}; ${exclusionOf(policy, tick.measured.verdicts)}`,
  });
}

/** Forward, or to the person whose approval it takes. */
function goOn(policy: Staging, state: WatchedState, { why, cause }: { why: string; cause: Cause }): Transition {
  const target = nextTarget(policy, state);
  const stage = state.stay.stage === null ? undefined : policy.stages[state.stay.stage];
  const isManual = stage?.approve === 'manual' && state.percent >= stage.percent;
  if (!isManual && !state.stay.needsApproval) return goForward(policy, state, { target, why, cause });
  const reason = `${state.candidate} waits at ${state.percent} % (stage ${state.stay.name}) for an approval: ${why}`;
  return change(
    { policy, from: state, to: { ...state, phase: 'waiting' } as const },
    { kind: 'wait', order: 'save-first', reason },
    cause,
  );
}

function timeOut(policy: Staging, state: WatchedState, { tick, why }: { tick: Tick; why: string }): Transition {
  const cause = causeOf(tick);
  const { onTimeout } = policy.analysis;
  if (onTimeout === 'advance') return goOn(policy, state, { why, cause });
  if (onTimeout === 'rollback') return rollBack(policy, state, { why, cause });
  if (state.stay.timedOut) return stayAt(state, why);
  const to = { ...state, stay: { ...state.stay, timedOut: true } };
  const reason = `${state.candidate} is held at ${state.percent} %: ${why}`;
  return change(
    { policy, from: state, to },
    { kind: 'time-out', order: 'save-first', reason, alert: 'timed-out' },
    cause,
  );
}

function achievement(policy: Staging, state: WatchedState, { measured, nowMs }: Tick): string {
  const guards = policy.analysis.checks.filter(({ role }) => role === 'guard').length;
  const proved = policy.analysis.advance === 'evidence' && state.phase !== 'baking' && guards > 0;
  const requests = `${countOf(measured.figures.candidate.requests)} ${state.candidate} requests`;
  return `held ${durationOf(heldMsOf(state, nowMs))}, ${requests}, ${proved ? 'every guard passes' : 'nothing is wrong'}`;
}

function restReason(state: WatchedState): string | null {
  return state.phase === 'steady' ? null : state.reason;
}

function causeOf({ nowMs, measured }: Tick): Cause {
  return { nowMs, by: itself, note: null, measured };
}
