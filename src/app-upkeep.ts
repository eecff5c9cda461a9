// Composition, eighth part: what is done about a store that cannot be read yet, fails and heals. Adapters only.
import type { Logger } from 'pino';
import type { KeptStore } from './app-keeping.ts';
import type { LinkSigner } from './controller/link-signer.ts';

const rollUpEveryMs = 60_000;
const retryEveryMs = 1_000;

/** A policy as it may be shown. */
export type PolicyRecord = { readonly fingerprint: string; readonly loadedMs: number; readonly document: unknown };

/** What is kept in the store, and kept up there. */
export type Kept = {
  readonly store: KeptStore;
  readonly links: LinkSigner;
  /** The policy in force as it may be shown; null before the first one was recorded. */
  shown: PolicyRecord | null;
};

/** Runs `begin`, and again every second until it succeeds; returns the timer, to be cleared. */
export async function beginOrKeepTrying(
  begin: () => Promise<void>,
  logger: Logger,
): Promise<NodeJS.Timeout | undefined> {
  try {
    await begin();
    return undefined;
  } catch (error) {
    logger.error({ error: messageOf(error) }, 'the store cannot be read; rollouts hold until it can');
  }
  let isTrying = false;
  const timer = setInterval(() => {
    if (isTrying) return;
    isTrying = true;
    begin()
      .then(() => clearInterval(timer), ignore)
      .finally(() => (isTrying = false));
  }, retryEveryMs);
  return timer;
}

/** Rolls figures up, and says when the store fails and heals. */
export function keepUp(kept: Kept, logger: Logger): { stop(): void } {
  const { store, links } = kept;
  const stopListening = store.onStatusChange(({ ok, reason }) => {
    if (!ok) return logger.error({ reason }, 'the store is not well; traffic goes on, rollouts hold');
    logger.info('the store is well again');
    void links.settle();
    recordPolicy(kept);
  });
  const rollUp = setInterval(() => void store.history.rollUp({ nowMs: Date.now() }).catch(ignore), rollUpEveryMs);
  return {
    stop() {
      clearInterval(rollUp);
      stopListening();
    },
  };
}

/** Nothing changes when the store has this one as its newest; what cannot be written now is written once the store is well. */
export function recordPolicy({ store, shown }: Kept): void {
  if (shown === null) return;
  const { fingerprint, loadedMs, document } = shown;
  store.policies.append({ fingerprint, atMs: loadedMs, text: JSON.stringify(document) }).catch(ignore);
}

/** For what the store says by itself, through its status. */
export function ignore(): void {}

/** What to log of a failure that is no fault of the program. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
