// `graygate plan`: what a rollout would take at a given traffic, computed in a moment, before anything is released.
import { Command } from 'commander';
import type { ExpectedTraffic } from '../rollout/plan-check.ts';
import { planStages, planWarnings, usualHarms } from '../rollout/plan-stages.ts';
import type { Rollout } from '../rollout/policy.ts';
import { AdminClient } from './admin-client.ts';
import type { CommandContext } from './command-context.ts';
import { configOption, type ConfigOptions } from './config-option.ts';
import {
  addExperimentOptions,
  experimentPlan,
  type ExperimentOptions,
  type ExperimentPlan,
} from './experiment-plan.ts';
import { addGatewayOptions, endpointOf, type GatewayOptions } from './gateway-option.ts';
import { type Plan, planLines, planReport } from './plan-text.ts';
import { policyOf, rolloutOf } from './rollout-argument.ts';
import { addTrafficOptions, latencyOf, type TrafficOptions } from './traffic-options.ts';

type PlanOptions = ConfigOptions &
  TrafficOptions &
  ExperimentOptions &
  GatewayOptions & { readonly strict: boolean; readonly json: boolean };

const notes = `
Says for each stage how long it takes to prove that a good release is not worse, and how soon a bad one is stopped that
shows itself there; --harm asks for one size instead of the usual ones. Warns of stages that prove nothing within maxHold;
with --strict it exits 1 for them. These are averages: rehearse shows how much real rollouts differ from them.
With --lift also how many users and days an experiment needs to find a lift of that size: from what a running gateway has
counted (--url, or $GRAYGATE_URL), else from --conversion, --retention and --order-value.

Examples:
  graygate plan default --config config/rehearsal.yaml --rps 200 --error-rate 0.1
  graygate plan strict --config config/rehearsal.yaml --rps 20 --harm errors=5 --strict
  graygate plan default --config config/rehearsal.yaml --rps 200 --lift 10 --conversion 5 --users-per-day 20000`;

/** The verb `plan`. */
export function planVerb(context: CommandContext): Command {
  const command = new Command('plan').argument('[rollout]', 'its name, where the policy has several');
  return addGatewayOptions(addExperimentOptions(addTrafficOptions(command.addOption(configOption()))))
    .option('--strict', 'exit 1 when a stage can prove nothing', false)
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', notes)
    .action((name: string | undefined, options: PlanOptions) => run(name, options, context));
}

async function run(name: string | undefined, options: PlanOptions, context: CommandContext): Promise<void> {
  const rollout = rolloutOf(await policyOf(options, context), name);
  const { rps: requestsPerSecond, users: userCount, errorRate: failureRate, harm } = options;
  const traffic: ExpectedTraffic = { requestsPerSecond, userCount, failureRate, latency: latencyOf(options) };
  const sizes = harm === undefined ? usualHarms(failureRate) : [harm];
  const plan: Plan = {
    rollout,
    traffic,
    stages: planStages(rollout.staging, traffic, sizes),
    warnings: planWarnings(rollout.staging, traffic),
    experiment: await experimentOf(rollout, options, context),
  };
  const text = options.json ? JSON.stringify(planReport(plan)) : planLines(plan).join('\n');
  context.stdout.write(`${text}\n`);
  if (options.strict && plan.warnings.length > 0) context.finish(1);
}

/** Null where no lift is asked for. A gateway is asked when the command line names it, or the environment does and no rate is given. */
async function experimentOf(
  rollout: Rollout,
  options: PlanOptions,
  context: CommandContext,
): Promise<ExperimentPlan | null> {
  const { lift, url, conversion, retention, orderValue } = options;
  if (lift === undefined) return null;
  const isGiven = [conversion, retention, orderValue].some((rate) => rate !== undefined);
  const isNamed = url !== undefined || (!isGiven && Boolean(context.env['GRAYGATE_URL']));
  if (!isNamed) return experimentPlan(rollout, { ...options, lift }, null);
  const client = new AdminClient(endpointOf(options, context), context.stop);
  return experimentPlan(rollout, { ...options, lift }, await client.experiment(rollout.name, null));
}
