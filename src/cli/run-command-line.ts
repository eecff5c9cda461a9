// From arguments to an exit code: finds the verb, runs it, and says what was wrong with the command line.
import { Command, CommanderError } from 'commander';
import { graygateVersion, PolicyError } from '../app.ts';
import { formatProblem } from '../config/problem.ts';
import { GraygateError } from '../errors.ts';
import { actionVerbs } from './actions.ts';
import type { CommandContext, ExitCode } from './command-context.ts';
import { demoVerb } from './demo.ts';
import { experimentVerb } from './experiment.ts';
import { explainVerb } from './explain.ts';
import { planVerb } from './plan.ts';
import { rehearseVerb } from './rehearse.ts';
import { serveVerb } from './serve.ts';
import { simulateVerb } from './simulate.ts';
import { statusVerb } from './status.ts';
import { validateVerb } from './validate.ts';

const verbs = [
  serveVerb,
  demoVerb,
  validateVerb,
  explainVerb,
  planVerb,
  rehearseVerb,
  simulateVerb,
  statusVerb,
  experimentVerb,
  ...actionVerbs,
];

/** `args` without the program's name. Rejects only for what is a fault of graygate itself. */
export async function runCommandLine(
  args: readonly string[],
  surroundings: Omit<CommandContext, 'finish'>,
): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const context: CommandContext = { ...surroundings, finish: (code) => (exitCode = code) };
  const program = new Command('graygate')
    .description('A reverse-proxy gateway for gray (canary) releases.')
    .usage('VERB [options]')
    .version(graygateVersion)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'graygate: ')),
      getOutHelpWidth: () => context.stdout.columns ?? 100,
      getErrHelpWidth: () => context.stderr.columns ?? 100,
    })
    .addHelpText('after', '\ngraygate VERB --help shows what a verb takes, with an example.');
  for (const verb of verbs) program.addCommand(verb(context).copyInheritedSettings(program));
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    return exitCodeOf(error, context);
  }
  return exitCode;
}

function exitCodeOf(error: unknown, { stderr }: CommandContext): ExitCode {
  if (error instanceof CommanderError) return error.code === 'commander.help' || error.exitCode !== 0 ? 2 : 0;
  if (!(error instanceof GraygateError) || error.code === 'internal') throw error;
  if (error instanceof PolicyError) stderr.write(error.problems.map((each) => `${formatProblem(each)}\n`).join(''));
  else stderr.write(`graygate: ${error.message}\n`);
  if (error.code === 'usage') return 2;
  return error.code === 'unreachable' ? 3 : 1;
}
