// `graygate status`: where the rollouts of a running gateway stand, now, all the time, or until one has ended.
import { Command } from 'commander';
import { GraygateError } from '../errors.ts';
import { AdminClient } from './admin-client.ts';
import type { CommandContext } from './command-context.ts';
import { followRollouts } from './follow-rollouts.ts';
import { addGatewayOptions, endpointOf, type GatewayOptions } from './gateway-option.ts';
import { readDuration } from './option-readers.ts';
import { canvasOf, isScreen } from './paint.ts';
import { rolloutName } from './rollout-name.ts';
import { printChanges, printJsonLines, redrawLooks, statusLines, type Teller } from './status-live.ts';
import { rolloutToWaitFor, waitForEnd, type WaitOptions } from './status-wait.ts';

type StatusOptions = GatewayOptions & {
  readonly watch: boolean;
  readonly wait: boolean;
  readonly release?: string;
  readonly timeout?: number;
  readonly json: boolean;
};

const notes = `
Shows one rollout in full (the only one, or the one that is named), of several a row each. Figures are of the last minute.
--watch draws it anew each second on a terminal; elsewhere it prints a line for each change.
--wait ends when the rollout has ended and exits 0 when it is promoted, 1 when it is rolled back. A paused one has not ended.
With --json one object; with --watch or --wait one a line, whenever something has changed.
Exits 3 when no gateway answers; --wait bears that for a minute, as when the gateway restarts.

Examples:
  graygate status
  graygate status shop --watch
  graygate status shop --wait --release 2.4.0 --timeout 2h`;

/** The verb `status`. */
export function statusVerb(context: CommandContext): Command {
  const verb = new Command('status')
    .argument('[rollout]', 'the rollout, of several', rolloutName)
    .option('-w, --watch', 'go on showing it', false)
    .option('--wait', 'until the rollout has ended; the exit code says how', false)
    .option('--release <release>', 'with --wait: the release that must end, when its policy may not be in force yet')
    .option('--timeout <time>', 'with --wait: exit 1 when it has not ended after a time such as 30m', readDuration)
    .option('--json', 'print JSON', false);
  return addGatewayOptions(verb)
    .addHelpText('after', notes)
    .action((name: string | undefined, options: StatusOptions) => status(name ?? null, options, context));
}

async function status(name: string | null, options: StatusOptions, context: CommandContext): Promise<void> {
  if (!options.wait && (options.release ?? options.timeout) !== undefined) {
    throw new GraygateError('usage', 'expected --release and --timeout together with --wait');
  }
  const client = new AdminClient(endpointOf(options, context), context.stop);
  if (options.wait) {
    const asked = { name: await rolloutToWaitFor(client, name), ...waitOptionsOf(options) };
    return waitForEnd(client, asked, tellerOf(options, context), context);
  }
  if (options.watch) {
    const tell = tellerOf(options, context);
    for await (const look of followRollouts(client, name, context.stop)) tell(look);
    return;
  }
  const rollouts = name === null ? await client.rollouts() : [await client.rollout(name)];
  const { stdout } = context;
  if (options.json) stdout.write(`${JSON.stringify(name === null ? { rollouts } : rollouts[0])}\n`);
  else stdout.write(`${statusLines(rollouts, canvasOf(stdout, context)).join('\n')}\n`);
}

function waitOptionsOf({ release, timeout }: StatusOptions): WaitOptions {
  return { release: release ?? null, timeoutMs: timeout ?? null };
}

function tellerOf({ json, watch: isWatched }: StatusOptions, context: CommandContext): Teller {
  if (json) return printJsonLines(context);
  return isWatched && isScreen(context.stdout, context) ? redrawLooks(context) : printChanges(context);
}
