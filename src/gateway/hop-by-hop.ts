// Headers that concern one connection only and never cross the gateway (RFC 9110, 7.6.1).

const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'proxy-authorization',
  'proxy-authenticate',
]);

/** Whether a header, by its lower-case name, is removed in both directions. */
export function isHopByHop(lowerName: string): boolean {
  return hopByHop.has(lowerName);
}

/** What a `Connection` header must not be able to take away: framing, and `TE`, which is filtered by its own rule. */
const protectedNames: ReadonlySet<string> = new Set(['host', 'content-length', 'te']);

/** Removes from a raw header list what a `Connection` header's value names. */
export function dropNamed(headers: string[], connection: string): void {
  const named = new Set<string>();
  for (const token of connection.toLowerCase().split(',')) {
    const name = token.trim();
    if (name !== '' && name !== 'close' && name !== 'keep-alive' && !protectedNames.has(name)) named.add(name);
  }
  if (named.size === 0) return;
  let kept = 0;
  for (let i = 0; i < headers.length; i += 2) {
    if (named.has(headers[i]!.toLowerCase())) continue;
    headers[kept] = headers[i]!;
    headers[kept + 1] = headers[i + 1]!;
    kept += 2;
  }
  headers.length = kept;
}
