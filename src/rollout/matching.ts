// Which rollout takes a request: the first listed whose host and path fit, looked up instead of tried one by one.
import { type CompiledRollout, compileRollout } from './compiled-rollout.ts';
import type { Facts } from './facts.ts';
import type { ByteString, Policy } from './policy.ts';
import type { HostPattern } from './rule.ts';
import { PrefixMap } from './prefix-map.ts';

/** Path → number of the first rollout that takes it. */
type OrderByPath = PrefixMap<number>;

export type RolloutTable = {
  /** In listed order. */
  readonly rollouts: readonly CompiledRollout[];
  readonly byHost: ReadonlyMap<string, OrderByPath>;
  /** By suffix with its dot: `.example.com`. */
  readonly bySuffix: ReadonlyMap<string, OrderByPath>;
  /** The distinct lengths of those suffixes. */
  readonly suffixLengths: readonly number[];
  readonly anyHost: OrderByPath;
};

/** Compiles a policy's rollouts, once a load. */
export function compileRollouts({ rollouts }: Pick<Policy, 'rollouts'>): RolloutTable {
  const byHost = new Map<string, Map<ByteString, number>>();
  const bySuffix = new Map<string, Map<ByteString, number>>();
  const anyHost = new Map<ByteString, number>();
  for (const [order, { match }] of rollouts.entries()) {
    const prefixes = match.paths.length === 0 ? [''] : match.paths;
    if (match.hosts.length === 0) addPrefixes(anyHost, prefixes, order);
    for (const host of match.hosts) {
      const [maps, key] = host.kind === 'exact' ? [byHost, host.host] : [bySuffix, host.suffix];
      const orders = maps.get(key) ?? new Map<ByteString, number>();
      maps.set(key, orders);
      addPrefixes(orders, prefixes, order);
    }
  }
  return Object.freeze({
    rollouts: Object.freeze(rollouts.map(compileRollout)),
    byHost: new Map(Array.from(byHost, ([host, orders]) => [host, new PrefixMap(orders, Math.min)])),
    bySuffix: new Map(Array.from(bySuffix, ([suffix, orders]) => [suffix, new PrefixMap(orders, Math.min)])),
    suffixLengths: Object.freeze([...new Set(Array.from(bySuffix.keys(), (suffix) => suffix.length))]),
    anyHost: new PrefixMap(anyHost, Math.min),
  });
}

/** The first listed rollout keeps a prefix that several name. */
function addPrefixes(orders: Map<ByteString, number>, prefixes: readonly ByteString[], order: number): void {
  for (const prefix of prefixes) if (!orders.has(prefix)) orders.set(prefix, order);
}

/**
 * The first rollout that takes the request; null if none does. Cost: independent of the number of rollouts; one look per
 * distinct suffix length and segment of the longest path in the policy.
 */
export function matchRollout(table: RolloutTable, facts: Pick<Facts, 'host' | 'path'>): CompiledRollout | null {
  const { host, path } = facts;
  let first = table.anyHost.get(path) ?? Infinity;
  first = Math.min(first, table.byHost.get(host)?.get(path) ?? Infinity);
  for (const length of table.suffixLengths) {
    if (host.length <= length) continue;
    first = Math.min(first, table.bySuffix.get(host.slice(-length))?.get(path) ?? Infinity);
  }
  return table.rollouts[first] ?? null;
}

/** Whether a host is the pattern's own or, for a suffix, below it (`*.example.com` does not take `example.com`). */
export function hostFits(pattern: HostPattern, host: string): boolean {
  if (pattern.kind === 'exact') return host === pattern.host;
  return host.length > pattern.suffix.length && host.endsWith(pattern.suffix);
}
