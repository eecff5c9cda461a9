// What is rehearsed: the options that say how the service and the release behave, and the scenario that they make.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { GraygateError } from '../errors.ts';
import type { BrokenUser, Outage, Scenario } from '../rollout/rehearsal/scenario.ts';
import { candidatesWithUsers } from '../rollout/rehearsal/shares.ts';
import type { Staging } from '../rollout/staging.ts';
import { numberAbove, readDuration, readPairs, readPercent } from './option-readers.ts';
import { addTrafficOptions, latencyOf, type TrafficOptions } from './traffic-options.ts';

/** What `addScenarioOptions` leaves in a verb's options. */
export type ScenarioOptions = TrafficOptions & {
  readonly candidate?: string;
  readonly at: number;
  readonly dependency?: Outage;
  readonly brokenUser?: BrokenUser | true;
  readonly ruleRps: number;
};

/** Adds the options of a scenario. */
export function addScenarioOptions(command: Command): Command {
  return addTrafficOptions(command)
    .option('--candidate <name>', 'of several candidates the one that --harm makes bad (default: the first)')
    .option('--at <time>', 'when the harm begins, such as 30m', readDuration, 0)
    .option('--dependency <what>', 'every version fails: errors=5,for=10m,at=10m', readOutage)
    .addOption(
      new Option(
        '--broken-user [whose]',
        'one user fails on every version and retries: anyone, or one of the first whom the new version gets',
      ).choices(['anyone', 'first']),
    )
    .option(
      '--rule-rps <number>',
      'requests a second that rules send to the new version',
      numberAbove(0, 1_000_000),
      1,
    );
}

/** The scenario that the options describe. Throws `usage` where they name a candidate that cannot be meant. */
export function scenarioOf(options: ScenarioOptions, staging: Staging): Scenario {
  const { harm } = options;
  const harmOf = harmedOf(options, staging);
  return {
    requestsPerSecond: options.rps,
    userCount: options.users,
    ruleRequestsPerSecond: options.ruleRps,
    failureRate: options.errorRate,
    latency: latencyOf(options),
    harm: harm === undefined ? null : { ...harm, fromMs: options.at },
    ...(harmOf === null ? {} : { harmOf }),
    outage: options.dependency ?? null,
    brokenUser: options.brokenUser === true ? 'anyone' : (options.brokenUser ?? null),
  };
}

/** Null where there is nothing to choose. */
function harmedOf({ harm, candidate }: ScenarioOptions, staging: Staging): string | null {
  const names = candidatesWithUsers(staging);
  if (candidate !== undefined && harm === undefined)
    throw new GraygateError('usage', 'expected --candidate together with --harm: it says whom that makes bad');
  if (candidate !== undefined && !names.includes(candidate))
    throw new GraygateError(
      'usage',
      `expected --candidate to be one that gets users, ${names.join(' or ')}; got "${candidate}"`,
    );
  return harm === undefined || names.length === 1 ? null : (candidate ?? names[0]);
}

function readOutage(text: string): Outage {
  const pairs = readPairs(text, ['errors', 'for', 'at']);
  const errors = pairs.get('errors');
  if (errors === undefined) throw new InvalidArgumentError('expected errors=PERCENT');
  return {
    failureRate: readPercent(errors),
    forMs: readDuration(pairs.get('for') ?? '10m'),
    fromMs: readDuration(pairs.get('at') ?? '10m'),
  };
}
