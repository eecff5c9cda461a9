// Keeps pages of other sites from using a browser on this machine: by the name they ask for, and by where they come from.
import { isLoopback } from './peer.ts';

/** Whether a Host header names this machine itself, whatever the port; another name may be DNS that was bent to it. */
export function isLocalHost(host: string | undefined): boolean {
  const name = /^(\[[^\]]*\]|[^:]*)(?::\d{1,5})?$/.exec(host ?? '')?.[1]?.toLowerCase();
  return name === 'localhost' || isLoopback(name?.replace(/^\[(.*)\]$/s, '$1') ?? '');
}

/** Whether a page may ask: it sends no Origin (so it is none), or the one it asks, or one that the policy knows. */
export function isOwnOrigin(origin: string | undefined, host: string | undefined, known: readonly string[]): boolean {
  if (origin === undefined) return true;
  const from = URL.parse(origin);
  if (from === null || (from.protocol !== 'http:' && from.protocol !== 'https:')) return false;
  const own = URL.parse(`${from.protocol}//${host}`);
  return own?.host === from.host || known.some((each) => URL.parse(each)?.origin === from.origin);
}
