// `graygate demo`: graygate with everything around it that a first look needs.
import { Command, InvalidArgumentError, Option } from 'commander';
import type { CommandContext } from './command-context.ts';
import { type Behaviour, goodBehaviour, parseBehaviour } from './demo/behaviour.ts';
import { runDemo } from './demo/run-demo.ts';
import { readDuration, wholeNumber } from './option-readers.ts';

type DemoVerbOptions = {
  readonly config?: string;
  readonly host: string;
  readonly port: number;
  readonly adminPort: number;
  readonly bad?: Behaviour | true;
  readonly traffic: boolean;
  readonly rps: number;
  readonly users: number;
  readonly duration?: number;
  readonly json: boolean;
};

const notes = `
Starts two small tea shops (an old and a new version), graygate in front of them with config/demo.yaml, and customers
that send requests to it; prints where everything is and what to try. The new version goes from 5 % of users to everyone
within two minutes, or with --bad is back at 0 % within seconds; each change is told with its reason.
Edit the policy while it runs. Nothing leaves this machine, and nothing is kept: the next start begins anew. It ends with
Ctrl-C, with its terminal, and with the npm that started it.
A policy of your own takes the ports from GRAYGATE_DEMO_PORT, GRAYGATE_DEMO_ADMIN_PORT, GRAYGATE_DEMO_OLD_PORT and
GRAYGATE_DEMO_NEW_PORT, and its store from GRAYGATE_DEMO_STORE, as config/demo.yaml does.

Examples:
  graygate demo
  graygate demo --bad errors          the new shop fails half of its requests
  graygate demo --bad latency=250     the new shop takes 250 ms longer
  graygate demo --port 0 --admin-port 0 --duration 30s`;

/** The verb `demo`. */
export function demoVerb(context: CommandContext): Command {
  return new Command('demo')
    .option('-c, --config <file>', 'a policy instead of the bundled config/demo.yaml')
    .option(
      '--bad [kind]',
      'make the new shop bad: errors[=percent], latency[=milliseconds], or both with a comma',
      readBad,
    )
    .option('--port <number>', 'port for traffic; 0 is any that is free', wholeNumber(0, 65_535), 8080)
    .option('--admin-port <number>', 'port for health and metrics; 0 is any that is free', wholeNumber(0, 65_535), 9090)
    .addOption(
      new Option('--host <address>', 'address to listen on: this machine only, or all (in a container)')
        .choices(['127.0.0.1', '0.0.0.0'])
        .default('127.0.0.1'),
    )
    .option('--rps <number>', 'generated requests a second', wholeNumber(1, 1_000), 100)
    .option('--users <number>', 'how many generated users', wholeNumber(1, 100_000), 500)
    .option('--no-traffic', 'generate no requests')
    .option('--duration <time>', 'stop by itself after a time such as 30s', readDuration)
    .option('--json', 'print addresses and sums as JSON objects, one a line', false)
    .addHelpText('after', notes)
    .action((options: DemoVerbOptions) => demo(options, context));
}

function demo(options: DemoVerbOptions, context: CommandContext): Promise<void> {
  const { host, port, adminPort, json } = options;
  const behaviour = options.bad === true ? parseBehaviour('errors') : (options.bad ?? goodBehaviour);
  const traffic = options.traffic ? { requestsPerSecond: options.rps, userCount: options.users } : null;
  const durationMs = options.duration ?? null;
  const policyFile = options.config ?? null;
  return runDemo({ policyFile, host, port, adminPort, behaviour, traffic, durationMs, json }, context);
}

function readBad(text: string): Behaviour {
  try {
    return parseBehaviour(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}
