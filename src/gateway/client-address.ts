// Whose address a request came from when proxies stand in front: only what a trusted proxy says is believed.
import { isIP } from 'node:net';
import type { IpSet } from '../rollout/rule.ts';
import { joinHeader, type RequestLike } from './raw-headers.ts';

/** An IPv4-mapped IPv6 address (`::ffff:10.0.0.1`) as IPv4, any other as it is. */
export function withoutMappedPrefix(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/**
 * The nearest address that is not a trusted proxy, walking `X-Forwarded-For` (or `Forwarded`, where that is absent) from
 * the right. A peer that is not trusted is the client itself, whatever it claims; an unreadable entry ends the walk.
 */
export function clientAddress(request: RequestLike, trustedProxies: IpSet): string {
  const peer = withoutMappedPrefix(request.remoteAddress);
  if (isIP(peer) === 0 || !trustedProxies.has(peer)) return peer;
  let nearest = peer;
  for (const hop of forwardedHops(request.rawHeaders).toReversed()) {
    const address = addressOf(hop);
    if (address === null) return nearest;
    nearest = address;
    if (!trustedProxies.has(address)) return address;
  }
  return nearest;
}

/** The hops that proxies recorded, oldest first. */
function forwardedHops(rawHeaders: readonly string[]): string[] {
  const chain = joinHeader(rawHeaders, 'x-forwarded-for');
  if (chain !== '') return chain.split(',');
  const forwarded = joinHeader(rawHeaders, 'forwarded');
  return forwarded === '' ? [] : forwarded.split(',').map((hop) => /(?:^|;)\s*for\s*=\s*([^;]*)/i.exec(hop)?.[1] ?? '');
}

/** `1.2.3.4`, `1.2.3.4:80`, `[::1]:80`, `"[::1]"` → the bare address; null when it is none (`unknown`, `_hidden`). */
function addressOf(hop: string): string | null {
  const text = hop.trim().replace(/^"(.*)"$/, '$1');
  const bracketed = /^\[([^\]]+)\]/.exec(text)?.[1];
  const bare = bracketed ?? (isIP(text) === 0 ? text.replace(/:\d+$/, '') : text);
  const address = withoutMappedPrefix(bare);
  return isIP(address) === 0 ? null : address;
}
