// `graygate explain`: which version a request would get, and why, without sending anything.
import { Command } from 'commander';
import { loadPolicy } from '../config/load-policy.ts';
import { PolicyError } from '../config/policy-error.ts';
import { GraygateError } from '../errors.ts';
import { RequestFacts } from '../gateway/facts.ts';
import { bearerTokenOf, createTokenVerifier } from '../gateway/tokens.ts';
import type { CompiledRollout } from '../rollout/compiled-rollout.ts';
import { explain, explainRollout, type Explanation } from '../rollout/explain.ts';
import { compileRollouts, matchRollout, type RolloutTable } from '../rollout/matching.ts';
import type { Policy, Rollout } from '../rollout/policy.ts';
import { layOutSplit, type Split } from '../rollout/split.ts';
import type { CommandContext } from './command-context.ts';
import { configOption, type ConfigOptions, policyFileOf } from './config-option.ts';
import { buildRequest, nameOfSource, placeUser, type RequestOptions } from './explain-request.ts';
import { explanationLines } from './explain-text.ts';
import { collectNamedValue } from './repeated-option.ts';

type ExplainOptions = ConfigOptions &
  RequestOptions & { readonly user?: string; readonly rollout?: string; readonly json: boolean };

/** What is asked: of whom (null: nobody takes the request) and with which facts. `userIn`: where `--user` went. */
type Question = {
  readonly asked: CompiledRollout | null;
  readonly facts: RequestFacts;
  readonly userIn: string | null;
};

const notes = `
--user gives the ID to the first source of the identity chain of the rollout that takes the request, whatever kind that
is: a header, a cookie, a query parameter, a claim, an address. The split is the one in the policy file.
Exits 1 when no rollout takes the request.

Examples:
  graygate explain --config config/minimal.yaml --user u-42
  graygate explain --user 李雷 --header x-city=shenzhen --path /item/7 --host shop.example.com`;

/** The verb `explain`. */
export function explainVerb(context: CommandContext): Command {
  return new Command('explain')
    .addOption(configOption())
    .option('-u, --user <id>', 'the user ID')
    .option('--header <name=value>', 'a request header; may be repeated', collectNamedValue, [])
    .option('--cookie <name=value>', 'a cookie; may be repeated', collectNamedValue, [])
    .option('--query <name=value>', 'a query parameter; may be repeated', collectNamedValue, [])
    .option('--claim <name=value>', 'a claim of a verified token; may be repeated', collectNamedValue, [])
    .option('--path <path>', 'the path, with its query if it has one', '/')
    .option('--host <host>', 'the host (default: localhost)')
    .option('--ip <address>', 'the address the connection comes from', '127.0.0.1')
    .option('--method <method>', 'the method', 'GET')
    .option('--rollout <name>', 'ask this rollout, whether it takes the request or not')
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', notes)
    .action((options: ExplainOptions) => run(options, context));
}

async function run(options: ExplainOptions, context: CommandContext): Promise<void> {
  const loaded = await loadPolicy(await policyFileOf(options, context), context.env);
  if (!loaded.ok) throw new PolicyError(loaded.problems);
  const table = compileRollouts(loaded.policy);
  const question = await askedOf(loaded.policy, table, options);
  const explanation = answer(table, question, options.rollout !== undefined);
  const { userIn } = question;
  const text = options.json
    ? JSON.stringify({ ...explanation, userIn })
    : explanationLines(explanation, userIn).join('\n');
  context.stdout.write(`${text}\n`);
  if (explanation.decision === null) context.finish(1);
}

/** The request is built twice where `--user` is given: which rollout takes it says where the ID belongs. */
async function askedOf(policy: Policy, table: RolloutTable, options: ExplainOptions): Promise<Question> {
  const plain = factsOf(options, policy);
  const asked = options.rollout === undefined ? matchRollout(table, plain) : rolloutNamed(table, options.rollout);
  const source = asked?.rollout.user.from[0];
  if (asked === null || source === undefined || options.user === undefined) {
    if (asked !== null) await verifyToken(plain, asked.rollout);
    return { asked, facts: plain, userIn: null };
  }
  const facts = factsOf(placeUser(options, source, options.user), policy);
  await verifyToken(facts, asked.rollout);
  return { asked, facts, userIn: nameOfSource(source) };
}

function answer(table: RolloutTable, { asked, facts }: Question, isChosen: boolean): Explanation {
  if (asked === null || !isChosen) return explain(table, splitOf, facts);
  return explainRollout(asked, splitOf(asked.rollout), facts);
}

/** As the policy says it; where nothing has moved it. */
function splitOf({ versions, split }: Rollout): Split {
  return layOutSplit(versions, split);
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
