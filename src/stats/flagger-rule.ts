// The rule that a widely used canary controller applies (Flagger, pkg/controller/scheduler.go), to rehearse beside ours.
// It looks at the candidate only and counts failed looks; the count is never taken back while the rollout goes on.
import { requireCount, requireRate } from './domain.ts';

/** `leastSuccess` (0–1) of the requests between two looks must succeed; after `failedLooks` that did not, the next look rolls back. */
export type FlaggerRule = { readonly leastSuccess: number; readonly failedLooks: number };

export type FlaggerState = { readonly failedLooks: number; readonly isRolledBack: boolean };

/** The state before the first look. */
export function startFlagger(): FlaggerState {
  return { failedLooks: 0, isRolledBack: false };
}

/** The state after one look (every 60 s by default) at the candidate's requests since the last; no request at all is a failed look. */
export function lookFlagger(
  rule: FlaggerRule,
  state: FlaggerState,
  { count, failures }: { count: number; failures: number },
): FlaggerState {
  requireRate('leastSuccess', rule.leastSuccess);
  requireCount('count', count);
  if (!(failures >= 0 && failures <= count))
    throw new RangeError(`failures must be from 0 to ${count}, not ${failures}`);
  if (state.isRolledBack || state.failedLooks >= rule.failedLooks) return { ...state, isRolledBack: true };
  const isFailed = count === 0 || 1 - failures / count < rule.leastSuccess;
  return isFailed ? { ...state, failedLooks: state.failedLooks + 1 } : state;
}
