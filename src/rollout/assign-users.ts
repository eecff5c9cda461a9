// Who goes where at each stage of a rollout, by the real decision: for known IDs, when nothing else of the request is known.
import { compileRollout } from './compiled-rollout.ts';
import { decide } from './decide.ts';
import type { Facts } from './facts.ts';
import type { ByteString, IdentitySource, PercentByVersion, Rollout } from './policy.ts';
import { layOutSplit } from './split.ts';

/** What users are looked at in: a stage, the bake, or the fixed split. `percent`: the first candidate's. */
export type Step = { readonly name: string; readonly percent: number; readonly split: PercentByVersion };

/** Counts of users; by version in listed order. */
export type StepUsers = {
  readonly name: string;
  readonly percent: number;
  readonly users: readonly number[];
  /** Of all of these, the ones that a rule sent. */
  readonly byRule: number;
  /** Of all of these, the ones on the baseline because they are held out or in another share of the layer. */
  readonly aside: number;
  /** Users whose version is another one than in the step before; in the first step nobody. */
  readonly moved: number;
  /** Users who would get another version than under the other policy; null: there is no other. */
  readonly changed: readonly Change[] | null;
};

export type Change = { readonly from: string; readonly to: string; readonly users: number };

/** The steps of a rollout in order. */
export function stepsOf({ staging, split }: Rollout): Step[] {
  const { stages, bake, candidates } = staging;
  const name = candidates[0];
  if (stages.length === 0) return [{ name: 'split', percent: split[name] ?? 0, split }];
  const places = stages.map((stage) => ({ name: stage.name, percent: stage.percent }));
  if (bake !== null) places.push({ name: 'bake', percent: Math.round(10_000 - bake.controlPercent * 100) / 100 });
  return places.map((place) => ({ ...place, split: { [name]: place.percent } }));
}

/**
 * Decides for every user at every step; `against` another policy's rollout too: at the same percent where it has stages, because
 * an edit keeps the percent, else at its own split. IDs must be usable (`isUsableId`). Cost: about a microsecond a user and step.
 */
export function assignUsers(
  rollout: Rollout,
  users: readonly ByteString[],
  against: Rollout | null = null,
): StepUsers[] {
  const here = deciderOf(rollout);
  const there = against === null ? null : deciderOf(against);
  let before: readonly Assigned[] | null = null;
  return stepsOf(rollout).map(({ name, percent, split }) => {
    const now = users.map(here(split));
    const counts = rollout.versions.map((version) => countIf(now, (each) => each.version === version.name));
    const moved = before === null ? 0 : countMoved(before, now);
    const changed = there === null ? null : changesBetween(users.map(there(splitAt(against!, percent))), now);
    before = now;
    const byRule = countIf(now, ({ isByRule }) => isByRule);
    const aside = countIf(now, ({ isAside }) => isAside);
    return { name, percent, users: counts, byRule, aside, moved, changed };
  });
}

type Assigned = { readonly version: string; readonly isByRule: boolean; readonly isAside: boolean };

/** The ID is put where the rollout looks first; its rules see nothing else of the request. */
function deciderOf(rollout: Rollout): (split: PercentByVersion) => (user: ByteString) => Assigned {
  const compiled = compileRollout(rollout);
  const source = rollout.user.from[0]!;
  return (percentOf) => {
    const split = layOutSplit(rollout.versions, percentOf);
    return (user) => {
      const { version, reason } = decide(compiled, split, factsOf(source, user));
      const isAside = reason === 'holdout' || reason === 'layer';
      return { version: version.name, isByRule: reason === 'rule', isAside };
    };
  };
}

function splitAt({ staging, split }: Rollout, percent: number): PercentByVersion {
  return staging.stages.length === 0 ? split : { [staging.candidates[0]]: percent };
}

function factsOf(source: IdentitySource, user: ByteString): Facts {
  const from = (kind: IdentitySource['kind']) => (name: string) =>
    source.kind === kind && (source.kind === 'jwt' ? source.claim : 'name' in source ? source.name : '') === name
      ? user
      : undefined;
  return {
    method: 'GET',
    host: '',
    path: '/',
    ip: source.kind === 'ip' ? user : '',
    header: from('header'),
    cookie: from('cookie'),
    query: from('query'),
    claim: from('jwt'),
    freshUserId: () => user,
  };
}

function changesBetween(there: readonly Assigned[], here: readonly Assigned[]): Change[] {
  const counts = new Map<string, Change>();
  here.forEach(({ version: to }, i) => {
    const from = there[i]!.version;
    if (from === to) return;
    const key = `${from} ${to}`;
    counts.set(key, { from, to, users: (counts.get(key)?.users ?? 0) + 1 });
  });
  return [...counts.values()].toSorted((a, b) => b.users - a.users);
}

function countMoved(before: readonly Assigned[], now: readonly Assigned[]): number {
  return now.reduce((sum, { version }, i) => sum + (version === before[i]!.version ? 0 : 1), 0);
}

function countIf(all: readonly Assigned[], holds: (each: Assigned) => boolean): number {
  return all.reduce((sum, each) => sum + (holds(each) ? 1 : 0), 0);
}
