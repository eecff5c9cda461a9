// From a checked policy file to the frozen Policy that every other room reads. Nothing can fail here.
import { buildStaging } from './build-staging.ts';
import { toByteString } from './byte-string.ts';
import { CidrSet } from './ip-set.ts';
import { buildMirror } from './mirror-schema.ts';
import type { PolicyDocument } from './policy-schema.ts';
import type { RolloutDocument } from './rollout-schema.ts';
import type { MatcherDocument, RuleDocument, WhenDocument } from './rule-schema.ts';
import { normalizePath } from '../rollout/path.ts';
import type {
  AlertTarget,
  ByteString,
  Condition,
  IdentitySource,
  JwtVerification,
  Matcher,
  PercentByVersion,
  Policy,
  Rollout,
  Rule,
  Tls,
  UserIdentity,
  Version,
} from '../rollout/policy.ts';

/** The IDs of a named file, by its name in the policy. */
export type UsersOf = (file: string) => ReadonlySet<ByteString>;

/** What the files hold that a policy names; `usersOf` answers for every list. */
export type NamedFiles = { readonly usersOf: UsersOf; readonly tls: Tls | null };

/** The policy that a document and its files mean. */
export function buildPolicy(document: PolicyDocument, { usersOf, tls }: NamedFiles): Policy {
  const { header, idle, drain } = document.timeouts;
  return freezeDeep({
    listen: document.listen,
    admin: document.admin,
    tls,
    trustedProxies: new CidrSet(listed(document.trustedProxies)),
    limits: document.limits,
    timeouts: { headerMs: header, idleMs: idle, drainMs: drain },
    logging: document.logging,
    store: document.store,
    alerts: document.alerts.map(buildAlert),
    rollouts: document.rollouts.map((rollout) => buildRollout(rollout, usersOf)),
  });
}

function buildRollout(document: RolloutDocument, usersOf: UsersOf): Rollout {
  const [baseline, ...candidates] = Object.entries(document.versions).map(([name, version], index): Version => {
    const [first, ...others] = version.servers.map(({ url, weight }) => ({ origin: url, weight }));
    const { connect, response, idle } = version.timeouts;
    const timeouts = { connectMs: connect, responseMs: response, idleMs: idle };
    return { name, index, servers: [first!, ...others], timeouts, http2: false, tls: null };
  });
  const versions = [baseline!, ...candidates] as const;
  const split = buildSplit(document.split, versions);
  return {
    name: document.name,
    match: { hosts: listed(document.match.host), paths: listed(document.match.path).map(toPathPrefix) },
    user: buildIdentity(document.user),
    salt: toByteString(document.salt ?? document.name),
    versions,
    fallback: document.fallback,
    expose: document.expose,
    mirror: document.mirror === undefined ? null : buildMirror(document.mirror, versions),
    skew: document.skew === undefined ? null : { assets: listed(document.skew.assets).map(toPathPrefix) },
    rules: document.rules.map((rule) => buildRule(rule, versions, usersOf)),
    split,
    staging: buildStaging(document, { versions, split }),
  };
}

function buildAlert({ webhook, format, on, secret, approveUrl }: PolicyDocument['alerts'][number]): AlertTarget {
  return { url: webhook, format, on, secret: secret ?? null, approveUrl: approveUrl ?? null };
}

function buildIdentity({ from, anonymous, jwt }: RolloutDocument['user']): UserIdentity {
  return { from: listed(from).map(toSourceBytes), anonymous, jwt: jwt === undefined ? null : buildJwt(jwt) };
}

function buildJwt({ secret, jwksUrl, issuer, audience }: NonNullable<RolloutDocument['user']['jwt']>): JwtVerification {
  const key = secret === undefined ? { kind: 'jwks' as const, url: jwksUrl! } : { kind: 'secret' as const, secret };
  return { key, issuer: issuer ?? null, audience: audience ?? null };
}

function toSourceBytes(source: IdentitySource): IdentitySource {
  if (source.kind === 'ip') return source;
  if (source.kind === 'jwt') return source;
  return { kind: source.kind, name: toByteString(source.name) };
}

/** Each candidate's percent, named or not, so that no look-up falls through to what every object inherits. */
function buildSplit(document: Readonly<Record<string, number>>, versions: readonly Version[]): PercentByVersion {
  return Object.fromEntries(
    versions.slice(1).map(({ name }) => [name, Object.hasOwn(document, name) ? document[name]! : 0]),
  );
}

function buildRule({ name, when, use, split }: RuleDocument, versions: readonly Version[], usersOf: UsersOf): Rule {
  const version = versions.find((candidate) => candidate.name === use);
  const then: Rule['then'] =
    version === undefined ? { kind: 'split', split: buildSplit(split ?? {}, versions) } : { kind: 'use', version };
  return { name, when: buildConditions(when, usersOf), then };
}

function buildConditions(when: WhenDocument, usersOf: UsersOf): Condition[] {
  const conditions: Condition[] = [];
  if (when.user !== undefined) conditions.push({ on: 'user', matches: buildMatcher(when.user, usersOf) });
  if (when.ip !== undefined) conditions.push({ on: 'ip', within: new CidrSet(listed(when.ip)) });
  if (when.method !== undefined) conditions.push({ on: 'method', matches: buildMatcher(when.method, usersOf) });
  if (when.path !== undefined) conditions.push({ on: 'path', prefixes: listed(when.path).map(toPathPrefix) });
  if (when.host !== undefined) conditions.push({ on: 'host', matches: buildMatcher(lowerCase(when.host), usersOf) });
  for (const on of ['header', 'cookie', 'query', 'jwt'] as const) {
    for (const [key, matcher] of Object.entries(when[on] ?? {})) {
      const name = on === 'header' ? key.toLowerCase() : on === 'jwt' ? key : toByteString(key);
      conditions.push({ on, name, matches: buildMatcher(matcher, usersOf) });
    }
  }
  return conditions;
}

function buildMatcher(document: MatcherDocument, usersOf: UsersOf): Matcher {
  if (Array.isArray(document)) return { kind: 'any-of', values: new Set(document.map(toByteString)) };
  const { file, regex, exists } = document;
  if (file !== undefined) return { kind: 'any-of', values: usersOf(file) };
  if (regex !== undefined) return { kind: 'pattern', pattern: regex };
  if (exists !== undefined) return { kind: 'exists', expected: exists };
  const kind = document.prefix !== undefined ? 'prefix' : document.suffix !== undefined ? 'suffix' : 'contains';
  return { kind, text: toByteString(document[kind] ?? '') };
}

/** Hosts are compared in lower case; a pattern is left to say so itself. */
function lowerCase(document: MatcherDocument): MatcherDocument {
  if (Array.isArray(document)) return document.map((host) => host.toLowerCase());
  const { prefix, suffix, contains } = document;
  return {
    ...document,
    prefix: prefix?.toLowerCase(),
    suffix: suffix?.toLowerCase(),
    contains: contains?.toLowerCase(),
  };
}

/** Normalised as request paths are, without a slash at the end: `/` is everything. */
function toPathPrefix(path: string): ByteString {
  return normalizePath(toByteString(path)).replace(/\/+$/, '');
}

function listed<T>(value: T | T[] | undefined): T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

/** Freezes plain objects and lists; sets and objects with methods guard themselves. */
function freezeDeep<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return value;
  for (const item of Object.values(value)) freezeDeep(item);
  return Object.freeze(value);
}
