// Which policy a verb works on: named on the command line, by the environment, or the usual place.
import { access } from 'node:fs/promises';
import { Option } from 'commander';
import { GraygateError } from '../errors.ts';
import type { CommandContext } from './command-context.ts';

const defaultFile = 'config/graygate.yaml';

/** What `configOption` leaves in a verb's options. */
export type ConfigOptions = { readonly config?: string };

/** `-c, --config FILE` of every verb that reads a policy. */
export function configOption(): Option {
  return new Option('-c, --config <file>', `the policy (default: $GRAYGATE_CONFIG, else ${defaultFile})`);
}

/** The policy file that was asked for. Throws `policy-unreadable` where none was named and there is none in the usual place. */
export async function policyFileOf(options: ConfigOptions, { env }: Pick<CommandContext, 'env'>): Promise<string> {
  const named = options.config ?? env['GRAYGATE_CONFIG'] ?? '';
  if (named !== '') return named;
  await access(defaultFile).catch((cause: unknown) => {
    const message = `expected a policy at ${defaultFile}, found none; name yours with --config FILE or GRAYGATE_CONFIG`;
    throw new GraygateError('policy-unreadable', message, { cause });
  });
  return defaultFile;
}
