// A request of HTTP/2 in the form that the rest of the gateway knows: target, `Host`, one `Cookie` (RFC 9113, 8.3). Says what is
// wrong with one that the protocol library lets through.
import { METHODS } from 'node:http';
import type { RequestLike } from '../raw-headers.ts';
import { isHostForm, type Objection } from '../admission.ts';

export type Http2Request = RequestLike & {
  readonly objection: Objection | null;
  /** What an extended CONNECT asks for (RFC 8441); null for every other request. */
  readonly protocol: string | null;
};

export type Http2Peer = {
  readonly remoteAddress: string;
  readonly scheme: 'http' | 'https';
  readonly headerByteLimit: number;
};

const knownMethods: ReadonlySet<string> = new Set(METHODS.filter((method) => method !== 'CONNECT'));
/** No space, no fragment, and no byte that HTTP/1.1 would refuse in a request line. */
const targetForm = /^\/[!-"$-~]*$/;

/** Reads a header list as the platform gives it: pseudo-headers first, then fields in their order. */
export function readHttp2Request(
  fields: readonly string[],
  { remoteAddress, scheme, headerByteLimit }: Http2Peer,
): Http2Request {
  const pseudo: Record<string, string> = { __proto__: null as never };
  const rawHeaders: string[] = ['Host', ''];
  let host: string | null = null;
  let expectation: string | null = null;
  let cookieAt = -1;
  let byteCount = 0;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    const value = fields[i + 1]!;
    // As many as the same field would have in HTTP/1.1.
    byteCount += name.length + value.length + 4;
    if (name === 'expect') expectation = value;
    if (name.charCodeAt(0) === 0x3a) pseudo[name] = value;
    else if (name === 'host') host = value;
    else if (name !== 'cookie') rawHeaders.push(name, value);
    else if (cookieAt !== -1) rawHeaders[cookieAt] += `; ${value}`;
    else cookieAt = rawHeaders.push(name, value) - 1;
  }
  const authority = pseudo[':authority'] ?? host;
  rawHeaders[1] = authority ?? '';
  const method = pseudo[':method'] ?? '';
  const protocol = pseudo[':protocol'] ?? null;
  const url = pseudo[':path'] ?? '';
  return {
    method: protocol === null ? method : 'GET',
    url,
    rawHeaders,
    remoteAddress,
    scheme,
    protocol,
    objection:
      byteCount > headerByteLimit
        ? { code: 'headers-too-large' }
        : objectionTo({ method, url, authority, host: host ?? authority, protocol, expectation }),
  };
}

type Essentials = {
  readonly method: string;
  readonly url: string;
  readonly authority: string | null;
  readonly host: string | null;
  readonly protocol: string | null;
  readonly expectation: string | null;
};

function objectionTo({ method, url, authority, host, protocol, expectation }: Essentials): Objection | null {
  if (protocol !== null && protocol !== 'websocket') {
    return { code: 'method-not-supported', detail: 'expected websocket as the protocol' };
  }
  if (method === 'CONNECT' && protocol === null) {
    return { code: 'method-not-supported', detail: 'CONNECT is for forward proxies' };
  }
  if (protocol === null && !knownMethods.has(method)) return { code: 'method-not-supported' };
  if (expectation !== null && expectation.toLowerCase() !== '100-continue') return { code: 'expectation-failed' };
  if (!targetForm.test(url)) return malformed('expected a path as the request target');
  if (authority === null) return malformed('expected an authority');
  if (authority !== host) return malformed('expected one host, got another one in the Host header');
  return isHostForm(authority) ? null : malformed('expected host and port as the authority');
}

function malformed(detail: string): Objection {
  return { code: 'malformed-request', detail };
}
