// The decision told step by step, for people. It takes the long way through the same order and is always of `decide`'s opinion.
import type { CompiledRollout } from './compiled-rollout.ts';
import { readable } from './condition-text.ts';
import type { Reason } from './decide.ts';
import {
  type BucketArithmetic,
  bucketArithmetic,
  type TriedPlace,
  type TriedRollout,
  type TriedRule,
  type TriedSource,
  tryMatch,
  tryPlaces,
  tryRule,
  trySources,
} from './explain-steps.ts';
import type { Facts } from './facts.ts';
import { givenId, knownUser } from './identity.ts';
import type { RolloutTable } from './matching.ts';
import type { ByteString, Rollout, UserIdentity } from './policy.ts';
import { standsAside } from './population.ts';
import { Readings } from './readings.ts';
import type { CompiledRule } from './rule-index.ts';
import { isAsset, pageVersion } from './skew.ts';
import type { Split } from './split.ts';
import { fitsFilter } from './request-filter.ts';

/** A step that was taken; `tried` ends with the first that fits. Values are readable text, not bytes. */
export type Step =
  | { readonly step: 'match'; readonly host: string; readonly path: string; readonly tried: readonly TriedRollout[] }
  | { readonly step: 'identity'; readonly tried: readonly TriedSource[]; readonly user: string | null }
  | { readonly step: 'rolled-back'; readonly rolledBack: boolean }
  | { readonly step: 'skew'; readonly page: string | null }
  | { readonly step: 'rules'; readonly tried: readonly TriedRule[]; readonly rule: string | null }
  | { readonly step: 'anonymous'; readonly gets: UserIdentity['anonymous']; readonly user: string | null }
  | { readonly step: 'population'; readonly tried: readonly TriedPlace[] }
  | { readonly step: 'exclude'; readonly excluded: boolean }
  | ({ readonly step: 'bucket'; readonly splitOf: 'rollout' | 'rule' } & BucketArithmetic);

/** A `Decision` with names for the things. */
export type ExplainedDecision = {
  readonly rollout: string;
  readonly version: string;
  readonly reason: Reason;
  readonly rule: string | null;
  readonly bucket: number | null;
  readonly user: string | null;
  readonly issueCookie: boolean;
};

/** Plain and JSON-safe. `decision` is null where no rollout takes the request. */
export type Explanation = { readonly steps: readonly Step[]; readonly decision: ExplainedDecision | null };

/** Explains from the matching on; `splitOf` gives the split in force of the rollout that matched. */
export function explain(table: RolloutTable, splitOf: (rollout: Rollout) => Split, facts: Facts): Explanation {
  const tried: TriedRollout[] = [];
  const match: Step = { step: 'match', host: facts.host, path: readable(facts.path), tried };
  for (const compiled of table.rollouts) {
    const { rollout } = compiled;
    const result = tryMatch(rollout.name, rollout.match, facts);
    tried.push(result);
    if (result.host === null || result.path === null) continue;
    const { steps, decision } = explainRollout(compiled, splitOf(rollout), facts);
    return { steps: [match, ...steps], decision };
  }
  return { steps: [match], decision: null };
}

/** Explains what one rollout does with a request, whether its `match` fits or not. */
export function explainRollout(compiled: CompiledRollout, split: Split, facts: Facts): Explanation {
  const { rollout, identity } = compiled;
  const readings = new Readings(compiled.slots, facts);
  const user = knownUser(identity, readings);
  readings.setUser(user);
  const steps: Step[] = [
    { step: 'identity', tried: trySources(compiled, readings), user: readableOrNull(user) },
    { step: 'rolled-back', rolledBack: split.rolledBack },
  ];
  const end = (answer: Pick<ExplainedDecision, 'version' | 'reason'> & Partial<ExplainedDecision>): Explanation => {
    const plain = { rollout: rollout.name, rule: null, bucket: null, user: readableOrNull(user), issueCookie: false };
    const { excluded } = compiled;
    if (excluded !== null) steps.push({ step: 'exclude', excluded: fitsFilter(excluded, facts, user) });
    return { steps, decision: { ...plain, ...answer } };
  };
  const baseline = rollout.versions[0].name;
  if (split.rolledBack) return end({ version: baseline, reason: 'rolled-back' });

  if (isAsset(rollout, facts)) {
    const page = pageVersion(rollout, facts);
    steps.push({ step: 'skew', page: page?.name ?? null });
    if (page !== null) return end({ version: page.name, reason: 'skew' });
  }
  const held = explainRules(compiled, readings, steps);
  const rule = held?.rule.name ?? null;
  if (held?.rule.then.kind === 'use') return end({ version: held.rule.then.version.name, reason: 'rule', rule });

  const reason = held !== null ? 'rule' : user === null ? 'anonymous' : 'split';
  const given = user ?? givenId(identity, readings, facts);
  if (user === null) steps.push({ step: 'anonymous', gets: identity.anonymous, user: readableOrNull(given) });
  if (given === null) return end({ version: baseline, reason, rule });

  const issueCookie = user === null && identity.anonymous === 'cookie';
  if (compiled.population !== null) {
    steps.push({ step: 'population', tried: tryPlaces(compiled.population, given) });
    const aside = standsAside(compiled.population, given);
    if (aside !== null) return end({ version: baseline, reason: aside, user: readable(given), issueCookie });
  }
  const arithmetic = bucketArithmetic(compiled, held?.upperBounds ?? split.upperBounds, given);
  steps.push({ step: 'bucket', splitOf: held === null ? 'rollout' : 'rule', ...arithmetic });
  const { version, bucket } = arithmetic;
  return end({ version, reason, rule, bucket, user: readable(given), issueCookie });
}

/** Tries the rules in listed order; takes the step down and gives the first that holds. */
function explainRules(compiled: CompiledRollout, readings: Readings, steps: Step[]): CompiledRule | null {
  const tried: TriedRule[] = [];
  let held: CompiledRule | null = null;
  for (const rule of compiled.rules.rules) {
    const result = tryRule(rule, readings);
    tried.push(result);
    if (!result.holds) continue;
    held = rule;
    break;
  }
  steps.push({ step: 'rules', tried, rule: held?.rule.name ?? null });
  return held;
}

function readableOrNull(bytes: ByteString | null): string | null {
  return bytes === null ? null : readable(bytes);
}
