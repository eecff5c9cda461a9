// `graygate simulate`: which users get which version at each stage, and whom an edited policy would move.
import { Command } from 'commander';
import { GraygateError } from '../errors.ts';
import { assignUsers } from '../rollout/assign-users.ts';
import type { Policy, Rollout } from '../rollout/policy.ts';
import type { CommandContext } from './command-context.ts';
import { configOption, type ConfigOptions } from './config-option.ts';
import { wholeNumber } from './option-readers.ts';
import { policyIn, policyOf, rolloutOf } from './rollout-argument.ts';
import { type Simulated, simulatedLines, simulatedReport } from './simulate-text.ts';
import { loggedUsers, madeUpUsers, usersOfRollout } from './user-source.ts';

type SimulateOptions = ConfigOptions & {
  readonly users?: number;
  readonly log?: string;
  readonly against?: string;
  readonly json: boolean;
};

const notes = `
Decides for every user as the gateway would, at each stage of each rollout. --log takes graygate's own access log (JSON
lines with "user"; logging.access in the policy) or a file with one ID a line. Rules are asked with nothing but the user ID:
what they want to know of headers, paths and the like is absent. --against compares with another policy at the same percent,
stage by stage, because an edit keeps the percent.

Examples:
  graygate simulate --config config/rehearsal.yaml --users 10000
  graygate simulate shop --log access.log --against old.yaml --json`;

/** The verb `simulate`. */
export function simulateVerb(context: CommandContext): Command {
  return new Command('simulate')
    .argument('[rollout]', 'its name; without one: every rollout')
    .addOption(configOption())
    .option('--users <number>', 'simulate so many made-up users', wholeNumber(1, 10_000_000))
    .option('--log <file>', 'simulate the users of an access log, or of a list of IDs')
    .option('--against <file>', 'the policy to compare with')
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', notes)
    .action((name: string | undefined, options: SimulateOptions) => run(name, options, context));
}

async function run(name: string | undefined, options: SimulateOptions, context: CommandContext): Promise<void> {
  if ((options.users === undefined) === (options.log === undefined)) {
    throw new GraygateError('usage', 'expected one of --users and --log');
  }
  const policy = await policyOf(options, context);
  const against = options.against === undefined ? null : await policyIn(options.against, context);
  const asked = name === undefined ? policy.rollouts : [rolloutOf(policy, name)];
  const logged = options.log === undefined ? null : await loggedUsers(options.log);
  const simulated = asked.map((rollout): Simulated => {
    const users = logged === null ? madeUpUsers(options.users ?? 0) : usersOfRollout(logged, rollout.name);
    const other = against === null ? null : sameRolloutIn(against, rollout);
    return { rollout, userCount: users.length, steps: assignUsers(rollout, users, other) };
  });
  const told = { simulated, anonymousCount: logged?.anonymousCount ?? 0 };
  const text = options.json ? JSON.stringify(simulatedReport(told)) : simulatedLines(told).join('\n');
  context.stdout.write(`${text}\n`);
}

function sameRolloutIn({ rollouts }: Policy, { name }: Rollout): Rollout {
  const same = rollouts.find((rollout) => rollout.name === name);
  if (same !== undefined) return same;
  const names = rollouts.map((rollout) => rollout.name).join(', ');
  throw new GraygateError('usage', `the policy to compare with has no rollout "${name}"; it has ${names}`);
}
