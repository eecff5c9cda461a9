// Addresses as an operator writes them: where to listen, where servers are, which hosts a rollout takes. No look-ups.
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import type { ListenAddress } from '../rollout/entrance.ts';
import type { HostPattern } from '../rollout/rule.ts';
import { accepted, refused, refusedUnseen, type Reading } from './reading.ts';

const listenHint = 'write HOST:PORT, such as 0.0.0.0:8080, 127.0.0.1:9090 or "[::]:8080"';
const originHint = 'write an origin such as http://10.0.0.1:3000';
const hostHint = 'write a name such as shop.example.com, or *.example.com for every name below it';

/** `0.0.0.0:8080`, `[::1]:9090`, `localhost:0`; the host without brackets. Port 0 picks a free one. */
export function parseListenAddress(written: unknown): Reading<ListenAddress> {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^\s:[\]/@]+):(\d{1,5})$/.exec(String(written));
  if (match === null) return refused('is not an address to listen on', listenHint);
  const [, bracketed = '', digits] = match;
  const host = bracketed.replaceAll(/[[\]]/g, '');
  const port = Number(digits);
  if (port > 65_535) return refused('has a port above 65535', listenHint);
  const isHost = bracketed.startsWith('[') ? isIPv6(host) : isIPv4(host) || isHostName(host);
  if (!isHost) return refused('has a host that is neither an IP address nor a name', listenHint);
  return accepted({ host, port });
}

/**
 * The origin of a server: `http://host:port` or `https://host:port`, ports 80 and 443 left out. What the platform's URL parser would quietly repair
 * (octal addresses, backslashes, missing slashes) is refused.
 */
export function parseServerOrigin(written: unknown): Reading<string> {
  const text = String(written);
  const match = /^(https?):\/\/([^/?#\s\\]+)(.*)$/is.exec(text);
  if (match === null) return refused('is not an http:// or https:// origin', originHint);
  const [, scheme, authority = '', rest] = match;
  if (authority.includes('@')) return refusedUnseen('names a user or password', originHint);
  if (rest !== '' && rest !== '/') return refused('has more than a host and a port', originHint);
  const host = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(authority);
  const url = URL.parse(`${scheme}://${authority}`);
  const isSound = host !== null && url !== null && isServerHost(host[1]!) && url.port !== '0';
  return isSound ? accepted(url.origin) : refused('does not name a host', originHint);
}

/** `shop.example.com` or `*.example.com`, lower case, international names as they are sent (`xn--…`). */
export function parseHostPattern(written: unknown): Reading<HostPattern> {
  const text = String(written);
  const isSuffix = text.startsWith('*.');
  const name = (isSuffix ? text.slice(2) : text).replace(/\.$/, '').toLowerCase();
  if (/^\[.*\]$/.test(name) && isIPv6(name.slice(1, -1)) && !isSuffix) return accepted({ kind: 'exact', host: name });
  if (/:\d+$/.test(name)) return refused('has a port', 'leave the port out; it is not compared');
  const host = toAsciiHost(name);
  if (!isHostName(host) && !(isIPv4(host) && host === name && !isSuffix)) return refused('is not a host', hostHint);
  return accepted(isSuffix ? { kind: 'suffix', suffix: `.${host}` } : { kind: 'exact', host });
}

/** Whether only this machine can reach what listens there. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** Whether what listens there can be reached over every interface of the machine. */
export function isEveryInterface(host: string): boolean {
  return host === '0.0.0.0' || host === '::' || host === '::0';
}

function isServerHost(host: string): boolean {
  if (host.startsWith('[')) return isIPv6(host.slice(1, -1));
  return isIP(host) === 4 || isHostName(toAsciiHost(host));
}

/** International names as they are sent; empty for what is not a name. The platform's function stops reading at a `/`. */
function toAsciiHost(name: string): string {
  return /[/?#@:%\\\s]/.test(name) ? '' : domainToASCII(name);
}

/** Whether a text is labels of letters, digits, `-` and `_`; not something that a URL parser takes for a number (`010.1.1.1`, `0x7f.1`). */
export function isHostName(host: string): boolean {
  const labels = host.split('.');
  const isName = host.length <= 253 && labels.every((label) => /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/.test(label));
  return isName && !/^(\d+|0x[0-9a-f]*)$/i.test(labels.at(-1)!);
}
