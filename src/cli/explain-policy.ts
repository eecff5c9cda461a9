// What the policy in a file says of a request, by the gateway's own reading of requests and its own decision.
import { loadPolicy } from '../config/load-policy.ts';
import { PolicyError } from '../config/policy-error.ts';
import { GraygateError } from '../errors.ts';
import { RequestFacts } from '../gateway/facts.ts';
import { bearerTokenOf, createTokenVerifier } from '../gateway/tokens.ts';
import { nameOfSource, placeUser } from '../rollout/asked-user.ts';
import type { CompiledRollout } from '../rollout/compiled-rollout.ts';
import { explain, explainRollout, type Explanation } from '../rollout/explain.ts';
import { compileRollouts, matchRollout, type RolloutTable } from '../rollout/matching.ts';
import type { Policy, Rollout } from '../rollout/policy.ts';
import type { Split } from '../rollout/split.ts';
import type { CommandContext } from './command-context.ts';
import { type ConfigOptions, policyFileOf } from './config-option.ts';
import { buildRequest, type RequestOptions } from './explain-request.ts';
import { type StageChoice, stagesOfUser, type StagesOfUser, standingIn } from './explain-stages.ts';

/** What is asked. `rollout`: this one, whether it takes the request or not. */
export type Asked = ConfigOptions &
  RequestOptions &
  StageChoice & { readonly user?: string; readonly rollout?: string };

/** `userIn`: where the ID of `--user` went; `stages` null: there are none, or they do not matter. */
export type PolicyAnswer = Explanation & { readonly userIn: string | null; readonly stages: StagesOfUser | null };

/** Throws the problems of a policy that is not valid, and `usage` for what it does not have. */
export async function explainByPolicy(asked: Asked, context: CommandContext): Promise<PolicyAnswer> {
  const loaded = await loadPolicy(await policyFileOf(asked, context), context.env);
  if (!loaded.ok) throw new PolicyError(loaded.problems);
  const table = compileRollouts(loaded.policy);
  const { taker, facts, userIn } = await requestOf(loaded.policy, table, asked);
  const splitOf = (rollout: Rollout): Split => standingIn(rollout, asked).split;
  const isNamed = taker !== null && asked.rollout !== undefined;
  const explanation = isNamed ? explainRollout(taker, splitOf(taker.rollout), facts) : explain(table, splitOf, facts);
  const stages = taker === null ? null : stagesOfUser(taker.rollout, standingIn(taker.rollout, asked), explanation);
  return { ...explanation, userIn, stages };
}

type Request = {
  /** Null: no rollout takes it. */
  readonly taker: CompiledRollout | null;
  readonly facts: RequestFacts;
  readonly userIn: string | null;
};

/** The request is built twice where `--user` is given: which rollout takes it says where the ID belongs. */
async function requestOf(policy: Policy, table: RolloutTable, asked: Asked): Promise<Request> {
  const plain = factsOf(asked, policy);
  const taker = asked.rollout === undefined ? matchRollout(table, plain) : rolloutNamed(table, asked.rollout);
  const source = taker?.rollout.user.from[0];
  if (taker === null || source === undefined || asked.user === undefined) {
    if (taker !== null) await verifyToken(plain, taker.rollout);
    return { taker, facts: plain, userIn: null };
  }
  const facts = factsOf(placeUser(asked, source, asked.user), policy);
  await verifyToken(facts, taker.rollout);
  return { taker, facts, userIn: nameOfSource(source) };
}

function factsOf(options: RequestOptions, { trustedProxies }: Policy): RequestFacts {
  const { request, claims } = buildRequest(options);
  const facts = new RequestFacts(request, trustedProxies);
  facts.claims = claims;
  return facts;
}

function rolloutNamed({ rollouts }: RolloutTable, name: string): CompiledRollout {
  const named = rollouts.find(({ rollout }) => rollout.name === name);
  if (named) return named;
  const names = rollouts.map(({ rollout }) => rollout.name).join(', ');
  throw new GraygateError('usage', `there is no rollout "${name}"; expected one of ${names}`);
}

/** As the gateway does it: a bearer token among the headers counts when it is genuine, beside what `--claim` says. */
async function verifyToken(facts: RequestFacts, { user }: Rollout): Promise<void> {
  const token = user.jwt === null ? null : bearerTokenOf(facts.header('authorization'));
  if (user.jwt === null || token === null) return;
  const verified = await createTokenVerifier(user.jwt)(token);
  if (verified !== null) facts.claims = { ...verified, ...facts.claims };
}
