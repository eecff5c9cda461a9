// Looks at rollouts each second, for as long as somebody wants to know, and says what happened between two looks.
// A gateway that is away for a while (a restart) is asked again; nothing that it has recorded is missed.
import { setTimeout as delay } from 'node:timers/promises';
import type { ShownRollout } from '../admin/contract.ts';
import { type AdminClient, RefusedError, UnreachableError } from './admin-client.ts';

/** What happened to a rollout; `reason` says who did it and why. */
export type Change = {
  readonly rollout: string;
  readonly atMs: number;
  readonly phase: string;
  readonly percent: number;
  readonly reason: string;
};

export type Look =
  | { readonly ok: true; readonly rollouts: readonly ShownRollout[]; readonly changes: readonly Change[] }
  /** Nobody could be asked, for `forMs` already. */
  | { readonly ok: false; readonly error: Error; readonly forMs: number };

const everyMs = 1_000;
/** How much further back is asked than was looked away, in seconds. */
const overlapSeconds = 5;

/** Looks until `stop`: at the rollout of this name, or at all. The first look throws what goes wrong; later ones only what stays wrong. */
export async function* followRollouts(
  client: AdminClient,
  name: string | null,
  stop: AbortSignal,
): AsyncGenerator<Look, void, void> {
  const known = new Map<string, number>();
  let lookedMs = performance.now();
  for (let isFirst = true; isFirst || !stop.aborted; isFirst = false) {
    try {
      const rollouts = name === null ? await client.rollouts() : [await client.rollout(name)];
      const awaySeconds = Math.ceil((performance.now() - lookedMs) / 1_000) + overlapSeconds;
      const changes = await Promise.all(
        rollouts.map((rollout) => changesOf(client, rollout, { since: known.get(rollout.name), awaySeconds })),
      );
      for (const rollout of rollouts) known.set(rollout.name, rollout.revision);
      lookedMs = performance.now();
      yield { ok: true, rollouts, changes: changes.flat() };
    } catch (error) {
      if (stop.aborted && !isFirst) return;
      if (isFirst || !(error instanceof Error) || !isPassing(error)) throw error;
      yield { ok: false, error, forMs: performance.now() - lookedMs };
    }
    await delay(everyMs, undefined, { signal: stop }).catch(() => undefined);
  }
}

function isPassing(error: Error): boolean {
  return error instanceof UnreachableError || (error instanceof RefusedError && error.problem.status >= 500);
}

/** What the audit log has beyond the revision that was known; of a state that is not in it yet, the state itself. */
async function changesOf(
  client: AdminClient,
  { name: rollout, revision, state }: ShownRollout,
  { since, awaySeconds }: { since: number | undefined; awaySeconds: number },
): Promise<Change[]> {
  if (since === undefined || revision === since || state === null) return [];
  const { entries } = await client.history(rollout, { seconds: awaySeconds });
  const fresh = entries.filter((entry) => entry.revision > since && entry.revision <= revision);
  const changes = fresh.map(({ atMs, to, reason }) => {
    return { rollout, atMs, phase: to.phase, percent: to.percent, reason };
  });
  if (fresh.some((entry) => entry.revision === revision)) return changes;
  const { phase, percent, reason } = state;
  return [...changes, { rollout, atMs: Date.now(), phase, percent, reason }];
}
