// Asking what would be decided about a request, without sending one.
import { isIP } from 'node:net';
import { z } from 'zod';
import { GraygateError } from '../errors.ts';
import { nameOfSource, type NamedValue, placeUser } from '../rollout/asked-user.ts';
import type { CompiledRollout } from '../rollout/compiled-rollout.ts';
import { explain, explainRollout } from '../rollout/explain.ts';
import { matchRollout, type RolloutTable } from '../rollout/matching.ts';
import type { AdminParts, Decider } from './admin-parts.ts';
import { type AdminInstance, problemResponses } from './admin-instance.ts';
import { type AskedRequest, factsOf } from './asked-facts.ts';
import { explanationShape, type ShownExplanation } from './contract-decision.ts';

const givenKinds = ['header', 'cookie', 'query', 'claim'] as const;
const plainKeys = new Set(['rollout', 'user', 'host', 'path', 'method', 'ip']);

const decideQuery = z
  .object({
    rollout: z.string().optional().describe('ask this one, whether it takes the request or not'),
    user: z.string().optional().describe('goes where the rollout looks for the user ID first'),
    host: z.string().default('localhost'),
    path: z.string().startsWith('/').default('/').describe('with its query, if it has one'),
    method: z
      .string()
      .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'expected a method such as GET')
      .default('GET'),
    ip: z
      .string()
      .refine((address) => isIP(address) !== 0, 'expected an IP address')
      .default('127.0.0.1'),
  })
  .catchall(z.string());

type DecideQuery = z.output<typeof decideQuery>;

/** `GET /api/v1/decide`. */
export function addDecideRoutes(app: AdminInstance, { decider }: Pick<AdminParts, 'decider'>): void {
  const schema = {
    tags: ['policy'],
    summary: 'The version a request would get now, and why, step by step; nothing is forwarded',
    description:
      'Further parameters `header.NAME`, `cookie.NAME`, `query.NAME` and `claim.NAME` give the request headers, cookies, query parameters and claims of a verified token.',
    querystring: decideQuery,
    response: { 200: explanationShape, ...problemResponses('invalid-input', 'unknown-rollout') },
  };
  app.get('/api/v1/decide', { config: { role: 'viewer' }, schema }, ({ query }) => decideFor(decider, query));
}

function decideFor(decider: Decider, query: DecideQuery): ShownExplanation {
  const table = decider.table();
  const asked = askedIn(query);
  const named = query.rollout === undefined ? null : rolloutNamed(table, query.rollout);
  const taker = named ?? matchRollout(table, factsOf(asked));
  const source = taker?.rollout.user.from[0];
  const isPlaced = source !== undefined && query.user !== undefined;
  const facts = factsOf(isPlaced ? placeUser(asked, source, query.user!) : asked);
  const splitOf = decider.splitOf.bind(decider);
  const told = named === null ? explain(table, splitOf, facts) : explainRollout(named, splitOf(named.rollout), facts);
  return { ...told, userIn: isPlaced ? nameOfSource(source) : null };
}

function askedIn(query: DecideQuery): AskedRequest {
  const given: Record<(typeof givenKinds)[number], NamedValue[]> = { header: [], cookie: [], query: [], claim: [] };
  for (const [parameter, value = ''] of Object.entries(query)) {
    if (plainKeys.has(parameter)) continue;
    const [kind = '', name = ''] = parameter.split(/\.(.*)/s, 2);
    const known = givenKinds.find((each) => each === kind);
    if (known === undefined || name === '') {
      throw new GraygateError('invalid-input', `querystring: there is no parameter "${parameter}"`);
    }
    // Of a header in two spellings the one that comes later counts.
    given[known].unshift({ name: known === 'header' ? name.toLowerCase() : name, value });
  }
  const { host, path, method, ip } = query;
  return { host, path, method, ip, ...given };
}

function rolloutNamed({ rollouts }: RolloutTable, name: string): CompiledRollout {
  const found = rollouts.find(({ rollout }) => rollout.name === name);
  if (found !== undefined) return found;
  throw new GraygateError('unknown-rollout', `there is no rollout "${name}"`);
}
