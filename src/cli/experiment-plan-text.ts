// The plan of an experiment as a table for a person, and what is missing where it says nothing.
import { english } from '../rollout/experiment-report/english.ts';
import { figureText } from '../rollout/experiment-report/numbers.ts';
import type { Metric } from '../rollout/experiment.ts';
import type { MetricPlan } from '../rollout/plan-experiment.ts';
import { countOf, percentOf } from '../rollout/wording.ts';
import type { ExperimentPlan } from './experiment-plan.ts';
import { tableLines } from './text-table.ts';

/** What would make a metric's users known. */
const remedies: Readonly<Record<Metric['kind'], string>> = {
  conversion: 'give --conversion',
  retention: 'give --retention',
  value: 'give --conversion and --order-value',
  revenue: 'give --conversion and --order-value',
  events: 'ask a gateway that has counted, with --url',
};

/** The table of a plan, with its assumptions above it. */
export function experimentPlanLines({ question, source, candidate, metrics }: ExperimentPlan): string[] {
  const { lift, power, alpha, share, usersPerDay } = question;
  const rows = metrics.map(({ metric, today, users, days }) => [
    english.metric(metric),
    today === null ? '–' : figureText(metric.kind, today, english.numbers),
    users === null ? 'not known' : countOf(users.sequential),
    days === null ? '–' : String(Math.ceil(days)),
    users === null ? '–' : countOf(users.fixed),
  ]);
  const perDay = usersPerDay === null ? '' : `, ${countOf(usersPerDay)} new users a day`;
  return [
    `an experiment that finds a lift of ${percentOf(lift)} with ${percentOf(power)} power: alpha ${alpha}, ${percentOf(share)} of users on ${candidate}${perDay}, rates ${source}`,
    ...tableLines([['metric', '>today', '>users', '>days', '>users, looked at once'], ...rows]),
    'users of both versions; half of the experiments that have something to find are over after little more than the last column',
    ...(usersPerDay === null
      ? [`days are not known${source === 'recorded' ? ' in the first hour' : ''}: give --users-per-day`]
      : []),
    ...metrics.filter(({ users }) => users === null).map((one) => whyUnknown(one, lift)),
  ];
}

function whyUnknown({ metric, today }: MetricPlan, lift: number): string {
  const name = english.metric(metric);
  return today !== null && today > 0
    ? `${name} cannot rise by ${percentOf(lift)}`
    : `${name} is not known: ${remedies[metric.kind]}`;
}
