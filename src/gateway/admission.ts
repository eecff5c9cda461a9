// Refuses requests that the parser lets through but that two readers could understand differently (RFC 9112, 3.2 and 6.3;
// request smuggling). What passes has one target, one host and one framing.
import type { IncomingMessage } from 'node:http';
import type { ErrorCode } from '../errors.ts';

const hostForm = /^[A-Za-z0-9\-._~!$&'()*+,;=%:[\]]*$/;
const absoluteForm = /^https?:\/\/([^/?#]+)/i;

/** Why a request is refused before it is decided; `detail` is a sentence for the client. */
export type Objection = { readonly code: ErrorCode; readonly detail?: string };

/** What is to be said against a request of HTTP/1.1 or 1.0; null for a sound one. */
export function objectionTo(request: IncomingMessage): Objection | null {
  const detail = findAmbiguity(request);
  if (detail !== null) return { code: 'malformed-request', detail };
  return hasUnknownExpectation(request) ? { code: 'expectation-failed' } : null;
}

/** Whether text can name a host and its port. */
export function isHostForm(text: string): boolean {
  return hostForm.test(text);
}

function findAmbiguity(request: IncomingMessage): string | null {
  const { httpVersion, url = '', rawHeaders } = request;
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return `expected HTTP/1.1 or HTTP/1.0, got HTTP/${httpVersion}`;
  return findBadTarget(url) ?? findBadHeaders(rawHeaders, httpVersion === '1.0');
}

/** Whether the client expects what no server is asked for (RFC 9110, 10.1.1); HTTP/1.0 knows no expectations. */
function hasUnknownExpectation({ headers, httpVersionMinor }: IncomingMessage): boolean {
  return headers.expect !== undefined && httpVersionMinor === 1 && headers.expect.toLowerCase() !== '100-continue';
}

function findBadTarget(url: string): string | null {
  if (url.charCodeAt(0) !== 0x2f) {
    const authority = absoluteForm.exec(url)?.[1];
    if (authority === undefined) return 'expected a path or an http URL as the request target';
    if (!hostForm.test(authority)) return 'expected host and port in the request target';
  }
  return url.includes('#') ? 'expected a request target without a fragment' : null;
}

function findBadHeaders(rawHeaders: readonly string[], isHttp10: boolean): string | null {
  let hostCount = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    const length = name.length;
    if (length === 4 && name.toLowerCase() === 'host') {
      hostCount += 1;
      if (!hostForm.test(rawHeaders[i + 1]!)) return 'expected host and port in the Host header';
    } else if (length === 17 && name.toLowerCase() === 'transfer-encoding') {
      if (isHttp10) return 'expected no Transfer-Encoding in an HTTP/1.0 request';
      if (rawHeaders[i + 1]!.trim().toLowerCase() !== 'chunked') return 'expected chunked as the only transfer coding';
    }
  }
  if (hostCount > 1) return 'expected one Host header, got several';
  return hostCount === 0 && !isHttp10 ? 'expected a Host header' : null;
}
