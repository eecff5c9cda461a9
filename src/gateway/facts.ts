// Reads the facts of one request off its target and raw headers, lazily and each at most once. Must not change the request.
import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { parseCookie } from 'cookie';
import type { Facts } from '../rollout/facts.ts';
import { decodePercent, normalizePath } from '../rollout/path.ts';
import type { ByteString, IpSet } from '../rollout/policy.ts';
import { clientAddress, withoutMappedPrefix } from './client-address.ts';

/** The parts of an `IncomingMessage` that facts are read from; `explain` builds one from its options. */
export type RequestLike = {
  readonly method: string;
  /** The request target as sent: origin-form, absolute-form or `*`. */
  readonly url: string;
  /** Names and values in turn, as received (latin1). */
  readonly rawHeaders: readonly string[];
  readonly remoteAddress: string;
};

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

/** First value of a header in a raw header list, by its lower-case name. Cost: linear in the headers. */
export function findHeader(rawHeaders: readonly string[], name: string): string | undefined {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const candidate = rawHeaders[i]!;
    if (candidate.length === name.length && (candidate === name || candidate.toLowerCase() === name)) {
      return rawHeaders[i + 1];
    }
  }
  return undefined;
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
  claims: Claims | null = null;
  readonly #request: RequestLike;
  readonly #trustedProxies: IpSet;
  #ip: string | undefined;
  #cookies: Readonly<Record<string, string | undefined>> | undefined;
  #parameters: URLSearchParams | undefined;
  #freshUserId: string | undefined;

  constructor(request: RequestLike, trustedProxies: IpSet) {
    this.#request = request;
    this.#trustedProxies = trustedProxies;
    this.method = request.method;
    this.target = splitTarget(request.url);
    this.authority = this.target.authority ?? findHeader(request.rawHeaders, 'host') ?? '';
    this.host = hostOf(this.authority);
    this.path = normalizePath(this.target.path);
  }

  get ip(): string {
    return (this.#ip ??= clientAddress(this.#request, this.#trustedProxies));
  }

  /** Whether the peer itself is a trusted proxy, so that what it says of the client counts. */
  get peerIsTrusted(): boolean {
    const peer = withoutMappedPrefix(this.#request.remoteAddress);
    return isIP(peer) !== 0 && this.#trustedProxies.has(peer);
  }

  header(name: string): ByteString | undefined {
    return findHeader(this.#request.rawHeaders, name);
  }

  cookie(name: string): ByteString | undefined {
    this.#cookies ??= parseCookie(this.header('cookie') ?? '', { decode: decodePercent });
    return this.#cookies[name];
  }

  query(name: string): ByteString | undefined {
    if (this.target.query === '') return undefined;
    this.#parameters ??= new URLSearchParams(escapeRawBytes(this.target.query));
    const value = this.#parameters.get(name);
    return value === null ? undefined : toByteString(value);
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

/** A query may hold raw UTF-8 bytes; percent-encoded, the platform's parser reads them as what they are. */
function escapeRawBytes(query: string): string {
  return query.replace(/[\u0080-\u00ff]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
}
