// From a checked policy file to the frozen Policy that every other room reads. Nothing can fail here.
import { buildConditions, listed, toPathPrefix, type UsersOf } from './build-conditions.ts';
import { buildStaging } from './build-staging.ts';
import { toByteString } from './byte-string.ts';
import { buildEvents } from './event-schema.ts';
import { buildExperiment } from './experiment-schema.ts';
import { CidrSet } from './ip-set.ts';
import { buildMirror } from './mirror-schema.ts';
import type { PolicyDocument } from './policy-schema.ts';
import { buildHoldout, buildLayer } from './population-schema.ts';
import type { RolloutDocument } from './rollout-schema.ts';
import type { RuleDocument } from './rule-schema.ts';
import { buildServerTls, type PemTexts } from './server-tls-schema.ts';
import { buildServing } from './serving-schema.ts';
import type { Holdout } from '../rollout/population.ts';
import type { Tls } from '../rollout/entrance.ts';
import type {
  AlertTarget,
  IdentitySource,
  JwtVerification,
  PercentByVersion,
  Policy,
  Rollout,
  UserIdentity,
  Version,
} from '../rollout/policy.ts';
import type { Rule } from '../rollout/rule.ts';

/** What the files hold that a policy names; `usersOf` answers for every list. */
export type NamedFiles = { readonly usersOf: UsersOf; readonly tls: Tls | null; readonly pemTexts: PemTexts };

/** The policy that a document and its files mean. */
export function buildPolicy(document: PolicyDocument, { usersOf, tls, pemTexts }: NamedFiles): Policy {
  const { header, idle, drain } = document.timeouts;
  const holdout = buildHoldout(document.holdout);
  return freezeDeep({
    listen: document.listen,
    admin: document.admin,
    tls,
    workers: document.workers,
    trustedProxies: new CidrSet(listed(document.trustedProxies)),
    limits: document.limits,
    timeouts: { headerMs: header, idleMs: idle, drainMs: drain },
    logging: document.logging,
    store: document.store,
    alerts: document.alerts.map(buildAlert),
    rollouts: document.rollouts.map((rollout) => buildRollout(rollout, { usersOf, holdout, pemTexts })),
  });
}

type Around = { readonly usersOf: UsersOf; readonly holdout: Holdout | null; readonly pemTexts: PemTexts };

function buildRollout(document: RolloutDocument, { usersOf, holdout, pemTexts }: Around): Rollout {
  const [baseline, ...candidates] = Object.entries(document.versions).map(([name, version], index): Version => {
    const [first, ...others] = version.servers.map(({ url, weight }) => ({ origin: url, weight }));
    const { connect, response, idle } = version.timeouts;
    const timeouts = { connectMs: connect, responseMs: response, idleMs: idle };
    const serving = buildServing(version);
    const tls = buildServerTls(version.tls, pemTexts);
    return { name, index, servers: [first!, ...others], timeouts, serving, http2: version.http2, tls };
  });
  const versions = [baseline!, ...candidates] as const;
  const split = buildSplit(document.split, versions);
  const staging = buildStaging(document, { versions, split });
  const events = buildEvents(document.events);
  return {
    name: document.name,
    match: { hosts: listed(document.match.host), paths: listed(document.match.path).map(toPathPrefix) },
    user: buildIdentity(document.user),
    salt: toByteString(document.salt ?? document.name),
    versions,
    fallback: document.fallback,
    expose: document.expose,
    streams: document.streams,
    mirror: document.mirror === undefined ? null : buildMirror(document.mirror, versions),
    skew: document.skew === undefined ? null : { assets: listed(document.skew.assets).map(toPathPrefix) },
    rules: document.rules.map((rule) => buildRule(rule, versions, usersOf)),
    split,
    staging,
    events,
    experiment: buildExperiment(document.experiment, { events, checks: staging.analysis.checks }),
    exclude: document.exclude.map((when) => buildConditions(when, usersOf)),
    layer: document.layer === undefined ? null : buildLayer(document.layer),
    holdout: document.holdout ? holdout : null,
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

/** Freezes plain objects and lists; sets and objects with methods guard themselves. */
function freezeDeep<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return value;
  for (const item of Object.values(value)) freezeDeep(item);
  return Object.freeze(value);
}
