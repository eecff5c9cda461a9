// The decision as SPEC section 3 puts it, with no index and nothing prepared: the yardstick for the one that has both.
import { bucketOf } from '../../src/rollout/bucket.ts';
import type { Facts } from '../../src/rollout/facts.ts';
import type { ByteString, Rollout, Version } from '../../src/rollout/policy.ts';
import type { Condition, Matcher } from '../../src/rollout/rule.ts';

/** What `decide` should answer, with the version by name. */
export type NaiveDecision = {
  readonly version: string;
  readonly reason: string;
  readonly rule: string | null;
  readonly bucket: number | null;
  readonly user: ByteString | null;
  readonly issueCookie: boolean;
};

/** Decides by trying every rule in order; `percentOf` is the split in force. */
export function decideNaively(
  rollout: Rollout,
  { percentOf, rolledBack }: { percentOf: Readonly<Record<string, number>>; rolledBack: boolean },
  facts: Facts,
): NaiveDecision {
  const user = userOf(rollout, facts);
  const baseline = { version: rollout.versions[0].name, rule: null, bucket: null, user, issueCookie: false };
  if (rolledBack) return { ...baseline, reason: 'rolled-back' };
  const rule = rollout.rules.find(({ when }) => when.every((condition) => holds(condition, user, facts)));
  if (rule?.then.kind === 'use') {
    return { ...baseline, version: rule.then.version.name, reason: 'rule', rule: rule.name };
  }
  const why = { reason: rule ? 'rule' : user === null ? 'anonymous' : 'split', rule: rule?.name ?? null };
  const { anonymous } = rollout.user;
  const id = user ?? (anonymous === 'cookie' ? facts.freshUserId() : anonymous === 'ip' ? facts.ip || null : null);
  if (id === null) return { ...baseline, ...why };
  const issueCookie = user === null && anonymous === 'cookie';
  const aside = whyAside(rollout, id);
  if (aside !== null) return { ...baseline, reason: aside, user: id, issueCookie };
  const bucket = bucketOf(`${rollout.salt}:`, id);
  const version = ownerOf(bucket, rollout.versions, rule?.then.kind === 'split' ? rule.then.split : percentOf);
  return { ...why, version, bucket, user: id, issueCookie };
}

function whyAside({ layer, holdout }: Rollout, id: ByteString): string | null {
  if (holdout !== null && bucketOf(`holdout:${holdout.salt}:`, id) < holdout.percent * 100) return 'holdout';
  if (layer === null) return null;
  const place = bucketOf(`layer:${layer.salt}:`, id) / 100;
  return place >= layer.fromPercent && place < layer.toPercent ? null : 'layer';
}

function ownerOf(bucket: number, versions: readonly Version[], percentOf: Readonly<Record<string, number>>): string {
  let percent = 0;
  for (const { name } of versions.slice(1)) {
    percent += percentOf[name] ?? 0;
    if (bucket < Math.round(percent * 100)) return name;
  }
  return versions[0]!.name;
}

function userOf({ user: { from, anonymous } }: Rollout, facts: Facts): ByteString | null {
  for (const source of from) {
    const value =
      source.kind === 'ip'
        ? facts.ip
        : source.kind === 'jwt'
          ? facts.claim(source.claim)
          : facts[source.kind](source.name);
    if (value && value.length <= 1_024) return value;
  }
  const issued = anonymous === 'cookie' ? facts.cookie('graygate_uid') : undefined;
  return issued && /^[0-9a-f]{32}$/.test(issued) ? issued : null;
}

function holds(condition: Condition, user: ByteString | null, facts: Facts): boolean {
  switch (condition.on) {
    case 'user':
      return fits(condition.matches, user ?? undefined);
    case 'method':
    case 'host':
      return fits(condition.matches, facts[condition.on] || undefined);
    case 'jwt':
      return fits(condition.matches, facts.claim(condition.name));
    case 'path':
      return condition.prefixes.some((prefix) => prefix === '' || `${facts.path}/`.startsWith(`${prefix}/`));
    case 'ip':
      return facts.ip !== '' && condition.within.has(facts.ip);
    default:
      return fits(condition.matches, facts[condition.on](condition.name));
  }
}

function fits(matcher: Matcher, value: ByteString | undefined): boolean {
  if (matcher.kind === 'exists') return (value !== undefined) === matcher.expected;
  if (value === undefined) return false;
  if (matcher.kind === 'any-of') return [...matcher.values].includes(value);
  if (matcher.kind === 'pattern') return matcher.pattern.test(value);
  const text = matcher.text;
  const at = { prefix: value.indexOf(text) === 0, contains: value.includes(text), suffix: value.endsWith(text) };
  return at[matcher.kind];
}
