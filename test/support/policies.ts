// Builds policies for tests by hand, so that the rooms behind the configuration are tested without it.
import { fixedStaging } from '../../src/rollout/staging.ts';
import type { Policy, Rollout, Server, Version } from '../../src/rollout/policy.ts';
import type { IpSet } from '../../src/rollout/rule.ts';
import type { Serving } from '../../src/rollout/serving.ts';
import { defaultServing } from './default-serving.ts';

export const noAddresses: IpSet = { has: () => false };
export const everyAddress: IpSet = { has: () => true };

export type VersionSketch = Partial<Omit<Version, 'servers' | 'serving'>> & {
  servers: readonly (string | Server)[];
  serving?: Partial<Serving>;
};

/** A version with the defaults of the policy file, but for the time to connect: on a busy machine many handshakes take theirs. */
export function versionOf(name: string, index: number, sketch: VersionSketch): Version {
  const servers = sketch.servers.map((server) => (typeof server === 'string' ? { origin: server, weight: 1 } : server));
  return {
    name,
    index,
    timeouts: { connectMs: 30_000, responseMs: 30_000, idleMs: 60_000 },
    http2: false,
    tls: null,
    ...sketch,
    serving: { ...defaultServing, ...sketch.serving },
    servers: servers as unknown as Version['servers'],
  };
}

export type RolloutSketch = Partial<Omit<Rollout, 'versions'>> & { versions: Record<string, VersionSketch> };

/** A rollout named `shop` that takes everything, by `x-user-id`, unless the sketch says otherwise. */
export function rolloutOf(sketch: RolloutSketch): Rollout {
  const versions = Object.entries(sketch.versions).map(([name, version], index) => versionOf(name, index, version));
  const split = sketch.split ?? {};
  return {
    name: 'shop',
    match: { hosts: [], paths: [] },
    user: { from: [{ kind: 'header', name: 'x-user-id' }], anonymous: 'cookie', jwt: null },
    salt: sketch.name ?? 'shop',
    fallback: 'baseline',
    expose: true,
    streams: 'keep',
    mirror: null,
    skew: null,
    rules: [],
    split,
    staging: fixedStaging('r1', Object.keys(sketch.versions), split),
    events: [],
    experiment: null,
    exclude: [],
    layer: null,
    holdout: null,
    ...sketch,
    versions: versions as unknown as Rollout['versions'],
  };
}

/** A policy with the defaults of the policy file, on free ports of the loopback interface. */
export function policyOf(sketch: Partial<Policy>): Policy {
  return {
    listen: { host: '127.0.0.1', port: 0 },
    admin: { listen: { host: '127.0.0.1', port: 0 }, tokens: [] },
    tls: null,
    workers: 1,
    store: { kind: 'sqlite', path: 'data/graygate.db' },
    alerts: [],
    trustedProxies: noAddresses,
    limits: { headerBytes: 16_384, bodyBytes: Infinity, connections: Infinity, connectionsPerSecond: Infinity },
    timeouts: { headerMs: 10_000, idleMs: 75_000, drainMs: 30_000 },
    logging: { access: false },
    rollouts: [],
    ...sketch,
  };
}

export type ShopSketch = Partial<Omit<Policy, 'rollouts'>> & {
  stable: string | VersionSketch;
  /** Gets every user, unless the rollout's split says otherwise. */
  canary?: string | VersionSketch;
  rollout?: Partial<Omit<Rollout, 'versions'>>;
};

/** One rollout `shop` with the version `stable`, and `canary` where it is given; a string is the only server's origin. */
export function shopPolicy({ stable, canary, rollout = {}, ...rest }: ShopSketch): Policy {
  const versions = { stable: sketchOf(stable), ...(canary === undefined ? {} : { canary: sketchOf(canary) }) };
  const split = canary === undefined ? {} : { canary: 100 };
  return policyOf({ ...rest, rollouts: [rolloutOf({ split, ...rollout, versions })] });
}

function sketchOf(version: string | VersionSketch): VersionSketch {
  return typeof version === 'string' ? { servers: [version] } : version;
}
