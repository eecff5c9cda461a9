// `graygate explain`: which version a request would get, and why, without sending it.
import { Command } from 'commander';
import { GraygateError } from '../errors.ts';
import { AdminClient } from './admin-client.ts';
import type { CommandContext } from './command-context.ts';
import { configOption, type ConfigOptions } from './config-option.ts';
import { explainByGateway } from './explain-gateway.ts';
import { explainByPolicy } from './explain-policy.ts';
import type { RequestOptions } from './explain-request.ts';
import type { StageChoice } from './explain-stages.ts';
import { explanationLines } from './explain-text.ts';
import { addGatewayOptions, endpointOf, type GatewayOptions } from './gateway-option.ts';
import { readSplitPercent } from './option-readers.ts';
import { collectNamedValue } from './repeated-option.ts';

type ExplainOptions = ConfigOptions &
  GatewayOptions &
  RequestOptions &
  StageChoice & { readonly user?: string; readonly rollout?: string; readonly json: boolean };

const notes = `
--user gives the ID to the first source of the identity chain of the rollout that takes the request, whatever kind that
is: a header, a cookie, a query parameter, a claim, an address.
By the policy file a rollout with stages is taken to be at its first stage, or where --stage or --percent put it, and it
is said from which percent on the user has the new version. With --url the gateway that runs there says what it would do
now; tokens are not looked at then, give their claims with --claim. Exits 1 when no rollout takes the request.

Examples:
  graygate explain --config config/minimal.yaml --user u-42
  graygate explain --config config/demo.yaml --user u-42 --stage half
  graygate explain --url http://127.0.0.1:9090 --user u-42
  graygate explain --user 李雷 --header x-city=shenzhen --path /item/7 --host shop.example.com`;

/** The verb `explain`. */
export function explainVerb(context: CommandContext): Command {
  const verb = new Command('explain')
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
    .option('--stage <name>', 'as if the rollout were at this stage, or "bake" (of a range: at its first percent)')
    .option('--percent <percent>', 'as if the new version had so many of the users', readSplitPercent)
    .option('--json', 'print one JSON object', false);
  return addGatewayOptions(verb, 'ask the gateway with this admin port, not the policy')
    .addHelpText('after', notes)
    .action((options: ExplainOptions) => run(options, context));
}

async function run(options: ExplainOptions, context: CommandContext): Promise<void> {
  refuseContradictions(options);
  const { answer, gateway } = await ask(options, context);
  const text = options.json ? JSON.stringify(answer) : explanationLines(answer, gateway).join('\n');
  context.stdout.write(`${text}\n`);
  if (answer.decision === null) context.finish(1);
}

async function ask(options: ExplainOptions, context: CommandContext) {
  if (options.url === undefined) return { answer: await explainByPolicy(options, context), gateway: null };
  const endpoint = endpointOf(options, context);
  const answer = await explainByGateway(options, new AdminClient(endpoint, context.stop));
  return { answer: { ...answer, stages: null }, gateway: endpoint.base.origin };
}

function refuseContradictions({ url, config, stage, percent }: ExplainOptions): void {
  if (url !== undefined && (config ?? stage ?? percent) !== undefined) {
    throw new GraygateError('usage', 'expected --url without --config, --stage and --percent: the gateway knows them');
  }
  if (stage !== undefined && percent !== undefined) {
    throw new GraygateError('usage', 'expected one of --stage and --percent');
  }
}
