// `graygate validate`: is this policy good, and if not, everything that is wrong with it.
import { Command } from 'commander';
import { type LoadResult, loadPolicy } from '../config/load-policy.ts';
import { formatProblem, type Problem } from '../config/problem.ts';
import { placedWarnings } from '../config/warnings.ts';
import { GraygateError } from '../errors.ts';
import type { CommandContext } from './command-context.ts';
import { configOption, type ConfigOptions, policyFileOf } from './config-option.ts';

type ValidateOptions = ConfigOptions & { readonly strict: boolean; readonly json: boolean };

type Report = {
  readonly file: string;
  readonly valid: boolean;
  readonly problems: readonly Problem[];
  /** Present with --strict only. */
  readonly warnings?: readonly Problem[];
};

const notes = `
Prints each problem on stderr as FILE:LINE:COLUMN: PATH: what is wrong; what would be right, and exits 1.
With --strict it also warns of what is valid and probably not meant; warnings do not fail: the exit code stays 0.
With --json it prints {"file", "valid", "problems", "warnings"} on stdout and nothing on stderr.

Examples:
  graygate validate config/minimal.yaml
  graygate validate --strict --config config/minimal.yaml`;

/** The verb `validate`. */
export function validateVerb(context: CommandContext): Command {
  return new Command('validate')
    .argument('[file]', 'the policy, if it is not named with --config')
    .addOption(configOption())
    .option('--strict', 'also warn of what is valid and probably not meant', false)
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', notes)
    .action((file: string | undefined, options: ValidateOptions) => validate(file, options, context));
}

async function validate(
  argument: string | undefined,
  options: ValidateOptions,
  context: CommandContext,
): Promise<void> {
  if (argument !== undefined && options.config !== undefined) {
    throw new GraygateError('usage', 'expected one policy, got one as argument and one with --config');
  }
  const file = argument ?? (await policyFileOf(options, context));
  const report = reportOn(file, await loadPolicy(file, context.env), options.strict);
  if (options.json) context.stdout.write(`${JSON.stringify(report)}\n`);
  else tell(report, context);
  if (!report.valid) context.finish(1);
}

function reportOn(file: string, loaded: LoadResult, strict: boolean): Report {
  if (!loaded.ok) return { file, valid: false, problems: loaded.problems, ...(strict ? { warnings: [] } : {}) };
  return { file, valid: true, problems: [], ...(strict ? { warnings: placedWarnings(loaded) } : {}) };
}

function tell({ file, valid, problems, warnings = [] }: Report, { stdout, stderr }: CommandContext): void {
  for (const problem of problems) stderr.write(`${formatProblem(problem)}\n`);
  for (const { problem, ...place } of warnings) {
    stderr.write(`${formatProblem({ ...place, problem: `warning: ${problem}` })}\n`);
  }
  const warned = warnings.length === 0 ? '' : `, with ${countOf(warnings.length, 'warning')}`;
  if (valid) stdout.write(`${file} is valid${warned}\n`);
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
