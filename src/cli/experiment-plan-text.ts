// The plan of an experiment as a table for a person, of several candidates one each, and what is missing where it says nothing.
import { english } from '../rollout/experiment-report/english.ts';
import { figureText } from '../rollout/experiment-report/numbers.ts';
import type { Metric } from '../rollout/experiment.ts';
import { isShare, type MetricPlan } from '../rollout/plan-experiment.ts';
import { countOf, percentOf } from '../rollout/wording.ts';
import type { CandidatePlan, ExperimentPlan } from './experiment-plan.ts';
import { tableLines } from './text-table.ts';

/** What would make a metric's users known. */
const remedies: Readonly<Record<Metric['kind'], string>> = {
  conversion: 'give --conversion',
  retention: 'give --retention',
  value: 'give --conversion and --order-value',
  revenue: 'give --conversion and --order-value',
  events: 'ask a gateway that has counted, with --url',
};

/** The tables of a plan, with its assumptions above them. */
export function experimentPlanLines(plan: ExperimentPlan): string[] {
  const { question, source, metrics, others = [] } = plan;
  const { lift, usersPerDay } = question;
  return [
    ...(others.length === 0 ? linesOfOne(plan) : linesOfSeveral(plan, [plan, ...others])),
    ...(usersPerDay === null
      ? [`days are not known${source === 'recorded' ? ' in the first hour' : ''}: give --users-per-day`]
      : []),
    ...metrics.filter(({ users }) => users === null).map((one) => whyUnknown(one, lift)),
  ];
}

const soon = 'half of the experiments that have something to find are over after little more than the last column';

function linesOfOne(plan: ExperimentPlan): string[] {
  const { question, source, candidate, metrics } = plan;
  const { share, usersPerDay } = question;
  const perDay = usersPerDay === null ? '' : `, ${countOf(usersPerDay)} new users a day`;
  return [
    `${goalText(question)}, ${percentOf(share)} of users on ${candidate}${perDay}, rates ${source}`,
    ...metricLines(metrics),
    `users of both versions; ${soon}`,
  ];
}

function linesOfSeveral({ question, source }: ExperimentPlan, plans: readonly CandidatePlan[]): string[] {
  return [
    `${goalText(question)} for each of the candidates, rates ${source}`,
    ...plans.flatMap(({ candidate, question: { share, usersPerDay }, metrics }) => {
      const perDay = usersPerDay === null ? '' : `, ${countOf(usersPerDay)} new ones a day`;
      return [`${candidate}: ${percentOf(share)} of the users of both versions${perDay}`, ...metricLines(metrics)];
    }),
    `users of the baseline and of that candidate; ${soon}`,
  ];
}

function goalText({ lift, power, alpha }: CandidatePlan['question']): string {
  const chance = Number(alpha.toPrecision(3));
  return `an experiment that finds a lift of ${percentOf(lift)} with ${percentOf(power)} power: alpha ${chance}`;
}

function metricLines(metrics: readonly MetricPlan[]): string[] {
  const rows = metrics.map(({ metric, today, users, days }) => [
    english.metric(metric),
    today === null ? '–' : figureText(metric.kind, today, english.numbers),
    users === null ? 'not known' : countOf(users.sequential),
    days === null ? '–' : String(Math.ceil(days)),
    users === null ? '–' : countOf(users.fixed),
  ]);
  return tableLines([['metric', '>today', '>users', '>days', '>users, looked at once'], ...rows]);
}

function whyUnknown({ metric, today }: MetricPlan, lift: number): string {
  const name = english.metric(metric);
  if (today === null || today === 0) return `${name} is not known: ${remedies[metric.kind]}`;
  return isShare(metric) ? `${name} cannot rise by ${percentOf(lift)}` : `${name} is the same for all users so far`;
}
