// `graygate experiment`: which version is better for the business, as a running gateway has counted it.
import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { GraygateError } from '../errors.ts';
import { reportLanguages, type ReportLanguage } from '../rollout/experiment-report/words.ts';
import { AdminClient } from './admin-client.ts';
import type { CommandContext } from './command-context.ts';
import { experimentLines } from './experiment-text.ts';
import { addGatewayOptions, endpointOf, type GatewayOptions } from './gateway-option.ts';
import { canvasOf } from './paint.ts';
import { rolloutName } from './rollout-name.ts';

type ExperimentOptions = GatewayOptions & {
  readonly release?: string;
  readonly json: boolean;
  readonly csv: boolean;
  readonly html: boolean;
  readonly lang: ReportLanguage;
  readonly output?: string;
};

const notes = `
Compares each candidate with the baseline in what the business counts: both figures, the lift with an interval that holds
at every look, and a verdict. When users do not fall to the versions as the split says, that comes first, and there is no
verdict. --html makes one file that needs nothing else, to be opened, printed or sent to somebody.

Examples:
  graygate experiment shop
  graygate experiment shop --html --lang zh -o shop.html
  graygate experiment shop --release 2.3.0 --csv -o shop.csv`;

/** The verb `experiment`. */
export function experimentVerb(context: CommandContext): Command {
  const verb = new Command('experiment')
    .argument('<rollout>', 'the rollout', rolloutName)
    .option('--release <release>', 'an earlier release than the one that is out')
    .option('--json', 'print JSON', false)
    .option('--csv', 'print CSV, a line for each metric and candidate', false)
    .option('--html', 'print a page', false)
    .addOption(new Option('--lang <language>', 'of the text and the page').choices(reportLanguages).default('en'))
    .option('-o, --output <file>', 'write it to a file');
  return addGatewayOptions(verb)
    .addHelpText('after', notes)
    .action((name: string, options: ExperimentOptions) => experiment(name, options, context));
}

async function experiment(name: string, options: ExperimentOptions, context: CommandContext): Promise<void> {
  if (Number(options.json) + Number(options.csv) + Number(options.html) > 1)
    throw new GraygateError('usage', 'expected one of --json, --csv and --html');
  const text = await textOf(name, options, context);
  if (options.output === undefined) return void context.stdout.write(text);
  // A pipe does without the mark by which a spreadsheet knows UTF-8.
  await writeFile(options.output, options.csv ? `\uFEFF${text}` : text).catch((error: NodeJS.ErrnoException) => {
    throw new GraygateError('usage', `expected a file that can be written, got ${options.output}: ${error.code}`);
  });
}

async function textOf(name: string, options: ExperimentOptions, context: CommandContext): Promise<string> {
  const client = new AdminClient(endpointOf(options, context), context.stop);
  const { lang, release = null } = options;
  if (options.csv) return client.experimentFile(name, { release, format: 'csv', lang });
  if (options.html) return client.experimentFile(name, { release, format: 'html', lang });
  const report = await client.experiment(name, release);
  if (options.json) return `${JSON.stringify(report)}\n`;
  const canvas = options.output === undefined ? canvasOf(context.stdout, context) : plainCanvas;
  return `${experimentLines(report, lang, canvas).join('\n')}\n`;
}

/** A file has no colours and no width. */
const plainCanvas = { width: Infinity, paint: (_: unknown, text: string): string => text };
