// What happened to the requests of one version, in plain numbers that a request can afford to change: no labels are looked
// up and nothing is formatted before somebody scrapes.
import type { FallbackReason, FaultKind, Outcome, RetryReason } from '../rollout/outcome.ts';

/** Upper bounds of the duration buckets, in seconds; the last bucket, +Inf, is not listed. */
export const durationBoundsSeconds: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

/** The methods that have a label value of their own; a client cannot create any other. */
export const knownMethods: readonly string[] = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
];
export const otherMethod = 'OTHER';

const indexOfMethod: ReadonlyMap<string, number> = new Map(knownMethods.map((method, index) => [method, index]));
const maxStatus = 1_000;

/**
 * Whether a version answers at all. `refusedSinceMs`: since then every connection was refused. `unansweredSinceMs`: when the
 * first whole request went out to which, as to all since, no answer has begun. Both null while all is well.
 */
export type Pulse = {
  refusedSinceMs: number | null;
  /** The last refusal of that row; silence after it says nothing. */
  lastRefusedMs: number;
  unansweredSinceMs: number | null;
  /** An answer began; a server took a connection. Since the tally was last handed on (tally-delta.ts). */
  hasAnswered: boolean;
  hasConnected: boolean;
};

/** Counts of one version of one rollout. Both names are empty for requests that no rollout took. */
export class Tally {
  readonly rollout: string;
  readonly version: string;
  inFlightCount = 0;
  /** WebSockets, server-sent events and gRPC calls that are open. */
  openStreamCount = 0;
  durationCount = 0;
  durationSumSeconds = 0;
  /** Not cumulative; one more than `durationBoundsSeconds`. */
  readonly durationCounts: Float64Array = new Float64Array(durationBoundsSeconds.length + 1);
  readonly pulse: Pulse = {
    refusedSinceMs: null,
    lastRefusedMs: 0,
    unansweredSinceMs: null,
    hasAnswered: false,
    hasConnected: false,
  };
  /** Whole requests to which no answer has begun. */
  awaitedCount = 0;
  readonly decisions = new Map<string, number>();
  readonly retries = new Map<RetryReason, number>();
  readonly fallbacks = new Map<FallbackReason, number>();
  /** By server, then by kind. */
  readonly faults = new Map<string, Map<FaultKind, number>>();
  /** By status and method in one number, so that a request costs one look-up. */
  readonly requests = new Map<number, number>();

  constructor(rollout: string, version: string) {
    this.rollout = rollout;
    this.version = version;
  }

  entered(): void {
    this.inFlightCount += 1;
  }

  left(): void {
    this.inFlightCount -= 1;
  }

  streamOpened(): void {
    this.openStreamCount += 1;
  }

  streamClosed(): void {
    this.openStreamCount -= 1;
  }

  awaited(): void {
    this.awaitedCount += 1;
    this.pulse.unansweredSinceMs ??= Date.now();
  }

  unawaited(): void {
    this.awaitedCount -= 1;
    if (this.awaitedCount === 0) this.pulse.unansweredSinceMs = null;
  }

  answered(): void {
    this.pulse.unansweredSinceMs = null;
    this.pulse.refusedSinceMs = null;
    this.pulse.hasAnswered = true;
  }

  faulted(server: string, kind: FaultKind): void {
    if (kind === 'connect') this.unserved();
    else {
      this.pulse.refusedSinceMs = null;
      this.pulse.hasConnected = true;
    }
    let kinds = this.faults.get(server);
    if (kinds === undefined) this.faults.set(server, (kinds = new Map<FaultKind, number>()));
    increment(kinds, kind);
  }

  /** No server could be asked: as good as a refusal. */
  unserved(): void {
    this.pulse.lastRefusedMs = Date.now();
    this.pulse.refusedSinceMs ??= this.pulse.lastRefusedMs;
  }

  retried(reason: RetryReason): void {
    increment(this.retries, reason);
  }

  fellBack(reason: FallbackReason): void {
    increment(this.fallbacks, reason);
  }

  finished(outcome: Outcome): void {
    this.counted(outcome.status, outcome.method);
    if (outcome.reason !== null) increment(this.decisions, outcome.reason);
    const seconds = outcome.durationMs / 1_000;
    let bucket = 0;
    while (bucket < durationBoundsSeconds.length && seconds > durationBoundsSeconds[bucket]!) bucket += 1;
    this.durationCounts[bucket]! += 1;
    this.durationCount += 1;
    this.durationSumSeconds += seconds;
  }

  /** A request of which only this is known. */
  counted(status: number, method: string): void {
    increment(this.requests, (indexOfMethod.get(method) ?? knownMethods.length) * maxStatus + status);
  }

  requestCounts(): { code: string; method: string; count: number }[] {
    return Array.from(this.requests, ([key, count]) => ({
      code: String(key % maxStatus),
      method: knownMethods[Math.floor(key / maxStatus)] ?? otherMethod,
      count,
    }));
  }
}

function increment<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
