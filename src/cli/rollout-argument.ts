// Which rollout of the policy a verb works on: the one that is named, or the only one there is.
import { loadPolicy } from '../config/load-policy.ts';
import { PolicyError } from '../config/policy-error.ts';
import { GraygateError } from '../errors.ts';
import type { Policy, Rollout } from '../rollout/policy.ts';
import type { CommandContext } from './command-context.ts';
import { type ConfigOptions, policyFileOf } from './config-option.ts';

/** The policy that the options name. Throws its problems where it is not valid. */
export async function policyOf(options: ConfigOptions, context: CommandContext): Promise<Policy> {
  return policyIn(await policyFileOf(options, context), context);
}

/** The policy in a file. Throws its problems where it is not valid. */
export async function policyIn(file: string, { env }: Pick<CommandContext, 'env'>): Promise<Policy> {
  const loaded = await loadPolicy(file, env);
  if (!loaded.ok) throw new PolicyError(loaded.problems);
  return loaded.policy;
}

/** The rollout of this name, or without a name the only one. Throws `usage` where there is no such rollout. */
export function rolloutOf({ rollouts }: Policy, name: string | undefined): Rollout {
  const named = name === undefined && rollouts.length === 1 ? rollouts[0] : rollouts.find((each) => each.name === name);
  if (named !== undefined) return named;
  const names = rollouts.map((rollout) => rollout.name).join(', ');
  const found = name === undefined ? 'several rollouts; name one' : `no rollout "${name}"; expected one`;
  throw new GraygateError('usage', `the policy has ${found} of ${names}`);
}
