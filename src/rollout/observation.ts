// What the statistics read of decisions and outcomes; so much of them crosses from the processes that serve. Types only.
import type { Decision } from './decide.ts';
import type { Outcome } from './outcome.ts';

/** A user was given a version. */
export type Assignment = Pick<Decision, 'rollout' | 'version' | 'rule' | 'bucket' | 'user'>;

/** A request has ended. */
export type Observation = Pick<
  Outcome,
  | 'rollout'
  | 'decided'
  | 'rule'
  | 'bucket'
  | 'user'
  | 'ip'
  | 'status'
  | 'grpcStatus'
  | 'ending'
  | 'durationMs'
  | 'faults'
  | 'retries'
  | 'fallback'
>;
