// The part of `plan` that is about the experiment: its options, and where the rates come from.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { GraygateError } from '../errors.ts';
import type { ExperimentReport } from '../rollout/experiment-report/report.ts';
import type { Experiment, Metric } from '../rollout/experiment.ts';
import {
  assumedToday,
  type AssumedRates,
  type ExperimentQuestion,
  type MetricPlan,
  planMetric,
  recordedToday,
  recordedUsersPerDay,
} from '../rollout/plan-experiment.ts';
import type { Rollout } from '../rollout/policy.ts';
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

export type ExperimentPlan = {
  readonly question: ExperimentQuestion;
  /** Where the rates come from. */
  readonly source: 'recorded' | 'assumed';
  readonly candidate: string;
  readonly metrics: readonly MetricPlan[];
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
  const recordedPerDay = report === null ? null : recordedUsersPerDay(report);
  const question = {
    lift: options.lift,
    power: options.power,
    alpha: alphaOf(rollout),
    share: shareOf(rollout),
    usersPerDay: options.usersPerDay ?? recordedPerDay,
    leastMs: rollout.experiment?.leastMs ?? 0,
  };
  const plans = metrics.map((metric) => planMetric(metric, todayOf(metric), question));
  if (plans.every(({ users }) => users === null)) throw new GraygateError('usage', whyNothing(plans, options.lift));
  return { question, source, candidate: rollout.versions[1]!.name, metrics: plans };
}

function whyNothing(plans: readonly MetricPlan[], lift: number): string {
  const isTooMuch = plans.some(({ today }) => today !== null && today > 0);
  return isTooMuch
    ? `expected a lift after which a share is below 100 %, got ${percentOf(lift)}`
    : 'expected --conversion, --retention or --order-value, or --url of a gateway that has counted';
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

/** Several candidates share the alpha of the primary metric. */
function alphaOf({ experiment, staging }: Rollout): number {
  const { alpha }: Pick<Experiment, 'alpha'> = experiment ?? { alpha: 0.05 };
  return alpha / staging.candidates.length;
}

/** Of the users of both versions; of a staged rollout at the stage that is nearest to half and half. */
function shareOf({ staging }: Rollout): number {
  const { stages, split, candidates } = staging;
  const percents = stages.length === 0 ? [split[candidates[0]] ?? 0] : stages.map(({ percent }) => percent);
  const others = stages.length === 0 ? candidates.slice(1).reduce((sum, name) => sum + (split[name] ?? 0), 0) : 0;
  const shares = percents.map((percent) => percent / (100 - others)).filter((share) => share > 0 && share < 1);
  if (shares.length === 0) {
    throw new GraygateError(
      'usage',
      `expected a split or a stage in which both ${staging.baseline} and ${candidates[0]} get users`,
    );
  }
  return shares.reduce((best, share) => (Math.abs(share - 0.5) < Math.abs(best - 0.5) ? share : best));
}

/** A percent above 0 and below 100 as a share. */
function readShare(text: string): number {
  const share = readPercent(text);
  if (!(share > 0 && share < 1)) throw new InvalidArgumentError('expected a percent above 0 and below 100, such as 10');
  return share;
}
