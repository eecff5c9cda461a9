// The part of `plan` that is about the experiment: its options, and where the rates come from.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { GraygateError } from '../errors.ts';
import type { ExperimentReport } from '../rollout/experiment-report/report.ts';
import type { Experiment, Metric } from '../rollout/experiment.ts';
import {
  assumedToday,
  type AssumedRates,
  type ExperimentQuestion,
  isShare,
  type MetricPlan,
  planMetric,
  recordedToday,
  recordedUsersPerDay,
} from '../rollout/plan-experiment.ts';
import type { Rollout } from '../rollout/policy.ts';
import { otherPercentOf } from '../rollout/staging.ts';
import { percentOf } from '../rollout/wording.ts';
import { numberAbove, readPercent } from './option-readers.ts';

/** What `addExperimentOptions` leaves in a verb's options. */
export type ExperimentOptions = {
  readonly lift?: number;
  readonly power: number;
  readonly conversion?: number;
  readonly retention?: number;
  readonly orderValue?: number;
  readonly orderSpread?: number;
  readonly usersPerDay?: number;
};

/** What one candidate needs beside the baseline. */
export type CandidatePlan = {
  readonly question: ExperimentQuestion;
  readonly candidate: string;
  readonly metrics: readonly MetricPlan[];
};

/** At the top the first candidate that gets users. */
export type ExperimentPlan = CandidatePlan & {
  /** Where the rates come from. */
  readonly source: 'recorded' | 'assumed';
  /** Further candidates that the split gives users; absent: there are none. */
  readonly others?: readonly CandidatePlan[];
};

/** Adds the options of an experiment's plan. */
export function addExperimentOptions(command: Command): Command {
  return command
    .option('--lift <percent>', 'plan the experiment: the lift to be found, such as 10%', readShare)
    .addOption(new Option('--power <percent>', 'how surely it is to be found').argParser(readShare).default(0.8, '80'))
    .option('--conversion <percent>', 'how many users buy today, where nothing is recorded', readShare)
    .option('--retention <percent>', 'how many users come back today', readShare)
    .option('--order-value <number>', 'the average order today', numberAbove(0, 1e9))
    .option('--order-spread <number>', 'its standard deviation (default: the average itself)', numberAbove(0, 1e9))
    .option('--users-per-day <number>', 'new users a day', numberAbove(0, 1e9));
}

/** The plan of a rollout's experiment; `report`: what a running gateway has counted of it. Throws `usage` where nothing can be planned. */
export function experimentPlan(
  rollout: Rollout,
  options: ExperimentOptions & { readonly lift: number },
  report: ExperimentReport | null,
): ExperimentPlan {
  const rates = ratesOf(options);
  const metrics = rollout.experiment?.metrics ?? usualMetrics;
  const source = report === null ? 'assumed' : 'recorded';
  const todayOf = (metric: Metric) =>
    (report === null ? null : recordedToday(metric, report)) ?? assumedToday(metric, rates);
  const usersPerDay = options.usersPerDay ?? (report === null ? null : recordedUsersPerDay(report));
  const { lift, power } = options;
  const plans = comparisonsOf(rollout).map(({ candidate, share, part }): CandidatePlan => {
    const question = {
      lift,
      power,
      alpha: alphaOf(rollout),
      share,
      usersPerDay: usersPerDay === null ? null : usersPerDay * part,
      leastMs: rollout.experiment?.leastMs ?? 0,
    };
    return { question, candidate, metrics: metrics.map((metric) => planMetric(metric, todayOf(metric), question)) };
  });
  const [{ question, candidate, metrics: planned }, ...others] = plans as [CandidatePlan, ...CandidatePlan[]];
  if (planned.every(({ users }) => users === null)) throw new GraygateError('usage', whyNothing(planned, lift));
  return { question, source, candidate, metrics: planned, ...(others.length === 0 ? {} : { others }) };
}

function whyNothing(plans: readonly MetricPlan[], lift: number): string {
  const known = plans.filter(({ today }) => today !== null && today > 0);
  if (known.length === 0)
    return 'expected --conversion, --retention or --order-value, or --url of a gateway that has counted';
  return known.some(({ metric }) => isShare(metric))
    ? `expected a lift after which a share is below 100 %, got ${percentOf(lift)}`
    : 'expected figures that differ from user to user, got the same for all of them';
}

const usualMetrics: readonly Metric[] = [
  { kind: 'conversion', name: 'conversion', event: 'order', of: null, windowMs: 86_400_000 },
  { kind: 'value', name: 'value', event: 'order', cap: null },
  { kind: 'revenue', name: 'revenue', event: 'order', cap: null },
  { kind: 'retention', name: 'retention', day: 1 },
];

function ratesOf({ conversion, retention, orderValue, orderSpread }: ExperimentOptions): AssumedRates {
  return {
    conversion: conversion ?? null,
    retention: retention ?? null,
    orderValue: orderValue ?? null,
    orderSpread: orderSpread ?? orderValue ?? null,
  };
}

/** All candidates share the alpha of the primary metric, those without users too: so the report judges it. */
function alphaOf({ experiment, staging }: Rollout): number {
  const { alpha }: Pick<Experiment, 'alpha'> = experiment ?? { alpha: 0.05 };
  return alpha / staging.candidates.length;
}

/** A candidate beside the baseline. `share` (0-1): its part of the users of both; `part` (0-1): theirs of all users. */
type Comparison = { readonly candidate: string; readonly share: number; readonly part: number };

/** At least one, in the order of the policy; of a staged rollout at the stage that is nearest to half and half. */
function comparisonsOf({ staging }: Rollout): readonly Comparison[] {
  const { stages, split, candidates, baseline } = staging;
  const found =
    stages.length === 0
      ? candidates.map((name) => comparisonAt(name, split[name] ?? 0, otherPercentOf(staging, name)))
      : stages
          .map(({ percent }) => comparisonAt(candidates[0], percent, 0))
          .toSorted((a, b) => Math.abs(a.share - 0.5) - Math.abs(b.share - 0.5))
          .slice(0, 1);
  const comparisons = found.filter(({ share }) => share > 0 && share < 1);
  if (comparisons.length > 0) return comparisons;
  throw new GraygateError(
    'usage',
    `expected a split or a stage in which both ${baseline} and ${candidates[0]} get users`,
  );
}

function comparisonAt(candidate: string, percent: number, otherPercent: number): Comparison {
  const bothPercent = 100 - otherPercent;
  return { candidate, share: percent === 0 ? 0 : percent / bothPercent, part: bothPercent / 100 };
}

/** A percent above 0 and below 100 as a share. */
function readShare(text: string): number {
  const share = readPercent(text);
  if (!(share > 0 && share < 1)) throw new InvalidArgumentError('expected a percent above 0 and below 100, such as 10');
  return share;
}
