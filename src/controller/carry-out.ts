// How a person's action comes into force: after what is being saved, or at once where it goes back; and what the person is told.
import { setTimeout as wait } from 'node:timers/promises';
import type { ActionResult } from '../rollout/action-request.ts';
import type { RolloutState } from '../rollout/rollout-state.ts';
import type { Transition } from '../rollout/transition.ts';
import type { PlanRunner } from './plan-runner.ts';

/** How long a person who acts waits for the save of what is in force already. */
const answerWithinMs = 1_000;

/**
 * Runs what `consider` makes of an action; it is asked again when the rollout has moved meanwhile. Resolves when it is in force, or
 * with the reason why it is not. `state`: the one in force.
 */
export async function carryOut(
  consider: () => Transition,
  { runner, state }: { readonly runner: PlanRunner; readonly state: () => RolloutState },
): Promise<ActionResult> {
  let result = consider();
  // What goes back must not wait for a store that hangs; what goes forward follows what is being saved.
  while (runner.isBusy && !(result.ok && result.effects.order === 'publish-first')) {
    await runner.idle();
    result = consider();
  }
  if (!result.ok) return { ok: false, code: result.code, reason: result.reason };
  const running = runner.run(result);
  if (result.effects.order === 'publish-first') {
    await Promise.race([running, wait(answerWithinMs, undefined, { ref: false })]);
    return { ok: true, state: state() };
  }
  const ending = await running;
  if (ending === 'done') return { ok: true, state: state() };
  if (ending === 'overtaken') return { ok: false, code: 'stale', reason: `overtaken: ${state().reason}` };
  return { ok: false, code: 'store', reason: 'the store could not save it, so nothing was changed' };
}
