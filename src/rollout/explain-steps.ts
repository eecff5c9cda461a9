// The steps of a decision as plain records, each taken the long way: every source, rule and condition is asked, so that what
// did not hold can be shown too. For people; never in the way of a request.
import { bucketOf, hashUser } from './bucket.ts';
import type { CompiledRollout } from './compiled-rollout.ts';
import { describeCondition, describeHost, readable } from './condition-text.ts';
import { conditionHolds } from './condition.ts';
import type { Facts } from './facts.ts';
import { isIssuedId, isUsableId } from './identity.ts';
import { hostFits } from './matching.ts';
import { isPathWithin } from './path.ts';
import type { ByteString } from './policy.ts';
import type { Match } from './rule.ts';
import type { Places, Population, StandsAside } from './population.ts';
import { nameOf, type Readings } from './readings.ts';
import type { CompiledRule } from './rule-index.ts';
import { bucketCount, versionIndexAt } from './split.ts';

/** `host` and `path`: the pattern that fits (`*` and `/` where the rollout takes every one), null if none does. */
export type TriedRollout = { readonly rollout: string; readonly host: string | null; readonly path: string | null };

/** Whether a rollout takes the request, and by which of its patterns. */
export function tryMatch(rollout: string, match: Match, facts: Pick<Facts, 'host' | 'path'>): TriedRollout {
  const host = match.hosts.find((pattern) => hostFits(pattern, facts.host));
  const path = match.paths.find((prefix) => isPathWithin(facts.path, prefix));
  return {
    rollout,
    host: match.hosts.length === 0 ? '*' : host === undefined ? null : describeHost(host),
    path: match.paths.length === 0 || path === '' ? '/' : path === undefined ? null : readable(path),
  };
}

/** `not-issued`: the cookie does not hold an ID in the form that graygate issues. */
export type TriedSource = {
  readonly source: string;
  readonly value: string | null;
  readonly outcome: 'used' | 'absent' | 'empty' | 'too-long' | 'not-issued';
};

/** Each identity source up to the one that gave the ID. */
export function trySources({ identity, slots }: CompiledRollout, readings: Readings): TriedSource[] {
  const tried: TriedSource[] = [];
  const issued = identity.issuedSlot === null ? [] : [identity.issuedSlot];
  for (const [i, slot] of [...identity.slots, ...issued].entries()) {
    const value = readings.at(slot);
    const outcome = i < identity.slots.length ? outcomeOf(value) : issuedOutcomeOf(value);
    tried.push({ source: nameOf(slots.sources[slot]!), value: value === undefined ? null : readable(value), outcome });
    if (outcome === 'used') break;
  }
  return tried;
}

function outcomeOf(value: ByteString | undefined): TriedSource['outcome'] {
  if (isUsableId(value)) return 'used';
  if (value === undefined) return 'absent';
  return value === '' ? 'empty' : 'too-long';
}

function issuedOutcomeOf(value: ByteString | undefined): TriedSource['outcome'] {
  if (isIssuedId(value)) return 'used';
  return value === undefined ? 'absent' : 'not-issued';
}

export type TriedRule = {
  readonly rule: string;
  readonly holds: boolean;
  readonly conditions: readonly {
    readonly condition: string;
    readonly value: string | null;
    readonly holds: boolean;
  }[];
};

/** One rule with every condition, also those after the first that does not hold. */
export function tryRule({ rule, conditions }: CompiledRule, readings: Readings): TriedRule {
  const tried = conditions.map((condition, i) => {
    const value = readings.at(condition.slot);
    return {
      condition: describeCondition(rule.when[i]!),
      value: value === undefined ? null : readable(value),
      holds: conditionHolds(condition, readings),
    };
  });
  return { rule: rule.name, holds: tried.every(({ holds }) => holds), conditions: tried };
}

/** A hash of its own: `place` is that of `hashed` modulo 10000, and within if from `from` and below `below`. */
export type TriedPlace = {
  readonly of: StandsAside;
  readonly hashed: string;
  readonly place: number;
  readonly from: number;
  readonly below: number;
  readonly isWithin: boolean;
};

/** Where a user stands in the holdout and the layer, as far as there are any. */
export function tryPlaces({ heldOut, layer }: Population, user: ByteString): TriedPlace[] {
  const tried = (of: StandsAside, places: Places | null): TriedPlace[] => {
    if (places === null) return [];
    const { prefix, from, below } = places;
    const place = bucketOf(prefix, user);
    return [{ of, hashed: readable(prefix + user), place, from, below, isWithin: place >= from && place < below }];
  };
  return [...tried('holdout', heldOut), ...tried('layer', layer)];
}

/** `from` is in the range, `below` is not. */
export type BucketRange = { readonly version: string; readonly from: number; readonly below: number };

export type BucketArithmetic = {
  /** What is hashed: `<salt>:<user>`. */
  readonly hashed: string;
  /** murmur3_x86_32 of it, unsigned. */
  readonly hash: number;
  /** `hash` mod 10000. */
  readonly bucket: number;
  /** Candidates in listed order, the baseline last. */
  readonly ranges: readonly BucketRange[];
  readonly version: string;
};

/** How the bucket comes about and whose it is. */
export function bucketArithmetic(
  { rollout, prefix }: CompiledRollout,
  upperBounds: readonly number[],
  user: ByteString,
): BucketArithmetic {
  const [baseline, ...candidates] = rollout.versions;
  const starts = [0, ...upperBounds];
  const ranges = [...candidates, baseline].map(({ name }, i) => ({
    version: name,
    from: starts[i]!,
    below: upperBounds[i] ?? bucketCount,
  }));
  const bucket = bucketOf(prefix, user);
  const version = rollout.versions[versionIndexAt(upperBounds, bucket)]!.name;
  return { hashed: readable(prefix + user), hash: hashUser(prefix, user), bucket, ranges, version };
}
