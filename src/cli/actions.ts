// `graygate promote`, `rollback`, `pause` and the like: what a person does with a rollout of a running gateway.
import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { actionBodyShape, maxReasonLength, type ShownRollout } from '../admin/contract.ts';
import { GraygateError } from '../errors.ts';
import type { ActionKind } from '../rollout/rollout-event.ts';
import { AdminClient, RefusedError } from './admin-client.ts';
import type { CommandContext } from './command-context.ts';
import { oneLine } from './display-width.ts';
import { addGatewayOptions, endpointOf, type GatewayOptions } from './gateway-option.ts';
import { wholeNumber } from './option-readers.ts';
import { rolloutName } from './rollout-name.ts';
import { sendAction } from './send-action.ts';

type ActionOptions = GatewayOptions & {
  readonly reason: string;
  readonly revision?: number;
  readonly key?: string;
  readonly json: boolean;
};

const examples: Record<ActionKind, string> = {
  promote: 'promote shop --reason "the fix must be out today"',
  rollback: 'rollback shop --reason "the cart shows no prices"',
  pause: 'pause shop --reason lunch',
  resume: 'resume shop --reason "the alert was about something else"',
  advance: 'advance shop --reason "looks good" --revision 7',
  'step-back': 'step-back shop --reason "support hears of slow pages"',
  approve: 'approve shop --reason "checked with sales"',
  retry: 'retry shop --reason "the database is back"',
};

const notes = `
The reason goes into the audit log, together with the name of the token and the figures of the moment.
With --revision it is done only if nothing has happened since that revision, which status shows. A lost answer is asked
for again with the same key, so that nothing is done twice.
Exits 1 when the gateway refuses, with the reason; 3 when no gateway answers.`;

/** The verb of an action. */
export function actionVerb(action: ActionKind): (context: CommandContext) => Command {
  return (context) => verbFor(action, context);
}

function verbFor(action: ActionKind, context: CommandContext): Command {
  const verb = new Command(action)
    .argument('<rollout>', 'the rollout', rolloutName)
    .requiredOption('--reason <text>', 'why, for those who ask later')
    .option('--revision <number>', 'only if the rollout is still at this revision', wholeNumber(0, 999_999_999))
    .option('--key <text>', 'what makes this action one and the same when it is sent again (default: a new one)')
    .option('--json', 'print the rollout as it is then, or the problem, as JSON', false);
  return addGatewayOptions(verb)
    .addHelpText('after', `${notes}\n\nExample:\n  graygate ${examples[action]}`)
    .action((rollout: string, options: ActionOptions) => act({ action, rollout }, options, context));
}

async function act(
  { action, rollout }: { readonly action: ActionKind; readonly rollout: string },
  options: ActionOptions,
  context: CommandContext,
): Promise<void> {
  const { revision = null, key = randomUUID(), json } = options;
  const order = { action, rollout, reason: reasonOf(options), revision, key: keyOf(key) };
  const client = new AdminClient(endpointOf(options, context), context.stop);
  try {
    const done = await sendAction(client, order);
    context.stdout.write(`${json ? JSON.stringify(done) : doneText(done)}\n`);
  } catch (error) {
    if (!json || !(error instanceof RefusedError)) throw error;
    context.stdout.write(`${JSON.stringify(error.problem)}\n`);
    context.finish(1);
  }
}

function reasonOf({ reason }: ActionOptions): string {
  const body = actionBodyShape.safeParse({ reason });
  if (body.success) return body.data.reason;
  throw new GraygateError('usage', `expected --reason as one line of 1 to ${maxReasonLength} characters`);
}

function keyOf(key: string): string {
  if (/^[\x20-\x7e]{1,255}$/.test(key)) return key;
  throw new GraygateError('usage', 'expected --key as 1 to 255 printable ASCII characters');
}

function doneText({ name, state, revision }: ShownRollout): string {
  if (state === null) return `${name}: done, revision ${revision}`;
  return oneLine(`${name}: ${state.reason} (${state.phase}, ${state.percent} %, revision ${revision})`);
}
