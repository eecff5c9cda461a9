// The facts of a request that somebody asks about: what they name, nothing else. Text comes in Unicode and leaves as bytes.
import { randomBytes } from 'node:crypto';
import type { AskedSources, NamedValue } from '../rollout/asked-user.ts';
import type { Facts } from '../rollout/facts.ts';
import { decodePercent, normalizePath } from '../rollout/path.ts';
import type { ByteString } from '../rollout/policy.ts';
import { plainAddress } from './peer.ts';

/** As asked. `path` may bring a query along; what `query` names goes before it. Header names in lower case. */
export type AskedRequest = AskedSources & { readonly method: string; readonly host: string; readonly path: string };

type Pair = readonly [name: ByteString, value: ByteString];

/** The facts of it. An ID that is asked for is random, and the same each time. */
export function factsOf(asked: AskedRequest): Facts {
  const [bare = '', query = ''] = asked.path.split(/\?(.*)/s, 2);
  const queries = firstOfName([...bytesOf(asked.query), ...pairsOf(query)]);
  const [headers, cookies] = [firstOfName(bytesOf(asked.header)), firstOfName(bytesOf(asked.cookie))];
  const claims = new Map(asked.claim.map(({ name, value }) => [name, value]));
  const host = asked.host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  const freshUserId = randomBytes(16).toString('hex');
  return {
    method: asked.method,
    host,
    path: normalizePath(toBytes(bare)),
    ip: plainAddress(asked.ip),
    header: (name) => (name === 'host' ? toBytes(asked.host) : headers.get(name)),
    cookie: (name) => cookies.get(name),
    query: (name) => queries.get(name),
    claim: (name) => {
      const value = claims.get(name);
      return value === undefined ? undefined : toBytes(value);
    },
    freshUserId: () => freshUserId,
  };
}

/** The pairs of a query as written. */
function pairsOf(query: string): Pair[] {
  const pairs = toBytes(query)
    .split('&')
    .filter((pair) => pair !== '');
  return pairs.map((pair) => {
    const [name = '', value = ''] = pair.split(/=(.*)/s, 2);
    return [decodePercent(name), decodePercent(value)];
  });
}

function bytesOf(texts: readonly NamedValue[]): Pair[] {
  return texts.map(({ name, value }) => [toBytes(name), toBytes(value)]);
}

/** A map keeps the last of a name, so they go in from behind. */
function firstOfName(pairs: readonly Pair[]): ReadonlyMap<ByteString, ByteString> {
  return new Map(pairs.toReversed());
}

function toBytes(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1');
}
