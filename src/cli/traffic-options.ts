// What plan and rehearse are told of a service: its traffic, how it behaves today, and how a bad release would.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { GraygateError } from '../errors.ts';
import { type LatencyModel, spreadOf } from '../rollout/rehearsal/latency-model.ts';
import { numberAbove, readPairs, readPercent, wholeNumber } from './option-readers.ts';

/** What `addTrafficOptions` leaves in a verb's options. */
export type TrafficOptions = {
  readonly rps: number;
  readonly errorRate: number;
  readonly latencyMedian: number;
  readonly latencyP99?: number;
  readonly users: number;
  readonly harm?: HarmOption;
};

/** As given: what is not named stays as the baseline has it. */
export type HarmOption = { readonly failureRate: number | null; readonly latencyFactor: number };

/** Where the 99th percentile lies when nobody says: a spread of 0.6. */
const usualP99Factor = 4.04;

/** Adds the options that both verbs take. */
export function addTrafficOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--rps <number>', 'requests a second, of all users together')
        .argParser(numberAbove(0, 1_000_000))
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--error-rate <percent>', 'how many requests fail today').argParser(readPercent).default(0.001, '0.1'),
    )
    .option('--latency-median <ms>', 'how long a request takes today', numberAbove(0, 3_600_000), 60)
    .option('--latency-p99 <ms>', '99th percentile of that (default: 4 times the median)', numberAbove(0, 3_600_000))
    .option('--users <number>', 'how many users there are', wholeNumber(10, 100_000_000), 100_000)
    .option(
      '--harm <what>',
      'what a bad release does: errors=5 (percent), latency=1.5x, or both with a comma',
      readHarm,
    );
}

/** The latency that the options describe. Throws `usage` where p99 is not above the median. */
export function latencyOf({ latencyMedian, latencyP99 }: TrafficOptions): LatencyModel {
  const p99Ms = latencyP99 ?? latencyMedian * usualP99Factor;
  if (p99Ms <= latencyMedian) {
    const message = `expected --latency-p99 above --latency-median ${latencyMedian}, got ${p99Ms}`;
    throw new GraygateError('usage', message);
  }
  return { medianMs: latencyMedian, spread: spreadOf(latencyMedian, p99Ms) };
}

function readHarm(text: string): HarmOption {
  const pairs = readPairs(text, ['errors', 'latency']);
  const [errors, latency] = [pairs.get('errors'), pairs.get('latency')];
  return {
    failureRate: errors === undefined ? null : readPercent(errors),
    latencyFactor: latency === undefined ? 1 : readFactor(latency),
  };
}

function readFactor(text: string): number {
  const factor = Number(/^(\d{1,3}(?:\.\d{1,4})?)x?$/.exec(text)?.[1] ?? Number.NaN);
  if (!(factor > 0)) throw new InvalidArgumentError('expected a factor such as 1.5x');
  return factor;
}
