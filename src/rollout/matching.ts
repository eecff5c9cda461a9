// Which rollout takes a request: the first listed whose host and path fit, looked up instead of tried one by one.
import { type CompiledRollout, compileRollout } from './compiled-rollout.ts';
import type { Facts } from './facts.ts';
import { longestOf, prefixesOf } from './path-prefixes.ts';
import type { ByteString, HostPattern, Policy } from './policy.ts';

/** Path prefix → number of the first rollout that names it. */
type OrderByPrefix = Map<ByteString, number>;

export type RolloutTable = {
  /** In listed order. */
  readonly rollouts: readonly CompiledRollout[];
  readonly byHost: ReadonlyMap<string, OrderByPrefix>;
  /** By suffix with its dot: `.example.com`. */
  readonly bySuffix: ReadonlyMap<string, OrderByPrefix>;
  /** The distinct lengths of those suffixes. */
  readonly suffixLengths: readonly number[];
  readonly anyHost: OrderByPrefix;
  readonly longestPrefix: number;
};

/** Compiles a policy's rollouts, once a load. */
export function compileRollouts(policy: Pick<Policy, 'rollouts'>): RolloutTable {
  const byHost = new Map<string, OrderByPrefix>();
  const bySuffix = new Map<string, OrderByPrefix>();
  const anyHost: OrderByPrefix = new Map();
  for (const [order, { match }] of policy.rollouts.entries()) {
    const hosts = match.hosts.length === 0 ? [anyHost] : match.hosts.map((host) => mapOf(host, byHost, bySuffix));
    for (const prefix of match.paths.length === 0 ? [''] : match.paths) {
      for (const orders of hosts) if (!orders.has(prefix)) orders.set(prefix, order);
    }
  }
  return Object.freeze({
    rollouts: Object.freeze(policy.rollouts.map(compileRollout)),
    byHost,
    bySuffix,
    suffixLengths: Object.freeze([...new Set(Array.from(bySuffix.keys(), (suffix) => suffix.length))]),
    anyHost,
    longestPrefix: longestOf(policy.rollouts.flatMap(({ match }) => match.paths)),
  });
}

/**
 * The first rollout that takes the request; null if none does. Cost: independent of the number of rollouts; one look per
 * distinct suffix length and segment of the longest path in the policy.
 */
export function matchRollout(table: RolloutTable, facts: Pick<Facts, 'host' | 'path'>): CompiledRollout | null {
  const { host } = facts;
  const prefixes = prefixesOf(facts.path, table.longestPrefix);
  let first = lowestOrder(table.anyHost, prefixes, table.rollouts.length);
  first = lowestOrder(table.byHost.get(host), prefixes, first);
  for (const length of table.suffixLengths) {
    if (host.length <= length) continue;
    first = lowestOrder(table.bySuffix.get(host.slice(-length)), prefixes, first);
  }
  return table.rollouts[first] ?? null;
}

/** Whether a host is the pattern's own or, for a suffix, below it (`*.example.com` does not take `example.com`). */
export function hostFits(pattern: HostPattern, host: string): boolean {
  if (pattern.kind === 'exact') return host === pattern.host;
  return host.length > pattern.suffix.length && host.endsWith(pattern.suffix);
}

function mapOf(
  pattern: HostPattern,
  byHost: Map<string, OrderByPrefix>,
  bySuffix: Map<string, OrderByPrefix>,
): OrderByPrefix {
  const [maps, key] = pattern.kind === 'exact' ? [byHost, pattern.host] : [bySuffix, pattern.suffix];
  const orders = maps.get(key) ?? new Map<ByteString, number>();
  maps.set(key, orders);
  return orders;
}

function lowestOrder(orders: OrderByPrefix | undefined, prefixes: readonly ByteString[], below: number): number {
  let lowest = below;
  if (orders === undefined || orders.size === 0) return lowest;
  for (const prefix of prefixes) {
    const order = orders.get(prefix);
    if (order !== undefined && order < lowest) lowest = order;
  }
  return lowest;
}
