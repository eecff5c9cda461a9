// Waiting until a rollout has ended, for scripts: the answer is an exit code.
import type { ShownRollout } from '../admin/contract.ts';
import { GraygateError } from '../errors.ts';
import { durationOf } from '../rollout/wording.ts';
import type { AdminClient } from './admin-client.ts';
import type { CommandContext } from './command-context.ts';
import { followRollouts } from './follow-rollouts.ts';
import type { Teller } from './status-live.ts';
import { nowText } from './status-words.ts';

export type WaitOptions = {
  /** The release whose end counts; null: whichever it is. */
  readonly release: string | null;
  /** Null: as long as it takes. */
  readonly timeoutMs: number | null;
};

/** How long a gateway may not answer, as when it restarts. */
const patienceMs = 60_000;

/** Tells every look, and ends the verb with 0 when the rollout is promoted and with 1 when it is not. */
export async function waitForEnd(
  client: AdminClient,
  { name, release, timeoutMs }: WaitOptions & { readonly name: string },
  tell: Teller,
  context: CommandContext,
): Promise<void> {
  const startedMs = performance.now();
  for await (const look of followRollouts(client, name, context.stop)) {
    tell(look);
    if (!look.ok && look.forMs > patienceMs) throw look.error;
    const [rollout] = look.ok ? look.rollouts : [];
    const phase = rollout?.state?.phase;
    if (phase === 'steady') throw new GraygateError('usage', `${name} has a fixed split, which has no end to wait for`);
    const isAsked = release === null || rollout?.release === release;
    if (isAsked && phase === 'promoted') return;
    if (isAsked && phase === 'rolled-back') return context.finish(1);
    if (timeoutMs !== null && performance.now() - startedMs >= timeoutMs) {
      context.stderr.write(`graygate: ${name} has not ended after ${durationOf(timeoutMs)}${standingOf(rollout)}\n`);
      return context.finish(1);
    }
  }
  context.finish(1);
}

/** The rollout that is named, or the only one there is. Throws `usage` where there are several. */
export async function rolloutToWaitFor(client: AdminClient, name: string | null): Promise<string> {
  if (name !== null) return name;
  const rollouts = await client.rollouts();
  const [only, ...others] = rollouts;
  if (only !== undefined && others.length === 0) return only.name;
  const names = rollouts.map((rollout) => rollout.name).join(', ');
  throw new GraygateError('usage', `expected the rollout to wait for, one of ${names}`);
}

function standingOf(rollout: ShownRollout | undefined): string {
  if (rollout?.state === undefined || rollout.state === null) return '';
  const { phase, percent } = rollout.state;
  return `: release ${rollout.release} is ${phase} at ${percent} %, ${nowText(rollout)}`;
}
