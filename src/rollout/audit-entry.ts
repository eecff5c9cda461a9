// One line of the audit log: who moved a rollout, when, why, from where to where, and the numbers at that time. JSON.
import type { Measurement } from './measurement.ts';
import type { Phase } from './rollout-state.ts';

export type AuditEntry = {
  readonly atMs: number;
  readonly kind: ChangeKind;
  /** A token's name, or `graygate`. */
  readonly by: string;
  /** One sentence, with numbers. */
  readonly reason: string;
  /** What the person who acted wrote; null where nobody did. */
  readonly note: string | null;
  readonly release: string;
  /** Of the state that this change made; a `restore` makes none, and has that of the state it found. */
  readonly revision: number;
  readonly from: Place | null;
  readonly to: Place;
  /** What was known at that time; null before the first tick. */
  readonly measured: Measurement | null;
  /** Who wants to hear of it: the words of `alerts[].on`. null: nobody. */
  readonly alert: AlertKind | null;
};

export type Place = {
  readonly phase: Phase;
  readonly stage: number | null;
  readonly name: string;
  readonly percent: number;
};

export type ChangeKind =
  | 'begin'
  | 'advance'
  | 'wait'
  | 'promote'
  | 'rollback'
  | 'step-back'
  | 'pause'
  | 'resume'
  | 'retry'
  | 'freeze'
  | 'unfreeze'
  | 'time-out'
  | 'conclude'
  | 'policy'
  | 'restore';

/** A change of phase by the phase's name, and four that the phase does not show. */
export type AlertKind = Phase | 'stepped-back' | 'frozen' | 'timed-out' | 'decided';
