// Everything that can happen to a rollout. Time comes in the event; a person's action comes through the same door as a tick.
import type { SaveEffect } from './transition.ts';
import type { Measurement } from './measurement.ts';

export type RolloutEvent = Started | Restored | Tick | Action | PolicyChanged | SaveFailed;

/** The rollout is new: the store knows no state of it. */
export type Started = { readonly kind: 'started'; readonly nowMs: number };

/** The state came from the store; `lastTickMs` is when its gateway was last seen alive (null: unknown). */
export type Restored = { readonly kind: 'restored'; readonly nowMs: number; readonly lastTickMs: number | null };

/** `storeOk`: the store would take a save now. */
export type Tick = {
  readonly kind: 'tick';
  readonly nowMs: number;
  readonly measured: Measurement;
  readonly storeOk: boolean;
};

/** A person acts. `revision`: the state that they saw; another one in force is refused. null: whichever. */
export type Action = {
  readonly kind: 'action';
  readonly action: ActionKind;
  readonly by: string;
  readonly reason: string;
  readonly nowMs: number;
  readonly measured: Measurement | null;
  readonly revision: number | null;
};

/** Every action, by the word that the API and the command line use. */
export const actionKinds = [
  'promote',
  'rollback',
  'pause',
  'resume',
  'advance',
  'step-back',
  'approve',
  'retry',
] as const;

export type ActionKind = (typeof actionKinds)[number];

/** The policy that `transition` gets is another one than before. */
export type PolicyChanged = { readonly kind: 'policy-changed'; readonly nowMs: number };

/** A save effect failed; `order` and `save` are those of its plan. The state in force is the argument of `transition`. */
export type SaveFailed = {
  readonly kind: 'save-failed';
  readonly order: 'save-first' | 'publish-first';
  readonly save: SaveEffect;
};
