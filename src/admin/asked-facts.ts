// The facts of a request that somebody asks about: what they name, nothing else. Text comes in Unicode and leaves as bytes.
import { randomBytes } from 'node:crypto';
import { readable } from '../rollout/condition-text.ts';
import type { Facts } from '../rollout/facts.ts';
import { decodePercent, normalizePath } from '../rollout/path.ts';
import type { ByteString, IdentitySource } from '../rollout/policy.ts';
import { plainAddress } from './peer.ts';

/** As asked. `path` may bring a query along; what `query` names goes before it. Header names in lower case. */
export type AskedRequest = {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly ip: string;
  readonly header: ReadonlyMap<string, string>;
  readonly cookie: ReadonlyMap<string, string>;
  readonly query: ReadonlyMap<string, string>;
  readonly claim: ReadonlyMap<string, string>;
};

/** The same request with the user's ID where `source` looks for it. */
export function placeUser(asked: AskedRequest, source: IdentitySource, user: string): AskedRequest {
  if (source.kind === 'ip') return { ...asked, ip: user };
  if (source.kind === 'jwt') return { ...asked, claim: new Map([...asked.claim, [source.claim, user]]) };
  return { ...asked, [source.kind]: new Map([...asked[source.kind], [readable(source.name), user]]) };
}

/** A source as a policy writes it: `header:x-user-id`. */
export function nameOfSource(source: IdentitySource): string {
  if (source.kind === 'ip') return 'ip';
  return source.kind === 'jwt' ? `jwt:${source.claim}` : `${source.kind}:${readable(source.name)}`;
}

/** The facts of it. An ID that is asked for is random, and the same each time. */
export function factsOf(asked: AskedRequest): Facts {
  const [bare = '', query = ''] = asked.path.split(/\?(.*)/s, 2);
  const queries = new Map([...pairsOf(query), ...bytesOf(asked.query)]);
  const [headers, cookies, claims] = [bytesOf(asked.header), bytesOf(asked.cookie), asked.claim];
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

/** Pairs of a query as written, the first of a name last, so that it stays in a map. */
function pairsOf(query: string): [ByteString, ByteString][] {
  const pairs = toBytes(query)
    .split('&')
    .filter((pair) => pair !== '');
  return pairs.toReversed().map((pair) => {
    const [name = '', value = ''] = pair.split(/=(.*)/s, 2);
    return [decodePercent(name), decodePercent(value)];
  });
}

function bytesOf(texts: ReadonlyMap<string, string>): Map<ByteString, ByteString> {
  return new Map(Array.from(texts, ([name, value]) => [toBytes(name), toBytes(value)]));
}

function toBytes(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1');
}
