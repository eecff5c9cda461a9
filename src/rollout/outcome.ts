// What became of one request: the only thing the data plane says upwards, exactly once a request.
import type { ByteString, Rollout, Version } from './policy.ts';
import type { Reason } from './decide.ts';

/** How a server failed. `connect`: nothing was sent; `protocol`: it sent what is not HTTP. */
export type FaultKind = 'connect' | 'reset' | 'timeout' | 'protocol';

/** Why a request is sent once more: a fault, or the status that a server answered. */
export type RetryReason = FaultKind | `${number}`;

/** Why the baseline answers for a candidate: a fault, or that no server is in (`no-server`), or that none has room (`busy`). */
export type FallbackReason = FaultKind | 'no-server' | 'busy';

/** A failure of one server of one version; it counts against that version even where another one answered. */
export type Fault = { readonly version: Version; readonly server: string; readonly kind: FaultKind };

/**
 * How the exchange ended. `cut`: the server broke off after its headers; `refused`: graygate itself answered
 * (no rollout, malformed, too large, every server failed).
 */
export type Ending = 'complete' | 'cut' | 'client-left' | 'refused' | 'upgraded';

export type Outcome = {
  /** Null where no rollout matched; then `version` and `reason` are null too. */
  readonly rollout: Rollout | null;
  /** The version that answered or was to answer. */
  readonly version: Version | null;
  /** The version that the decision named; another one than `version` where the baseline answered for it. */
  readonly decided: Version | null;
  readonly reason: Reason | 'fallback' | null;
  readonly rule: string | null;
  readonly bucket: number | null;
  readonly user: ByteString | null;
  /** The server that was asked last, by its origin, and the address where its name led to; null where none was asked. */
  readonly server: string | null;
  readonly method: string;
  /** The request target as sent. */
  readonly target: string;
  readonly ip: string;
  readonly requestId: string;
  /** The status that was sent, or 499 where the client left before one was. */
  readonly status: number;
  /** How a gRPC answer ended, by its trailers; null where it was none, or broke off before them. */
  readonly grpcStatus: number | null;
  readonly ending: Ending;
  /** From the request's headers to the last byte; for an upgrade, to the switch of protocols. */
  readonly durationMs: number;
  /** Body bytes only. */
  readonly requestByteCount: number;
  readonly responseByteCount: number;
  readonly faults: readonly Fault[];
  readonly retries: readonly RetryReason[];
  /** Why the baseline answered for the candidate; null where it did not. */
  readonly fallback: FallbackReason | null;
};
