// Several candidates of a split in a word: how many users they have together, and which of them looks worst. Pure.
import type { ShownRollout } from '../admin/contract.ts';
import { percentOf } from '../rollout/wording.ts';
import { oneLine } from './display-width.ts';
import { shareText } from './status-words.ts';

type State = NonNullable<ShownRollout['state']>;
type Verdict = NonNullable<ShownRollout['checks'][number]['verdict']>;
type Down = Exclude<NonNullable<ShownRollout['versions'][number]['health']>, { kind: 'up' }>;

/** Something that speaks against a candidate; `by`: what, and how much. `weight` at most 3, from 0 down not at all. */
type Sign = { readonly by: string; readonly weight: number };

/** `worst`: of all signs the one of most weight, at least 0; `total`: what they weigh together. */
type Standing = { readonly name: string; readonly worst: Sign; readonly total: number };

const nothingAgainst: Sign = { by: '', weight: 0 };

const downText: Readonly<Record<Down['kind'], string>> = {
  refused: 'its servers, which refuse connections',
  stalled: 'its servers, which finish no request',
};

/** `20 % on canary`; of several candidates `40 % on 2 candidates`. */
export function placeText(rollout: ShownRollout, { candidate, percent }: State): string {
  const names = candidatesIn(rollout);
  if (names.length > 1) return `${shareText(givenPercent(rollout))} on ${names.length} candidates`;
  const other = rollout.versions.find(({ name }) => name === names[0] && name !== candidate);
  const place = other ?? { name: candidate, percent };
  return `${shareText(place.percent)} on ${oneLine(place.name)}`;
}

/** Percent of users who have a candidate, whichever. */
export function givenPercent({ versions }: ShownRollout): number {
  const buckets = versions.reduce((sum, { role, percent }) => sum + (role === 'candidate' ? 100 * percent : 0), 0);
  return Math.round(buckets) / 100;
}

/** `green of 2 candidates, by error-rate: 43 % of what fails it`; null where there is one, or nothing is known of them. */
export function worstText(rollout: ShownRollout): string | null {
  const all = `${candidatesIn(rollout).length} candidates`;
  if (!hasSeveral(rollout) || rollout.checks.every(({ verdict }) => verdict === null)) return null;
  const worst = worstOf(rollout);
  if (worst === null) return `none of ${all} looks worse than the baseline`;
  return `${oneLine(worst.name)} of ${all}, by ${oneLine(worst.worst.by)}`;
}

/** Whether it splits users among several candidates, or did when it was rolled back. */
export function hasSeveral(rollout: ShownRollout): boolean {
  return candidatesIn(rollout).length > 1;
}

/** The candidate that most speaks against, by the worst of it and then by all of it; null where nothing does. */
export function worstOf(rollout: ShownRollout): Standing | null {
  const [worst] = candidatesIn(rollout)
    .map((name) => standingOf(rollout, name))
    .toSorted((a, b) => b.worst.weight - a.worst.weight || b.total - a.total);
  return worst === undefined || worst.worst.weight === 0 ? null : worst;
}

/** Those that have users; where none has any, as after a rollback, those that are watched. */
export function candidatesIn({ versions, checks }: ShownRollout): string[] {
  const given = versions.filter(({ role, percent }) => role === 'candidate' && percent > 0);
  return given.length > 0 ? given.map(({ name }) => name) : [...new Set(checks.map(({ version }) => version))];
}

function standingOf({ checks, versions }: ShownRollout, name: string): Standing {
  const health = versions.find((version) => version.name === name)?.health ?? { kind: 'up' };
  const signs = [
    ...(health.kind === 'up' ? [] : [{ by: downText[health.kind], weight: 3 }]),
    ...checks.flatMap(({ version, name: by, verdict }): Sign[] =>
      version === name && verdict !== null ? [signIn(by, verdict)] : [],
    ),
  ];
  const worst = signs.reduce((most, sign) => (sign.weight > most.weight ? sign : most), nothingAgainst);
  return { name, worst, total: signs.reduce((sum, { weight }) => sum + weight, 0) };
}

/** 3 for a failing guard, 2 for a failing signal; before that up to 1 by how near it is to failing. */
function signIn(check: string, { answer, role, evidence }: Verdict): Sign {
  if (answer === 'fail') return { by: `${check}, which fails`, weight: role === 'guard' ? 3 : 2 };
  const part =
    evidence.kind === 'source'
      ? evidence.breachesInARow / evidence.failures
      : evidence.logHarm / evidence.harmThreshold;
  const weight = Math.min(1, part);
  return { by: `${check}: ${percentOf(weight)} of what fails it`, weight };
}
