// A report in English.
import { decisiveOf } from './decisive.ts';
import { chanceOf, countOf, durationOf } from '../wording.ts';
import { changeTexts, differenceText, figureText, shareText } from './numbers.ts';
import type { Metric } from '../experiment.ts';
import type { Missing } from './report.ts';
import type { Words } from './words.ts';

const numbers = { blank: ' ', points: ' percentage points' };

const answers = {
  better: 'better',
  worse: 'worse',
  'no-difference': 'no difference shown',
  'not-enough-data': 'not enough data',
  frozen: 'frozen',
} as const;

/** The words of an English report. */
export const english: Words = {
  tag: 'en',
  numbers,
  marks: { colon: ': ', semicolon: '; ' },
  userCount: (users) => `${countOf(users)} users`,
  title: ({ rollout }) => `Experiment ${rollout}`,
  metric(metric) {
    switch (metric.kind) {
      case 'conversion': {
        const start = metric.of === null ? '' : ` of ${metric.of}`;
        return `Conversion: ${metric.event}${start} within ${durationOf(metric.windowMs)}`;
      }
      case 'value':
        return `Average value: ${metric.event}${capText(metric.cap)}`;
      case 'revenue':
        return `Revenue a user: ${metric.event}${capText(metric.cap)}`;
      case 'retention':
        return `Retention on day ${metric.day}`;
      default:
        return `Events a user: ${metric.event}`;
    }
  },
  verdict({ kind }, comparison, baseline) {
    const { candidate, figures, verdict } = comparison;
    if (verdict.kind === 'frozen') return `no verdict on ${candidate}: users do not fall as the split says`;
    if (verdict.kind === 'not-enough-data')
      return `not enough data on ${candidate}: ${english.missing(kind, verdict.missing)}`;
    if (verdict.kind === 'no-difference') {
      const { largest, largestLift } = verdict;
      const size =
        largestLift === null
          ? differenceText(kind, largest, numbers).replace('+', '')
          : `${shareText(largestLift, numbers)} of ${baseline}'s figure`;
      return `no difference between ${candidate} and ${baseline} larger than ${size}`;
    }
    const { change, lower, upper } = changeTexts(kind, decisiveOf(comparison)!, numbers);
    const means = `${figureText(kind, figures!.candidateMean, numbers)} against ${figureText(kind, figures!.baselineMean, numbers)}`;
    return `${candidate} is ${verdict.kind} than ${baseline}: ${means}, ${change} (${lower} to ${upper})`;
  },
  missing: (kind, missing) => missing.map((one) => lack(kind, one)).join(', '),
  answer: ({ kind }) => answers[kind],
  outcome: ({ decision, versions }) =>
    decision.kind === 'undecided'
      ? `Not decided: ${decision.sentence}.`
      : decision.version === versions[0]!.name
        ? `${decision.version} stays: ${decision.sentence}.`
        : `${decision.version} wins: ${decision.sentence}.`,
  decidedBy: (metric) => `decide by "${metric}", not by this`,
  mismatch({ versions, chance }) {
    const counts = versions.map(
      ({ name, users, expected }) => `${name} ${countOf(users)} (expected ${countOf(expected)})`,
    );
    return `Users do not fall to the versions as the split says: ${counts.join(', ')}; the chance of this by luck is ${chanceOf(-Math.log(Math.max(chance, 1e-300)))}. Something loses or moves users, so no figure below can be trusted, and no verdict is given.`;
  },
  chance: (logEvidence) => (logEvidence < Math.log(2) ? 'likely' : chanceOf(logEvidence)),
  adjusted: (saved) =>
    `with the users' past taken into account (CUPED, which saves ${shareText(Math.max(0, saved), numbers)} of the users)`,
  leftOut({ crossed, moved }) {
    if (crossed + moved === 0) return null;
    return `Left out of every comparison: ${countOf(crossed)} users seen on two versions, ${countOf(moved)} whom a change of the split moved.`;
  },
  waiting: (users) => `${countOf(users)} users whose outcome is not known yet`,
  uncapped: 'no cap: a few very large orders may decide it',
  duration: durationOf,
  promise: ({ alpha }) =>
    `Intervals hold at every look: however often this report is opened, the chance that the primary metric is ever said to differ though it does not is at most ${shareText(alpha, numbers)}. Lines that reach across 0 show no difference.`,
  label: {
    metric: 'metric',
    version: 'version',
    baseline: 'baseline',
    candidate: 'candidate',
    users: 'users',
    whoCame: 'Users',
    expected: 'expected',
    figure: 'figure',
    difference: 'difference',
    lift: 'lift',
    interval: 'interval',
    byLuck: 'chance by luck',
    verdict: 'verdict',
    primary: 'primary',
    release: 'release',
    age: 'age',
    madeAt: 'as of',
    worse: 'worse',
    better: 'better',
    newUsers: 'New users a day',
    overTime: 'Over time',
    phases: 'Splits',
    began: 'from',
    split: 'split',
    events: 'Events',
    event: 'event',
    count: 'count',
    valueSum: 'value',
    howToRead: 'How to read it',
    waiting: 'waiting',
  },
};

/** Of what one order counts at most. */
function capText(cap: number | null): string {
  return cap === null ? '' : `, cap ${countOf(cap)}`;
}

function lack(kind: Metric['kind'], missing: Missing): string {
  if (missing.what === 'spread') return 'nothing varies yet';
  const { have, need } = missing;
  if (missing.what === 'time') return `it has run ${have < 1 ? 'nothing' : durationOf(have)} of ${durationOf(need)}`;
  const nouns = {
    users: 'users whose outcome is known',
    hits: 'users who did it',
    misses: 'users who did not',
    orders: kind === 'value' ? 'orders with a value' : kind === 'revenue' ? 'users with a value' : 'users who did it',
  };
  return `${missing.version} has ${countOf(have)} of ${countOf(need)} ${nouns[missing.what]}`;
}
