// Where a rollout stands: plain JSON, a union by phase, whole in the store and on the wire. Only the machine makes a new one.
import type { AuditEntry } from './audit-entry.ts';
import type { Concluded } from './experiment-standing.ts';
import type { PercentByVersion } from './policy.ts';
import type { Staging } from './staging.ts';

export type RolloutState = Steady | Progressing | Waiting | Paused | Baking | Promoted | RolledBack;

export type Phase = RolloutState['phase'];

/** The states whose traffic is watched. */
export type WatchedState = Steady | Progressing | Waiting | Paused | Baking;

/** The split is the policy's own: a rollout without stages. */
export type Steady = Watched & { readonly phase: 'steady' };
export type Progressing = Watched & { readonly phase: 'progressing' };
/** All a stage asks for is there, but a person must approve. */
export type Waiting = Watched & { readonly phase: 'waiting' };
/** Nothing moves forward; guards still act. */
export type Paused = Watched & {
  readonly phase: 'paused';
  readonly resumeTo: WatchedPhase;
  readonly cause: PauseCause;
};
export type Baking = Watched & { readonly phase: 'baking' };
export type Promoted = Base & { readonly phase: 'promoted' };
/** Every request goes to the baseline, rules included. */
export type RolledBack = Base & { readonly phase: 'rolled-back' };

export type WatchedPhase = 'steady' | 'progressing' | 'waiting' | 'baking';

/** `check` as `checkNameIn` says it. */
export type PauseCause = { readonly kind: 'person' } | { readonly kind: 'guard' | 'signal'; readonly check: string };

type Base = {
  readonly release: string;
  /** The version that moves, by name. */
  readonly candidate: string;
  /** Of users, on the candidate. */
  readonly percent: number;
  /** Whether the policy had stages when this state was made. */
  readonly staged: boolean;
  readonly stay: Stay;
  /** When this phase began. */
  readonly sinceMs: number;
  /** Why the last change was made: one sentence. */
  readonly reason: string;
  /** Who made it: a token's name, or `graygate`. */
  readonly by: string;
  /** 1 for the first state of a rollout, one more for each later one. */
  readonly revision: number;
  /** Releases that were rolled back, the newest last: none of them gets traffic again without `retry`. */
  readonly rejected: readonly string[];
  /** Absent: the release's experiment goes on, or there is none. */
  readonly concluded?: Concluded;
  /** Entries that the store did not take yet; always empty in what is saved. */
  readonly unsaved: readonly AuditEntry[];
};

type Watched = Base & {
  /** Since when a sample ratio mismatch has frozen every forward move; null: it has not. */
  readonly frozenSinceMs: number | null;
};

/** Time spent at one percent. */
export type Stay = {
  /** Index in the policy's stages; null while steady, baking and once promoted. */
  readonly stage: number | null;
  /** The stage's; `bake`, `full` or `split` where there is none. */
  readonly name: string;
  readonly sinceMs: number;
  /** Held before `countingSinceMs`; a pause, or a gateway that was down, holds nothing. */
  readonly heldMs: number;
  readonly countingSinceMs: number;
  /** `maxHold` is over and it was said. */
  readonly timedOut: boolean;
  /** A guard failed one step further on: no move forward from here without a person. */
  readonly needsApproval: boolean;
  /** Failing signals (`checkNameIn`) that a person resumed over; they do not pause again in this stay. */
  readonly acknowledged: readonly string[];
};

/** What a state says of the split. */
export type Standing = Pick<RolloutState, 'candidate' | 'percent'> &
  ({ readonly phase: Exclude<Phase, 'paused'> } | Pick<Paused, 'phase' | 'resumeTo'>);

/** Percent per candidate that a state stands for; before the first state, of a staged rollout nothing. */
export function splitOf(state: Standing | null, staging: Staging): PercentByVersion {
  if (state === null) return staging.stages.length === 0 ? staging.split : {};
  const current = state.phase === 'paused' ? state.resumeTo : state.phase;
  if (current === 'steady') return staging.split;
  return state.phase === 'rolled-back' ? {} : { [state.candidate]: state.percent };
}

/** A check's name in a state: with that of the candidate where it is about another one than the one that moves. */
export function checkNameIn(
  { candidate }: Pick<RolloutState, 'candidate'>,
  { check, version }: { readonly check: string; readonly version: string },
): string {
  return version === candidate ? check : `${check} of ${version}`;
}

/** Whether traffic of this state is watched: it can still move. */
export function isWatched(state: RolloutState): state is WatchedState {
  return state.phase !== 'promoted' && state.phase !== 'rolled-back';
}

/** The phase of a watched state; of a paused one the phase that it goes back to. */
export function basePhase(state: WatchedState): WatchedPhase {
  return state.phase === 'paused' ? state.resumeTo : state.phase;
}

/** How long the stay has held; a pause and a clock that goes backwards add nothing. */
export function heldMsOf({ stay, phase }: RolloutState, nowMs: number): number {
  return phase === 'paused' ? stay.heldMs : stay.heldMs + Math.max(0, nowMs - stay.countingSinceMs);
}

/** The stay that begins now. */
export function beginStay(nowMs: number, at: Pick<Stay, 'stage' | 'name'> & Partial<Stay>): Stay {
  const fresh = { heldMs: 0, timedOut: false, needsApproval: false, acknowledged: [] };
  return { ...fresh, sinceMs: nowMs, countingSinceMs: nowMs, ...at };
}
