// What a person asks of a rollout, and what came of it: the words that the admin port and the controller share.
import type { ActionKind } from './rollout-event.ts';
import type { RolloutState } from './rollout-state.ts';

/** `revision`: that of the state that the person saw; null: whichever. */
export type ActionRequest = {
  readonly action: ActionKind;
  readonly by: string;
  readonly reason: string;
  readonly nowMs: number;
  readonly revision: number | null;
};

/** `store`: it could not be saved, so nothing was changed. */
export type ActionResult =
  | { readonly ok: true; readonly state: RolloutState }
  | { readonly ok: false; readonly code: 'phase' | 'blocked' | 'stale' | 'store'; readonly reason: string };
