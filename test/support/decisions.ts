// Rollouts and facts for tests of the decision, each with as little as the test needs to say.
import { fixedStaging } from '../../src/rollout/staging.ts';
import type { Facts } from '../../src/rollout/facts.ts';
import type { ByteString, Rollout, Version } from '../../src/rollout/policy.ts';
import type { Condition, Matcher, Rule } from '../../src/rollout/rule.ts';
import { defaultServing } from './default-serving.ts';

/** Text as a ByteString: one char a byte of its UTF-8. */
export function bytesOf(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function buildVersion(name: string, index: number): Version {
  const timeouts = { connectMs: 1_000, responseMs: 1_000, idleMs: 1_000 };
  const servers = [{ origin: 'http://127.0.0.1:1', weight: 1 }] as const;
  return { name, index, servers, timeouts, serving: defaultServing, http2: false, tls: null };
}

/** `stable` is the baseline. */
export const stable = buildVersion('stable', 0);
export const canary = buildVersion('canary', 1);
export const beta = buildVersion('beta', 2);

/** A rollout named `shop` with 10 % on `canary`, users by `x-user-id`, anonymous by cookie. */
export function buildRollout(changes: Partial<Rollout> = {}): Rollout {
  return {
    name: 'shop',
    match: { hosts: [], paths: [] },
    user: { from: [{ kind: 'header', name: 'x-user-id' }], anonymous: 'cookie', jwt: null },
    salt: 'shop',
    versions: [stable, canary],
    fallback: 'baseline',
    expose: true,
    streams: 'keep',
    mirror: null,
    skew: null,
    rules: [],
    split: { canary: 10 },
    staging: fixedStaging('r1', ['stable', 'canary'], { canary: 10 }),
    events: [],
    experiment: null,
    exclude: [],
    layer: null,
    holdout: null,
    ...changes,
  };
}

/** A rule that uses `canary` unless it says otherwise. */
export function buildRule(name: string, when: readonly Condition[], then?: Rule['then']): Rule {
  return { name, when, then: then ?? { kind: 'use', version: canary } };
}

export function anyOf(...values: string[]): Matcher {
  return { kind: 'any-of', values: new Set(values.map(bytesOf)) };
}

export const issuedId = '0123456789abcdef0123456789abcdef';

export type FactValues = Partial<Pick<Facts, 'method' | 'host' | 'path' | 'ip'>> & {
  readonly headers?: Readonly<Record<string, ByteString>>;
  readonly cookies?: Readonly<Record<string, ByteString>>;
  readonly queries?: Readonly<Record<string, ByteString>>;
  readonly claims?: Readonly<Record<string, ByteString>>;
  /** Collects the name of every fact that is read, such as `header x-city`. */
  readonly reads?: string[];
};

/** The facts of a GET of `/` on `shop.example.com` from 192.0.2.1 without headers; a fresh user ID is `issuedId`. */
export function buildFacts(values: FactValues = {}): Facts {
  const read = <Value>(name: string, value: Value): Value => {
    values.reads?.push(name);
    return value;
  };
  return {
    get method() {
      return read('method', values.method ?? 'GET');
    },
    get host() {
      return read('host', values.host ?? 'shop.example.com');
    },
    get path() {
      return read('path', values.path ?? '/');
    },
    get ip() {
      return read('ip', values.ip ?? '192.0.2.1');
    },
    header: (name) => read(`header ${name}`, values.headers?.[name]),
    cookie: (name) => read(`cookie ${name}`, values.cookies?.[name]),
    query: (name) => read(`query ${name}`, values.queries?.[name]),
    claim: (name) => read(`claim ${name}`, values.claims?.[name]),
    freshUserId: () => read('fresh ID', issuedId),
  };
}
