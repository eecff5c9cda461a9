// The decision: which version a request gets from its rollout, and why. Pure; the order is SPEC 3.
import { bucketOf } from './bucket.ts';
import type { CompiledRollout } from './compiled-rollout.ts';
import type { Facts } from './facts.ts';
import { givenId, knownUser } from './identity.ts';
import type { ByteString, Rollout, Version } from './policy.ts';
import { standingAside, standsAside } from './population.ts';
import { Readings } from './readings.ts';
import { firstRule } from './rule-index.ts';
import { isAsset, pageVersion } from './skew.ts';
import { type Split, versionIndexAt } from './split.ts';

/** Why a request got its version. */
export const reasons = ['rolled-back', 'skew', 'rule', 'anonymous', 'split', ...standingAside] as const;

export type Reason = (typeof reasons)[number];

export type Decision = {
  readonly rollout: Rollout;
  readonly version: Version;
  readonly reason: Reason;
  /** The rule that held; null for any other reason. */
  readonly rule: string | null;
  /** 0–9999; null where no bucket was asked for. */
  readonly bucket: number | null;
  /** The ID that the request has, or was given for the bucket; null: it has none. */
  readonly user: ByteString | null;
  /** The gateway must issue `user` as the cookie `graygate_uid`. */
  readonly issueCookie: boolean;
};

/**
 * Decides for a request that `matchRollout` gave to this rollout. Each fact is read at most once.
 *
 * An asset comes from the version of its page (`skew`), which is no choice by chance: it counts for no comparison.
 * A rolled-back rollout sends everyone to the baseline, rules included, and issues nothing. A rule that holds is the reason
 * even where its own split is asked; a request without an ID then gets what `anonymous` says, as it does from the rollout's
 * split. Whoever is held out, or belongs to another rollout of the layer, is asked by neither split and gets the baseline. Cost: independent of the length of user lists; see `firstRule`.
 */
export function decide(compiled: CompiledRollout, split: Split, facts: Facts): Decision {
  const { rollout } = compiled;
  const readings = new Readings(compiled.slots, facts);
  const user = knownUser(compiled.identity, readings);
  readings.setUser(user);
  const plain = { rollout, version: rollout.versions[0], rule: null, bucket: null, user, issueCookie: false };
  if (split.rolledBack) return { ...plain, reason: 'rolled-back' };
  const page = rollout.skew !== null && isAsset(rollout, facts) ? pageVersion(rollout, facts) : null;
  if (page !== null) return { ...plain, version: page, reason: 'skew' };
  const held = firstRule(compiled.rules, readings);
  if (held?.rule.then.kind === 'use') {
    return { ...plain, version: held.rule.then.version, reason: 'rule', rule: held.rule.name };
  }
  const given = user ?? givenId(compiled.identity, readings, facts);
  const reason = held !== null ? 'rule' : user === null ? 'anonymous' : 'split';
  const rule = held?.rule.name ?? null;
  if (given === null) return { ...plain, reason, rule };
  const issueCookie = user === null && compiled.identity.anonymous === 'cookie';
  const aside = compiled.population === null ? null : standsAside(compiled.population, given);
  if (aside !== null) return { ...plain, reason: aside, user: given, issueCookie };
  const bucket = bucketOf(compiled.prefix, given);
  const version = rollout.versions[versionIndexAt(held?.upperBounds ?? split.upperBounds, bucket)]!;
  return { rollout, version, reason, rule, bucket, user: given, issueCookie };
}
