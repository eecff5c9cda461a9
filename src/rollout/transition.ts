// What the machine answers: the state to go to and what is to be done for it, in an order that is data; and how one is made.
import type { AlertKind, AuditEntry, ChangeKind, Place } from './audit-entry.ts';
import type { Measurement } from './measurement.ts';
import type { PercentByVersion } from './policy.ts';
import { splitOf } from './rollout-state.ts';
import type { RolloutState } from './rollout-state.ts';
import type { Staging } from './staging.ts';

export type Transition = Changed | Refusal;

/** `holds`: why the rollout does not move now, a sentence for people; null where nothing holds it. */
export type Changed = {
  readonly ok: true;
  readonly state: RolloutState | null;
  readonly effects: Effects;
  readonly holds: string | null;
};

/** An action that is not done; the state is the one that was. */
export type Refusal = {
  readonly ok: false;
  readonly state: RolloutState | null;
  /** `phase`: the phase does not allow it; `blocked`: the evidence does not; `stale`: the state is another one than they saw. */
  readonly code: 'phase' | 'blocked' | 'stale';
  readonly reason: string;
};

/**
 * Run the steps one after the other, in the order they stand in.
 * `save-first`: the new state is in force once the save is done. When it fails, drop the steps that follow, keep the old state, and
 * report `save-failed`: no traffic has moved. Drop what is left of it too when a `publish-first` plan comes meanwhile.
 * `publish-first`: the new state is in force at once, whatever becomes of the save. When that fails, run the steps that follow and
 * report `save-failed`: the machine asks for the save again while the store is well.
 */
export type Effects = { readonly order: 'save-first' | 'publish-first'; readonly steps: readonly Effect[] };

export type Effect = SaveEffect | PublishEffect | EvidenceEffect | AnnounceEffect | AlertEffect;

/** One transaction: the state, its audit entries, and an alert in the outbox for each entry that has one. */
export type SaveEffect = { readonly do: 'save'; readonly state: RolloutState; readonly entries: readonly AuditEntry[] };

export type PublishEffect = { readonly do: 'publish'; readonly split: PercentByVersion; readonly rolledBack: boolean };

/**
 * `stage`: evidence for going forward and the stage's figures begin anew, guards restart (STATISTICS 1.3), the sample ratio gets a new epoch.
 * `guards`: the same, and what guards and signals have gathered is forgotten. `release`: everything is, users who failed included.
 */
export type EvidenceEffect = { readonly do: 'evidence'; readonly anew: EvidenceScope };

export type EvidenceScope = 'stage' | 'guards' | 'release';

/** Tells logs and streams; the entry is already in the save. */
export type AnnounceEffect = { readonly do: 'announce'; readonly entry: AuditEntry };

export type AlertEffect = { readonly do: 'alert'; readonly on: AlertKind; readonly entry: AuditEntry };

/** A state whose stamps (`revision`, `by`, `reason`, …) `change` sets. */
export type Unstamped = DistributiveOmit<RolloutState, 'sinceMs' | 'reason' | 'by' | 'revision' | 'unsaved'>;
type DistributiveOmit<T, K extends keyof RolloutState> = T extends unknown ? Omit<T, K> : never;

/** Who and what brings a change about. */
export type Cause = {
  readonly nowMs: number;
  readonly by: string;
  readonly note: string | null;
  readonly measured: Measurement | null;
};

export type Change = {
  readonly kind: ChangeKind;
  readonly order: Effects['order'];
  readonly reason: string;
  readonly evidence?: EvidenceScope;
  /** Of changes that the phase does not show; a change of phase alerts by itself. */
  readonly alert?: AlertKind;
};

/** The transition from one state to the next, with every effect that belongs to it. */
export function change(
  { policy, from, to }: { policy: Staging; from: RolloutState | null; to: Unstamped },
  { kind, order, reason, evidence, alert }: Change,
  cause: Cause,
): Changed {
  const state = {
    ...keptConclusion(from, to),
    ...to,
    sinceMs: from !== null && from.phase === to.phase ? from.sinceMs : cause.nowMs,
    reason: cause.note === null ? reason : `${reason}, by ${cause.by}: ${cause.note}`,
    by: cause.by,
    revision: (from?.revision ?? 0) + 1,
    unsaved: [],
  } satisfies RolloutState as RolloutState;
  const ofPhase = from !== null && from.phase !== state.phase ? state.phase : null;
  const entry = entryOf({ from, state }, { kind, reason: state.reason, alert: alert ?? ofPhase }, cause);
  const save: Effect = { do: 'save', state, entries: [...(from?.unsaved ?? []), entry] };
  const moved: Effect[] = [publishing(policy, state)];
  if (evidence !== undefined) moved.push({ do: 'evidence', anew: evidence });
  const told: Effect[] = [{ do: 'announce', entry }];
  if (entry.alert !== null) told.push({ do: 'alert', on: entry.alert, entry });
  const steps = order === 'save-first' ? [save, ...moved, ...told] : [...moved, save, ...told];
  return { ok: true, state, effects: { order, steps }, holds: null };
}

/** An experiment ends once: whatever becomes of its release afterwards. */
function keptConclusion(from: RolloutState | null, to: Unstamped): Pick<RolloutState, 'concluded'> {
  return from?.concluded === undefined || from.release !== to.release ? {} : { concluded: from.concluded };
}

/**
 * The state goes on as it is, however much of its stay is over by now: it keeps its revision, so what was said about it still holds,
 * and the entry has that revision too.
 */
export function goOn(
  { policy, from, to }: { policy: Staging; from: RolloutState; to: RolloutState },
  { kind, reason }: Pick<Change, 'kind' | 'reason'>,
  cause: Cause,
): Changed {
  const state = { ...to, unsaved: [] };
  const entry = entryOf({ from, state }, { kind, reason, alert: null }, cause);
  const save: Effect = { do: 'save', state, entries: [...from.unsaved, entry] };
  const steps: Effect[] = [publishing(policy, state), save, { do: 'announce', entry }];
  return { ok: true, state, effects: { order: 'publish-first', steps }, holds: null };
}

/** Nothing changes; `holds` says why. */
export function stayAt(state: RolloutState | null, holds: string | null = null): Changed {
  return { ok: true, state, effects: { order: 'save-first', steps: [] }, holds };
}

/** The split of a state, as the gateway has to be told it. */
export function publishing(policy: Staging, state: RolloutState): PublishEffect {
  return { do: 'publish', split: splitOf(state, policy), rolledBack: state.phase === 'rolled-back' };
}

function entryOf(
  { from, state }: { from: RolloutState | null; state: RolloutState },
  told: Pick<AuditEntry, 'kind' | 'reason' | 'alert'>,
  { nowMs, by, note, measured }: Cause,
): AuditEntry {
  return {
    atMs: nowMs,
    ...told,
    by,
    note,
    release: state.release,
    revision: state.revision,
    from: from === null ? null : placeOf(from),
    to: placeOf(state),
    measured,
  };
}

function placeOf({ phase, stay, percent }: RolloutState): Place {
  return { phase, stage: stay.stage, name: stay.name, percent };
}
