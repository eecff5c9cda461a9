// How the servers of a version are used, as an operator decided: whose turn it is, when one is out, what is tried again.
// Types, and what follows from them alone. Pure.
import type { RetryReason } from './outcome.ts';

export type Serving = {
  readonly balance: Balance;
  /** Null: servers are not asked how they are. */
  readonly health: HealthCheck | null;
  readonly eject: EjectionRule;
  /** How long a server that comes back takes to get its whole share; 0: none. */
  readonly slowStartMs: number;
  readonly retries: RetryRule;
  readonly limits: ServerLimits;
};

export type Balance = 'round-robin' | 'least-requests' | 'hash';

/** `path` is asked every `everyMs`; so many answers in a row that are bad, or good, change what is thought of the server. */
export type HealthCheck = {
  readonly path: string;
  readonly everyMs: number;
  readonly timeoutMs: number;
  readonly unhealthyAfter: number;
  readonly healthyAfter: number;
};

/** `after` failures in a row within `withinMs` put a server out for `forMs`, as long as no more than `maxPercent` of them are out. */
export type EjectionRule = {
  readonly after: number;
  readonly withinMs: number;
  readonly forMs: number;
  readonly maxPercent: number;
};

export type RetryRule = {
  /** How often a request that may have reached a server is sent again. */
  readonly attempts: number;
  readonly on: ReadonlySet<RetryReason>;
  /** Most retries at a time, in percent of the version's requests at that time. */
  readonly budgetPercent: number;
  /** How long an answer may take as long as another try is left; null: as long as the version's timeout says. */
  readonly perTryMs: number | null;
};

/** Of one server; `Infinity` means unlimited. */
export type ServerLimits = { readonly maxRequestCount: number; readonly maxPendingCount: number };
