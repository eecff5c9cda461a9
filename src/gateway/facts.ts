// Reads the facts of one request off its target and raw headers, lazily and each at most once. Must not change the request.
import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { parseCookie } from 'cookie';
import type { Facts } from '../rollout/facts.ts';
import { decodePercent, normalizePath } from '../rollout/path.ts';
import type { ByteString } from '../rollout/policy.ts';
import type { IpSet } from '../rollout/rule.ts';
import { clientAddress, withoutMappedPrefix } from './client-address.ts';
import { findHeader, type RequestLike } from './raw-headers.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** A request target split into authority (absolute-form only), path and query (with its `?`, or empty). */
export type Target = { readonly authority: string | null; readonly path: string; readonly query: string };

/** Splits a request target; an absolute-form target without a path has the path `/`. */
export function splitTarget(url: string): Target {
  let authority: string | null = null;
  let start = 0;
  if (url.charCodeAt(0) !== 0x2f) {
    const scheme = /^https?:\/\//i.exec(url);
    if (scheme) {
      const end = url.slice(scheme[0].length).search(/[/?#]/);
      start = end === -1 ? url.length : scheme[0].length + end;
      authority = url.slice(scheme[0].length, start);
    }
  }
  const mark = url.indexOf('?', start);
  const path = mark === -1 ? url.slice(start) : url.slice(start, mark);
  return { authority, path: path === '' ? '/' : path, query: mark === -1 ? '' : url.slice(mark) };
}

/** Lower case, without the port and a final dot; IPv6 literals keep their brackets. */
export function hostOf(authority: string): string {
  const colon = authority.lastIndexOf(':');
  const host = colon > authority.lastIndexOf(']') ? authority.slice(0, colon) : authority;
  const lower = host.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

/** The facts of one request. Claims are empty until a verified token sets them. */
export class RequestFacts implements Facts {
  readonly method: string;
  readonly host: string;
  readonly path: ByteString;
  /** The client's authority as it asked for it: the absolute-form target's, else the `Host` header; may be empty. */
  readonly authority: string;
  readonly target: Target;
  /** The address of the connection's other end. */
  readonly peer: string;
  /** Whether the peer itself is a trusted proxy, so that what it says of the client counts. */
  readonly peerIsTrusted: boolean;
  readonly connectionScheme: 'http' | 'https';
  claims: Claims | null = null;
  readonly #request: RequestLike;
  readonly #trustedProxies: IpSet;
  #ip: string | undefined;
  #cookies: Readonly<Record<string, string | undefined>> | undefined;
  #freshUserId: string | undefined;

  constructor(request: RequestLike, trustedProxies: IpSet) {
    this.#request = request;
    this.#trustedProxies = trustedProxies;
    this.method = request.method;
    this.peer = withoutMappedPrefix(request.remoteAddress);
    this.peerIsTrusted = isIP(this.peer) !== 0 && trustedProxies.has(this.peer);
    this.connectionScheme = request.scheme;
    this.target = splitTarget(request.url);
    this.authority = this.target.authority ?? findHeader(request.rawHeaders, 'host') ?? '';
    this.host = hostOf(this.authority);
    this.path = normalizePath(this.target.path);
  }

  get ip(): string {
    return (this.#ip ??= this.peerIsTrusted ? clientAddress(this.#request, this.#trustedProxies) : this.peer);
  }

  /** The scheme the client used, which a trusted proxy may have ended. */
  get scheme(): 'http' | 'https' {
    const forwarded = this.peerIsTrusted ? this.header('x-forwarded-proto') : undefined;
    return forwarded === undefined
      ? this.connectionScheme
      : forwarded.trim().toLowerCase() === 'https'
        ? 'https'
        : 'http';
  }

  header(name: string): ByteString | undefined {
    return findHeader(this.#request.rawHeaders, name);
  }

  cookie(name: string): ByteString | undefined {
    this.#cookies ??= parseCookie(this.header('cookie') ?? '', { decode: decodePercent });
    return this.#cookies[name];
  }

  query(name: string): ByteString | undefined {
    return queryParameter(this.target.query, name);
  }

  claim(name: string): ByteString | undefined {
    const claims = this.claims;
    if (claims === null || !Object.hasOwn(claims, name)) return undefined;
    const value = claims[name];
    if (typeof value === 'string') return toByteString(value);
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
  }

  freshUserId(): ByteString {
    return (this.#freshUserId ??= randomBytes(16).toString('hex'));
  }
}

/** Unicode text as the bytes of its UTF-8, one char a byte. */
function toByteString(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/**
 * First value of a query parameter as bytes, percent-decoded and no more: `+` stays, so that an ID with a plus is the same
 * from every source. The platform's URLSearchParams would replace what is not UTF-8, which makes one user of many.
 */
function queryParameter(query: string, name: string): ByteString | undefined {
  for (let start = 1; start < query.length;) {
    let end = query.indexOf('&', start);
    if (end === -1) end = query.length;
    const equals = query.indexOf('=', start);
    const keyEnd = equals === -1 || equals > end ? end : equals;
    if (decodePercent(query.slice(start, keyEnd)) === name) return decodePercent(query.slice(keyEnd + 1, end));
    start = end + 1;
  }
  return undefined;
}
