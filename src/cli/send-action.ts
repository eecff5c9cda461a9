// Sends an action until its answer is here. What may have arrived is sent again under its own key, so it is done once.
import { setTimeout as delay } from 'node:timers/promises';
import type { ShownRollout } from '../admin/contract.ts';
import { type ActionOrder, type AdminClient, UnreachableError } from './admin-client.ts';

/** Pauses before the answer is asked for again. */
const waitsMs = [300, 1_000, 3_000] as const;

/** The rollout as it is after the action. Throws as AdminClient does; where nobody knows whether it was done, the message says so. */
export async function sendAction(client: Pick<AdminClient, 'act'>, order: ActionOrder): Promise<ShownRollout> {
  let mayBeDone = false;
  for (const waitMs of [...waitsMs, null]) {
    try {
      return await client.act(order);
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      mayBeDone ||= error.wasSent;
      if (!mayBeDone) throw error;
      if (waitMs === null) throw unknownOutcome(error, order);
      await delay(waitMs);
    }
  }
  throw new RangeError('expected the last attempt to end');
}

function unknownOutcome(error: UnreachableError, { action, key }: ActionOrder): UnreachableError {
  const advice = `whether ${action} was done is not known; look with status, or send it again with --key ${quote(key)}`;
  return new UnreachableError(`${error.message}; ${advice}`, true, { cause: error });
}

function quote(key: string): string {
  return /^[\w.-]+$/.test(key) ? key : `'${key.replaceAll("'", String.raw`'\''`)}'`;
}
