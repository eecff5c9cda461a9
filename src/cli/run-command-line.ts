// From arguments to an exit code: finds the verb, runs it, and says what was wrong with the command line.
import { Command, CommanderError, Help, Option } from 'commander';
import { PolicyError } from '../config/policy-error.ts';
import { formatProblem } from '../config/problem.ts';
import { GraygateError } from '../errors.ts';
import { graygateVersion } from '../version.ts';
import type { CommandContext, ExitCode } from './command-context.ts';
import { verbs } from './verbs.ts';

const elsewhere = '; if it runs elsewhere, name its admin port with --url or GRAYGATE_URL';

/** `args` without the program's name. Rejects only for what is a fault of graygate itself. */
export async function runCommandLine(
  args: readonly string[],
  surroundings: Omit<CommandContext, 'finish'>,
): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const context: CommandContext = { ...surroundings, finish: (code) => (exitCode = code) };
  try {
    const program = programOf(context);
    const given = withoutHelpVerb(args);
    await addVerbs(program, given, context);
    await program.parseAsync(given, { from: 'user' });
  } catch (error) {
    return exitCodeOf(error, context);
  }
  return exitCode;
}

function programOf({ stdout, stderr }: CommandContext): Command {
  return new Command('graygate')
    .description('A reverse-proxy gateway for gray (canary) releases.')
    .usage('VERB [options]')
    .version(graygateVersion, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .commandsGroup('Verbs:')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'graygate: ')),
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
    })
    .configureHelp({ optionDescription, subcommandTerm: (verb) => verb.name() })
    .addHelpText('after', '\ngraygate VERB --help shows what a verb takes, with an example.');
}

/** `help VERB` is another way to say `VERB --help`. */
function withoutHelpVerb(args: readonly string[]): readonly string[] {
  const [first, verb] = args;
  if (first !== 'help') return args;
  if (verb === undefined) return ['--help'];
  return Object.hasOwn(verbs, verb) ? [verb, '--help'] : [verb];
}

/** The verb that is asked for as it is, the others by name only, for the list of them. */
async function addVerbs(program: Command, args: readonly string[], context: CommandContext): Promise<void> {
  const asked = args.find((arg) => !arg.startsWith('-'));
  for (const [name, { does, load }] of Object.entries(verbs)) {
    const verb = name === asked ? (await load())(context) : new Command(name);
    program.addCommand(verb.description(does).copyInheritedSettings(program));
  }
}

/** Where nothing is what an option has by default, the help does not say so. */
function optionDescription(option: Option): string {
  const { defaultValue: value, flags, description } = option;
  const isNothing = value === false || (Array.isArray(value) && value.length === 0);
  return new Help().optionDescription(isNothing ? new Option(flags, description) : option);
}

function exitCodeOf(error: unknown, { stderr }: CommandContext): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (!(error instanceof GraygateError) || error.code === 'internal') throw error;
  if (error instanceof PolicyError) stderr.write(error.problems.map((each) => `${formatProblem(each)}\n`).join(''));
  else stderr.write(`graygate: ${error.message}${error.code === 'unreachable' ? elsewhere : ''}\n`);
  if (error.code === 'usage') return 2;
  return error.code === 'unreachable' ? 3 : 1;
}
