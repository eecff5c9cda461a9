// The state machine of a staged rollout: the one function through which a tick, a person, an edited policy and a restart move it.
// Pure: it reads no clock, and what has to be done comes back as effects in order.
import type { AuditEntry } from './audit-entry.ts';
import { onAction } from './machine-action.ts';
import { onPolicyChanged, onRestored } from './machine-policy.ts';
import { onTick } from './machine-tick.ts';
import type { RolloutEvent, SaveFailed } from './rollout-event.ts';
import type { RolloutState } from './rollout-state.ts';
import type { Staging } from './staging.ts';
import { stayAt } from './transition.ts';
import type { Transition } from './transition.ts';

/**
 * The next state and its effects. `policy` is the one in force, also for `policy-changed`; `state` the one in force, null before
 * the rollout has begun. Events of one rollout come one after the other: the next one only sees a `save-first` state once it is saved.
 */
export function transition(policy: Staging, state: RolloutState | null, event: RolloutEvent): Transition {
  switch (event.kind) {
    case 'tick':
      return onTick(policy, state, event);
    case 'action':
      return onAction(policy, state, event);
    case 'started':
    case 'policy-changed':
      return onPolicyChanged(policy, state, event.nowMs);
    case 'restored':
      return onRestored(policy, state, event);
    default:
      return onSaveFailed(state, event);
  }
}

/** After `save-first` nothing has happened; after `publish-first` the state is in force, and remembers what the store has to get. */
function onSaveFailed(state: RolloutState | null, { order, save }: SaveFailed): Transition {
  if (order === 'save-first' || state === null) return stayAt(state);
  const isKnown = ({ revision }: AuditEntry) => state.unsaved.some((entry) => entry.revision === revision);
  return stayAt({ ...state, unsaved: [...state.unsaved, ...save.entries.filter((entry) => !isKnown(entry))] });
}
