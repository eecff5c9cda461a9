// `graygate serve`: the gateway in this process until it is asked to end.
import { Command } from 'commander';
import { type RunningGateway, startGateway } from '../app.ts';
import type { CommandContext } from './command-context.ts';
import { configOption, type ConfigOptions, policyFileOf } from './config-option.ts';
import { untilAborted } from './until-aborted.ts';

const notes = `
Logs JSON lines on stdout; the one with "msg":"graygate is ready" says where it listens. Policy errors go to stderr.
The policy is taken anew when its file changes, or on SIGHUP. SIGTERM and SIGINT let requests under way end
(timeouts.drain), then exit 0; a second one ends the process at once.

Example:
  graygate serve --config config/minimal.yaml`;

/** The verb `serve`. */
export function serveVerb(context: CommandContext): Command {
  return new Command('serve')
    .addOption(configOption())
    .addHelpText('after', notes)
    .action(async (options: ConfigOptions) => serve(await policyFileOf(options, context), context));
}

async function serve(configFile: string, context: CommandContext): Promise<void> {
  const logger = context.openLog();
  let gateway: RunningGateway | undefined;
  context.onHangUp(() => {
    gateway?.reload().catch((error: unknown) => logger.error({ err: error }, 'the policy was not reloaded'));
  });
  gateway = await startGateway({ configFile, env: context.env, logger });
  await untilAborted(context.stop);
  await gateway.close();
}
