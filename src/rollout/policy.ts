// What an operator decided, as typed and frozen values: the shape that config builds and every other room reads.
// Pure: no parsing, no defaults, no I/O. Nothing in a Policy changes after it is built.

import type { AlertKind } from './audit-entry.ts';
import type { AdminToken, Limits, ListenAddress, Tls } from './entrance.ts';
import type { EventRule, Experiment } from './experiment.ts';
import type { Mirror } from './mirror.ts';
import type { Holdout, LayerShare } from './population.ts';
import type { Condition, IpSet, Match, Rule } from './rule.ts';
import type { Skew } from './skew.ts';
import type { Serving } from './serving.ts';
import type { Staging } from './staging.ts';

/**
 * Text as bytes: one char (0–255) a byte of UTF-8. Everything that is compared with a request, or hashed, has this form,
 * because header values arrive as bytes; so one user is one string whichever way the ID came in.
 */
export type ByteString = string;

export type Policy = {
  readonly listen: ListenAddress;
  readonly admin: { readonly listen: ListenAddress; readonly tokens: readonly AdminToken[] };
  /** Null: traffic comes in plain. */
  readonly tls: Tls | null;
  /** Processes that serve traffic; 1: the one that also controls. */
  readonly workers: number;
  readonly trustedProxies: IpSet;
  readonly limits: Limits;
  readonly timeouts: { readonly headerMs: number; readonly idleMs: number; readonly drainMs: number };
  readonly logging: { readonly access: boolean };
  readonly store: StoreAddress;
  readonly alerts: readonly AlertTarget[];
  readonly rollouts: readonly Rollout[];
};

/** Where state outlives the process; a relative path is taken from the working directory. */
export type StoreAddress = { readonly kind: 'sqlite'; readonly path: string };

/** Who is told of which changes. `secret` signs the body; `approveUrl` is where links to act lead (the admin port, as people reach it). */
export type AlertTarget = {
  readonly url: string;
  readonly format: 'json' | 'slack';
  readonly on: readonly AlertKind[];
  readonly secret: string | null;
  readonly approveUrl: string | null;
};

export type Rollout = {
  readonly name: string;
  readonly match: Match;
  readonly user: UserIdentity;
  readonly salt: ByteString;
  /** The first is the baseline, the others are candidates in listed order. */
  readonly versions: readonly [Version, ...Version[]];
  readonly fallback: 'baseline' | 'none';
  /** Whether the client is told the version (`x-graygate-version`). */
  readonly expose: boolean;
  /** What becomes of WebSockets, server-sent events and gRPC calls whose user would get another version now. */
  readonly streams: 'keep' | 'drain';
  /** Copies of requests to a candidate; null: none. */
  readonly mirror: Mirror | null;
  /** Pages and their assets from one version; null: every request by itself. */
  readonly skew: Skew | null;
  readonly rules: readonly Rule[];
  readonly split: PercentByVersion;
  /** How the release moves; without stages the split is fixed. */
  readonly staging: Staging;
  /** What counts as something that a user did. */
  readonly events: readonly EventRule[];
  /** How versions are compared by what the business counts; null: they are not. */
  readonly experiment: Experiment | null;
  /** A request that fulfils all conditions of one of these is decided as ever, and counts as neither exposure nor event. */
  readonly exclude: readonly (readonly Condition[])[];
  /** The users that it shares out with other rollouts; null: everyone. */
  readonly layer: LayerShare | null;
  /** Users who get the baseline whatever is rolled out; null: nobody. */
  readonly holdout: Holdout | null;
};

/** Percent (0–100, steps of 0.01) per candidate, by the candidate's name; absent: 0. */
export type PercentByVersion = Readonly<Record<string, number>>;

export type UserIdentity = {
  readonly from: readonly IdentitySource[];
  readonly anonymous: 'cookie' | 'baseline' | 'ip';
  readonly jwt: JwtVerification | null;
};

export type IdentitySource =
  | { readonly kind: 'header' | 'cookie' | 'query'; readonly name: string }
  | { readonly kind: 'jwt'; readonly claim: string }
  | { readonly kind: 'ip' };

/** Where the token is (always `Authorization: Bearer`) and what makes it true. */
export type JwtVerification = {
  readonly key: { readonly kind: 'secret'; readonly secret: string } | { readonly kind: 'jwks'; readonly url: string };
  readonly issuer: string | null;
  readonly audience: string | null;
};

export type Version = {
  readonly name: string;
  /** Position in `Rollout.versions`; 0 is the baseline. */
  readonly index: number;
  readonly servers: readonly [Server, ...Server[]];
  readonly timeouts: VersionTimeouts;
  readonly serving: Serving;
  /** The servers speak HTTP/2: by ALPN with TLS, with prior knowledge without. */
  readonly http2: boolean;
  /** Null: https servers are verified by what the platform trusts. */
  readonly tls: ServerTls | null;
};

/**
 * How servers are met over TLS, in PEM text. `ca`: who may vouch for them, null for whom the platform trusts; `cert` and
 * `key`: what graygate shows them, both or neither; `servername`: the name they must have, null for that of their URL;
 * `insecure`: nothing is verified.
 */
export type ServerTls = {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly servername: string | null;
  readonly insecure: boolean;
};

/** `responseMs`: until the first header byte. `idleMs`: between two chunks of a body. */
export type VersionTimeouts = { readonly connectMs: number; readonly responseMs: number; readonly idleMs: number };

/** `origin` is `http://host:port` or `https://host:port`, without a path; `weight` a whole number, at least 1. */
export type Server = { readonly origin: string; readonly weight: number };
