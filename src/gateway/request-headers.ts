// What a request carries on to the server: the client's headers in order, less hop-by-hop ones, plus what the gateway
// vouches for. Also the place where a request whose headers can be read two ways is refused.
import type { RequestFacts } from './facts.ts';
import { dropNamed, isHopByHop } from './hop-by-hop.ts';
import { passedTrailers } from './response-headers.ts';
import { newTraceparent, randomHex } from './trace-ids.ts';
import { NameCache } from './upstream/name-cache.ts';

/** What the server is told about the request besides the client's own headers. */
export type Forwarding = {
  readonly facts: RequestFacts;
  readonly upstreamHost: string;
  readonly requestId: string;
  /** `x-graygate-rollout` and `x-graygate-version`, names and values in turn. */
  readonly decisionHeaders: readonly string[];
};

/** A request ID that a client may bring: visible ASCII, short enough to log. */
const acceptableRequestId = /^[!-~]{1,200}$/;

/** The client's request ID if it is fit to be logged, else a new random one of 32 hex digits. */
export function requestIdOf(facts: RequestFacts): string {
  const own = facts.header('x-request-id');
  return own !== undefined && acceptableRequestId.test(own) ? own : randomHex(32);
}

/** Raw headers for the server, names and values in turn; `Host` is the client's where it names one. */
export function forwardedHeaders(rawHeaders: readonly string[], forwarding: Forwarding): string[] {
  const { facts } = forwarding;
  const { peer, peerIsTrusted: trusted } = facts;
  const headers: string[] = ['Host', facts.authority || forwarding.upstreamHost];
  let connection = '';
  let traceparent = '';
  let forwardedFor = '';
  let forwardedProto = '';
  let forwardedHost = '';
  let hasTracestate = false;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    const value = rawHeaders[i + 1]!;
    switch (classify(name)) {
      case 'keep':
        headers.push(name, value);
        break;
      case 'connection':
        connection = connection === '' ? value : `${connection},${value}`;
        break;
      case 'te':
        if (/(?:^|,)\s*trailers\s*(?:,|;|$)/i.test(value)) headers.push(name, 'trailers');
        break;
      case 'traceparent':
        traceparent = traceparent === '' ? value : 'several';
        break;
      case 'tracestate':
        hasTracestate = true;
        headers.push(name, value);
        break;
      case 'x-forwarded-for':
        forwardedFor = forwardedFor === '' ? value : `${forwardedFor}, ${value}`;
        break;
      case 'x-forwarded-proto':
        forwardedProto ||= value;
        break;
      case 'x-forwarded-host':
        forwardedHost ||= value;
        break;
      case 'forwarded':
        if (trusted) headers.push(name, value);
        break;
      default: // dropped
    }
  }
  if (connection !== '') dropNamed(headers, connection);
  const continuesTrace = isTraceparent(traceparent);
  // The state belongs to the trace that is not continued (W3C Trace Context, section 4.3).
  if (hasTracestate && !continuesTrace) dropNamed(headers, 'tracestate');
  headers.push(
    'X-Forwarded-For',
    trusted && forwardedFor !== '' ? `${forwardedFor}, ${peer}` : peer,
    'X-Forwarded-Proto',
    trusted && forwardedProto !== '' ? forwardedProto : facts.connectionScheme,
    'X-Request-Id',
    forwarding.requestId,
    'traceparent',
    continuesTrace ? traceparent : newTraceparent(),
  );
  const publicHost = trusted && forwardedHost !== '' ? forwardedHost : facts.authority;
  if (publicHost !== '') headers.push('X-Forwarded-Host', publicHost);
  for (const text of forwarding.decisionHeaders) headers.push(text);
  return headers;
}

/** Raw trailers for the server, less what it could take for the gateway's word, or for framing; null where none are left. */
export function forwardedTrailers(rawTrailers: readonly string[] | null): string[] | null {
  const trailers = passedTrailers(rawTrailers);
  const own = trailers?.filter((_, index) => classify(trailers[index & ~1]!) === 'keep') ?? [];
  return own.length === 0 ? null : own;
}

type Treatment =
  | 'keep'
  | 'drop'
  | 'connection'
  | 'te'
  | 'traceparent'
  | 'tracestate'
  | 'forwarded'
  | 'x-forwarded-for'
  | 'x-forwarded-proto'
  | 'x-forwarded-host';

const treatments: Readonly<Record<string, Treatment>> = {
  __proto__: null as never,
  host: 'drop',
  expect: 'drop',
  connection: 'connection',
  te: 'te',
  traceparent: 'traceparent',
  tracestate: 'tracestate',
  'x-request-id': 'drop',
  forwarded: 'forwarded',
  'x-forwarded-for': 'x-forwarded-for',
  'x-forwarded-proto': 'x-forwarded-proto',
  'x-forwarded-host': 'x-forwarded-host',
};

/** Names as clients spell them → what becomes of them. */
const classified = new NameCache<Treatment>();

function classify(name: string): Treatment {
  const known = classified.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  return classified.add(name, lower.includes('_') ? lookAlike(lower.replaceAll('_', '-')) : treatmentOf(lower));
}

function treatmentOf(lower: string): Treatment {
  return treatments[lower] ?? (isHopByHop(lower) || lower.startsWith('x-graygate-') ? 'drop' : otherForwarded(lower));
}

/** CGI and its like read `X_Forwarded_For` as the header that the gateway vouches for (RFC 3875, 4.1.18). */
function lookAlike(dashed: string): Treatment {
  return treatmentOf(dashed) === 'keep' ? 'keep' : 'drop';
}

/** `X-Forwarded-Port` and its kin say what only a trusted proxy may say, as `Forwarded` does. */
function otherForwarded(lower: string): Treatment {
  return lower.startsWith('x-forwarded-') ? 'forwarded' : 'keep';
}

/** W3C Trace Context, section 3.2: version, trace ID, parent ID and flags, the IDs not all zero. */
function isTraceparent(value: string): boolean {
  return (
    value.length >= 55 &&
    /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:$|-)/.test(value) &&
    (!value.startsWith('00') || value.length === 55)
  );
}
