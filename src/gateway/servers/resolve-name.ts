// From a host name to its addresses: DNS first, because it says for how long they hold; what it does not know is asked of the
// platform, which reads /etc/hosts and knows search domains.
import { lookup, Resolver } from 'node:dns/promises';

/** At least one address, all of one family. `ttlMs`: for how long they hold; null where nobody said. */
export type Resolved = { readonly addresses: readonly string[]; readonly ttlMs: number | null };

export interface NameResolver {
  /** Rejects where no address was found, for whatever reason. */
  resolve(name: string): Promise<Resolved>;
}

/** What a resolver asks; both reject with an error that has a `code`. */
export type NameSources = {
  readonly dns: Pick<Resolver, 'resolve4' | 'resolve6'>;
  /** Every address that the platform knows. */
  lookUp(name: string): Promise<readonly { readonly address: string; readonly family: number }[]>;
};

/** How long a server of names is waited for, and how often it is asked. */
const dnsOptions = { timeout: 2_000, tries: 2 };

/** IPv4 where there is any, so that a machine without IPv6 is not sent into nothing by names that have both. */
export function createNameResolver(sources: NameSources = platformSources()): NameResolver {
  return {
    async resolve(name) {
      try {
        return await askDns(name, sources.dns);
      } catch (error) {
        if (!mayBeKnownElsewhere(error)) throw error;
      }
      const found = await sources.lookUp(name);
      const inet = found.filter(({ family }) => family === 4);
      return resolvedFrom(inet.length > 0 ? inet : found, null);
    },
  };
}

function platformSources(): NameSources {
  return { dns: new Resolver(dnsOptions), lookUp: (name) => lookup(name, { all: true }) };
}

async function askDns(name: string, dns: NameSources['dns']): Promise<Resolved> {
  const records = await dns.resolve4(name, { ttl: true }).catch((error: unknown) => {
    if (codeOf(error) !== 'ENODATA') throw error;
    return dns.resolve6(name, { ttl: true });
  });
  return resolvedFrom(records, Math.min(...records.map(({ ttl }) => ttl)) * 1_000);
}

function resolvedFrom(records: readonly { readonly address: string }[], ttlMs: number | null): Resolved {
  if (records.length === 0) throw Object.assign(new Error('expected an address, got none'), { code: 'ENODATA' });
  return { addresses: [...new Set(records.map(({ address }) => address))].toSorted(), ttlMs };
}

/** A server of names that takes its time is no reason to ask elsewhere, where a thread of the platform would wait for it too. */
function mayBeKnownElsewhere(error: unknown): boolean {
  return ['ENOTFOUND', 'ENODATA', 'ESERVFAIL', 'EREFUSED', 'ECONNREFUSED'].includes(codeOf(error));
}

/** What kept a name from being resolved, for people. */
export function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? 'unknown';
}
