// `graygate rehearse`: what a rollout would do, in simulated time; once with every change, or many times in numbers.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { GraygateError } from '../errors.ts';
import { randomFrom } from '../rollout/rehearsal/random.ts';
import { rehearse, type Rehearsal, type RehearsalProgress, type Rehearsed } from '../rollout/rehearsal/rehearse.ts';
import { Series } from '../rollout/rehearsal/series.ts';
import { countOf } from '../rollout/wording.ts';
import { RiskSet } from '../telemetry/risk-set.ts';
import type { CommandContext } from './command-context.ts';
import { configOption, type ConfigOptions } from './config-option.ts';
import { readDuration, wholeNumber } from './option-readers.ts';
import { ProgressBar } from './progress-bar.ts';
import type { Assumed } from './rehearse-assumptions.ts';
import { addScenarioOptions, scenarioOf, type ScenarioOptions } from './rehearse-scenario.ts';
import { seriesLines, seriesReport } from './rehearse-series-text.ts';
import { clockOf, rehearsalLines, rehearsalReport } from './rehearse-text.ts';
import { policyOf, rolloutOf } from './rollout-argument.ts';

type RehearseOptions = ConfigOptions &
  ScenarioOptions & {
    readonly runs?: number;
    readonly aa?: number;
    readonly seed: number;
    readonly limit: number;
    readonly json: boolean;
  };

const notes = `
Runs the real state machine, checks and statistics on simulated users, in simulated time: no server is asked, nothing is
changed. Checks from outside (prometheus, webhook) and of the business are taken as content and approvals as given.
--harm errors=5 makes the new version fail 5 % of its requests, latency=1.5x makes it take half as long again; where a split
gives users to several, the first of them or the --candidate. --dependency makes every version fail.
--aa N rehearses N healthy releases and says how many were rolled back all the same; it exits 1 when these are more than
the rollout's alpha allows. Beside it stands what the rule of Flagger (success of 99 %, five failed looks, one a minute)
would have done on the same traffic.

Examples:
  graygate rehearse default --config config/rehearsal.yaml --rps 200 --harm errors=5
  graygate rehearse default --config config/rehearsal.yaml --rps 200 --harm errors=1,latency=1.5x --at 30m
  graygate rehearse shop --rps 200 --harm errors=5 --candidate green
  graygate rehearse strict --config config/rehearsal.yaml --rps 200 --aa 200 --dependency errors=5,for=10m`;

/** The verb `rehearse`. */
export function rehearseVerb(context: CommandContext): Command {
  const command = new Command('rehearse').argument('[rollout]', 'its name, where the policy has several');
  return addScenarioOptions(command.addOption(configOption()))
    .option('--runs <number>', 'rehearse so many times, and print numbers', wholeNumber(1, 1_000_000))
    .option('--aa <number>', 'rehearse so many healthy releases, and print numbers', wholeNumber(1, 1_000_000))
    .option('--seed <number>', 'the same seed gives the same rehearsal', wholeNumber(0, 2 ** 31 - 1), 1)
    .addOption(
      new Option('--limit <time>', 'simulated time after which a rehearsal ends')
        .argParser(readDuration)
        .default(24 * 3_600_000, '24h'),
    )
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', notes)
    .action((name: string | undefined, options: RehearseOptions) => run(name, options, context));
}

async function run(name: string | undefined, options: RehearseOptions, context: CommandContext): Promise<void> {
  if (options.aa !== undefined && (options.harm !== undefined || options.runs !== undefined)) {
    throw new GraygateError('usage', 'expected --aa without --harm and --runs: it rehearses healthy releases');
  }
  const rollout = rolloutOf(await policyOf(options, context), name);
  const scenario = scenarioOf(options, rollout.staging);
  const assumed: Assumed = { rollout, scenario, seed: options.seed };
  const rehearsal = { staging: rollout.staging, scenario, limitMs: options.limit };
  const course = { rehearsal, seed: options.seed, context };
  const runCount = options.aa ?? options.runs;
  const print = (report: object, lines: readonly string[]): unknown =>
    context.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${lines.join('\n')}\n`);
  if (runCount === undefined) {
    const rehearsed = await rehearseOnce(course);
    if (rehearsed === null) return interrupted(context);
    print(rehearsalReport(assumed, rehearsed), rehearsalLines(assumed, rehearsed));
    return;
  }
  const series = await rehearseOften(course, runCount);
  if (series === null) return interrupted(context);
  const summary = series.summary();
  print(seriesReport(assumed, summary), seriesLines(assumed, summary));
  const isTooOften = summary.rolledBackCount > rollout.staging.analysis.alpha * summary.runCount;
  if (options.aa !== undefined && isTooOften) context.finish(1);
}

function interrupted(context: CommandContext): void {
  context.stderr.write('graygate: the rehearsal was interrupted\n');
  context.finish(1);
}

type Course = { readonly rehearsal: Rehearsal; readonly seed: number; readonly context: CommandContext };

async function rehearseOnce(course: Course): Promise<Rehearsed | null> {
  const bar = new ProgressBar(course.context.stderr);
  const rehearsed = await finish(course, 0, ({ atMs, doneShare, state }) =>
    bar.show(doneShare, `${clockOf(atMs)} ${state.phase} ${state.percent} % (${state.stay.name})`),
  );
  bar.clear();
  return rehearsed;
}

async function rehearseOften(course: Course, runCount: number): Promise<Series | null> {
  const { rehearsal, context } = course;
  const bar = new ProgressBar(context.stderr);
  const series = new Series(rehearsal.staging, rehearsal.scenario);
  for (let i = 0; i < runCount; i += 1) {
    const rehearsed = await finish(course, i, ({ doneShare }) =>
      bar.show((i + doneShare) / runCount, `rehearsal ${countOf(i + 1)} of ${countOf(runCount)}`),
    );
    if (rehearsed === null) break;
    series.add(rehearsed);
  }
  bar.clear();
  return context.stop.aborted ? null : series;
}

/** Runs one to its end, giving way to signals and the terminal now and then; null when the process is asked to end. */
async function finish(
  { rehearsal, seed, context }: Course,
  stream: number,
  onProgress: (progress: RehearsalProgress) => void,
): Promise<Rehearsed | null> {
  const course = rehearse(rehearsal, { random: randomFrom(seed, stream), riskRule: new RiskSet() });
  for (;;) {
    const step = course.next();
    if (step.done === true) return step.value;
    onProgress(step.value);
    await nextTurn();
    if (context.stop.aborted) return null;
  }
}
