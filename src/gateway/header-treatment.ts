// What becomes of each header of a client, told by its name alone.
import { isHopByHop } from './hop-by-hop.ts';
import { NameCache } from './upstream/name-cache.ts';

/** `keep`: passed on as it is; `drop`: not passed on; else what its name says, which is read before it is passed on. */
export type Treatment =
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

/** What becomes of the header with this name, in whatever case. */
export function treatmentOf(name: string): Treatment {
  const known = classified.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  return classified.add(name, lower.includes('_') ? lookAlike(lower.replaceAll('_', '-')) : ruleFor(lower));
}

function ruleFor(lower: string): Treatment {
  return treatments[lower] ?? (isHopByHop(lower) || lower.startsWith('x-graygate-') ? 'drop' : otherForwarded(lower));
}

/** CGI and its like read `X_Forwarded_For` as the header that the gateway vouches for (RFC 3875, 4.1.18). */
function lookAlike(dashed: string): Treatment {
  return ruleFor(dashed) === 'keep' ? 'keep' : 'drop';
}

/** `X-Forwarded-Port` and its kin say what only a trusted proxy may say, as `Forwarded` does. */
function otherForwarded(lower: string): Treatment {
  return lower.startsWith('x-forwarded-') ? 'forwarded' : 'keep';
}
