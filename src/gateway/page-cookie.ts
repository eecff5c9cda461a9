// What keeps a page and its assets together: the cookie that a page leaves behind, for `skew`.
import { type Skew, skewName } from '../rollout/skew.ts';
import type { RequestFacts } from './facts.ts';

/**
 * The value of the Set-Cookie header that a page of `version` needs; null where the answer is no page, or the client has it
 * already. `headers`: of the answer, names and values in turn.
 */
export function pageCookie(
  skew: Skew | null,
  version: string,
  { facts, headers }: { facts: RequestFacts; headers: readonly string[] },
): string | null {
  if (skew === null || !isPage(headers) || facts.cookie(skewName) === version) return null;
  return `${skewName}=${version}; Path=/; HttpOnly; SameSite=Lax${facts.scheme === 'https' ? '; Secure' : ''}`;
}

function isPage(headers: readonly string[]): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.length === 12 && headers[i]!.toLowerCase() === 'content-type') {
      return /^text\/html(?:\s*;|\s*$)/i.test(headers[i + 1]!);
    }
  }
  return false;
}
