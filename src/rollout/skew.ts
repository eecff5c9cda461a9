// Version skew: a page of one version must not load another version's scripts. Says which version an asset should come from,
// by what the request itself says of the page that asks for it. Pure.
import type { Facts } from './facts.ts';
import { decodePercent, isPathWithin } from './path.ts';
import type { ByteString, Rollout, Version } from './policy.ts';

/** Prefixes on segment borders of what pages load: their bundles. */
export type Skew = { readonly assets: readonly ByteString[] };

/** The cookie, and the parameter in the query of a page's address, that name the version of the page. */
export const skewName = 'x-graygate-version';

/** Whether a request is for an asset. */
export function isAsset({ skew }: Pick<Rollout, 'skew'>, { path, method }: Pick<Facts, 'path' | 'method'>): boolean {
  if (skew === null || (method !== 'GET' && method !== 'HEAD')) return false;
  return skew.assets.some((prefix) => isPathWithin(path, prefix));
}

/**
 * The version that the page which asks for an asset came from: named in the query of its address (`Referer`), else by the
 * cookie that the last page set. null: none is named, or there is none of that name.
 */
export function pageVersion({ versions }: Pick<Rollout, 'versions'>, facts: Facts): Version | null {
  const named = namedInReferer(facts.header('referer')) ?? facts.cookie(skewName);
  return named === undefined ? null : (versions.find(({ name }) => name === named) ?? null);
}

const inQuery = new RegExp(`[?&]${skewName}=([^&#]*)`);

function namedInReferer(referer: ByteString | undefined): string | undefined {
  const found = referer === undefined ? null : inQuery.exec(referer);
  return found === null ? undefined : decodePercent(found[1]!);
}
