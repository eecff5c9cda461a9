// What is told of copies and of their answers: plain records. Types only.
import type { Difference } from './mirror.ts';
import type { FaultKind } from './outcome.ts';

/** Why a copy was not made: too many under way, its body too long, or no server to send it to. */
export type SkipReason = 'busy' | 'body-too-long' | 'no-server';

/** A copy was answered (`code` is the status), had a fault, or was not made. */
export type MirrorRecord = { readonly rollout: string; readonly version: string } & (
  | { readonly kind: 'answered'; readonly code: number }
  | { readonly kind: 'faulted'; readonly code: FaultKind }
  | { readonly kind: 'skipped'; readonly reason: SkipReason }
);

/** The answers to a request and to its copy, which differ. */
export type MirrorDifference = {
  readonly rollout: string;
  readonly version: string;
  readonly requestId: string;
  readonly atMs: number;
  readonly method: string;
  /** The request target as sent. */
  readonly target: string;
  readonly differences: readonly Difference[];
};
