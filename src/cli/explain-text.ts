// An explanation as lines for a person: the answer first, then each step that led to it.
import type { ExplainedDecision, Explanation, Step } from '../rollout/explain.ts';
import type { StagesOfUser } from './explain-stages.ts';

const labelWidth = 10;

type PopulationStep = Extract<Step, { step: 'population' }>;

/** What there is to tell. `userIn`: where the ID of `--user` was put; null where it was not given. */
export type Told = Explanation & { readonly userIn: string | null; readonly stages: StagesOfUser | null };

/** `gateway`: the address of the one that answered; null: a policy did. */
export function explanationLines({ steps, decision, userIn, stages }: Told, gateway: string | null): string[] {
  return [
    decision === null ? 'no rollout takes this request: 404' : decisionLine(decision, stages),
    '',
    ...(gateway === null ? [] : titled('gateway', [`${gateway}, as it decides now`])),
    ...steps.flatMap((step) => stepLines(step, userIn)),
    ...(stages === null ? [] : titled('stages', [stagesText(stages)])),
  ];
}

function decisionLine(decision: ExplainedDecision, stages: StagesOfUser | null): string {
  const { version, rollout, reason, rule, bucket, user } = decision;
  const facts = [`reason: ${reason}${rule === null ? '' : ` "${rule}"`}`];
  if (stages !== null) facts.push(`at ${stages.percent} %${stages.stage === null ? '' : ` (stage ${stages.stage})`}`);
  if (bucket !== null) facts.push(`bucket: ${bucket}`);
  if (user !== null) facts.push(`user: ${user}`);
  return `${rollout} → ${version}   (${facts.join(', ')})`;
}

function stagesText({ candidate, fromPercent, stages }: StagesOfUser): string {
  const first = stages.find(({ version }) => version === candidate);
  const since = first === undefined ? 'when it is promoted' : `first in stage ${first.name} (${first.percent} %)`;
  return `on ${candidate} from ${fromPercent.toFixed(2)} % on: ${since}`;
}

function stepLines(step: Step, userIn: string | null): string[] {
  switch (step.step) {
    case 'match':
      return titled('match', [`host ${step.host || '(none)'}, path ${step.path}`, ...step.tried.map(matchText)]);
    case 'identity':
      return titled('user', [
        ...(userIn === null ? [] : [`--user is taken as ${userIn}, the first source of the chain`]),
        ...step.tried.map(({ source, value, outcome }) => `${source}: ${value === null ? '' : `${value}, `}${outcome}`),
        ...(step.user === null ? ['no ID: the request is anonymous'] : []),
      ]);
    case 'rolled-back':
      return step.rolledBack ? titled('rolled back', ['yes: the baseline, for everyone']) : [];
    case 'skew':
      return titled('skew', [
        step.page === null ? 'an asset, but no version is named' : `an asset of a page of ${step.page}`,
      ]);
    case 'rules':
      return step.tried.length === 0 ? [] : titled('rules', step.tried.flatMap(ruleTexts));
    case 'anonymous':
      return titled('anonymous', [anonymousText(step)]);
    case 'population':
      return titled('users', step.tried.map(placeText));
    case 'exclude':
      return step.excluded ? titled('excluded', ['counts as neither exposure nor event']) : [];
    default:
      return titled('bucket', [
        `murmur3("${step.hashed}") = ${step.hash}; ${step.hash} mod 10000 = ${step.bucket}`,
        ...step.ranges.filter(({ from, below }) => below > from).map((range) => rangeText(range, step)),
        ...(step.splitOf === 'rule' ? ['these are the ranges of the rule, not of the rollout'] : []),
      ]);
  }
}

function titled(label: string, texts: readonly string[]): string[] {
  return texts.map((text, i) => `${(i === 0 ? label : '').padEnd(labelWidth)}  ${text}`);
}

function matchText({ rollout, host, path }: Extract<Step, { step: 'match' }>['tried'][number]): string {
  if (host !== null && path !== null) return `${rollout} takes it (host ${host}, path ${path})`;
  const missing = [...(host === null ? ['host'] : []), ...(path === null ? ['path'] : [])];
  return `${rollout} does not: ${missing.join(' and ')} ${missing.length > 1 ? 'do' : 'does'} not fit`;
}

function ruleTexts({ rule, holds, conditions }: Extract<Step, { step: 'rules' }>['tried'][number]): string[] {
  return [
    `"${rule}" ${holds ? 'holds' : 'does not hold'}`,
    ...conditions.map((each) => {
      const value = each.value === null ? 'absent' : each.value;
      return `  ${each.holds ? 'yes' : 'no '}  ${each.condition} (${value})`;
    }),
  ];
}

function anonymousText({ gets, user }: Extract<Step, { step: 'anonymous' }>): string {
  if (gets === 'baseline') return 'the baseline, as the policy says';
  if (gets === 'ip') return `the address is the ID, as the policy says: ${user ?? 'it is not known'}`;
  return `a random ID is issued as cookie graygate_uid; here it is ${user}`;
}

function placeText({ of, hashed, place, from, below, isWithin }: PopulationStep['tried'][number]): string {
  const outcome =
    of === 'holdout' ? (isWithin ? 'held out' : 'not held out') : isWithin ? 'takes part' : 'another share';
  const range = from === below ? 'nobody' : `${from}–${below - 1}`;
  return `${of}: murmur3("${hashed}") mod 10000 = ${place}, asked for is ${range}: ${outcome}`;
}

function rangeText(
  { version, from, below }: Extract<Step, { step: 'bucket' }>['ranges'][number],
  { bucket }: Extract<Step, { step: 'bucket' }>,
): string {
  return `${version}: ${from}–${below - 1}${bucket >= from && bucket < below ? '  ← here' : ''}`;
}
