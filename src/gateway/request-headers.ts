// What a request carries on to the server: the client's headers in order, less hop-by-hop ones, plus what the gateway
// vouches for. Also the place where a request whose headers can be read two ways is refused.
import type { RequestFacts } from './facts.ts';
import { treatmentOf } from './header-treatment.ts';
import { Hearsay } from './hearsay.ts';
import { dropNamed } from './hop-by-hop.ts';
import { passedTrailers } from './response-headers.ts';
import { newTraceparent, randomHex } from './trace-ids.ts';

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

/** One for all requests: the headers of one are gone through without a pause, so no two are ever in it. */
const hearsay = new Hearsay();

/** Raw headers for the server, names and values in turn; `Host` is the client's where it names one. */
export function forwardedHeaders(rawHeaders: readonly string[], forwarding: Forwarding): string[] {
  const { facts } = forwarding;
  const headers: string[] = ['Host', facts.authority || forwarding.upstreamHost];
  const hasTracestate = passOn(rawHeaders, headers, facts.peerIsTrusted);
  if (hearsay.connection !== '') dropNamed(headers, hearsay.connection);
  const { traceparent } = hearsay;
  // The state belongs to the trace that is not continued (W3C Trace Context, section 4.3).
  if (hasTracestate && traceparent === null) dropNamed(headers, 'tracestate');
  headers.push(
    'X-Forwarded-For',
    facts.peerIsTrusted && hearsay.forwardedFor !== '' ? `${hearsay.forwardedFor}, ${facts.peer}` : facts.peer,
    'X-Forwarded-Proto',
    facts.peerIsTrusted && hearsay.forwardedProto !== '' ? hearsay.forwardedProto : facts.connectionScheme,
    'X-Request-Id',
    forwarding.requestId,
    'traceparent',
    traceparent ?? newTraceparent(),
  );
  const publicHost = facts.peerIsTrusted && hearsay.forwardedHost !== '' ? hearsay.forwardedHost : facts.authority;
  if (publicHost !== '') headers.push('X-Forwarded-Host', publicHost);
  for (const text of forwarding.decisionHeaders) headers.push(text);
  return headers;
}

/** Adds what goes on as the client sent it, and leaves the rest with `hearsay`; whether a `tracestate` was among it. */
function passOn(rawHeaders: readonly string[], headers: string[], isTrusted: boolean): boolean {
  hearsay.forget();
  let hasTracestate = false;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    const value = rawHeaders[i + 1]!;
    const treatment = treatmentOf(name);
    switch (treatment) {
      case 'keep':
        headers.push(name, value);
        break;
      case 'te':
        if (/(?:^|,)\s*trailers\s*(?:,|;|$)/i.test(value)) headers.push(name, 'trailers');
        break;
      case 'forwarded':
        if (isTrusted) headers.push(name, value);
        break;
      case 'tracestate':
        hasTracestate = true;
        headers.push(name, value);
        break;
      default:
        hearsay.take(treatment, value);
    }
  }
  return hasTracestate;
}

/** Raw trailers for the server, less what it could take for the gateway's word, or for framing; null where none are left. */
export function forwardedTrailers(rawTrailers: readonly string[] | null): string[] | null {
  const trailers = passedTrailers(rawTrailers);
  const own = trailers?.filter((_, index) => treatmentOf(trailers[index & ~1]!) === 'keep') ?? [];
  return own.length === 0 ? null : own;
}
