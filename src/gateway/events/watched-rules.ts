// The events that a rollout's requests may be: its own, and those of rollouts on the same hosts that name a path, because the
// order is often placed with another service than the one that is rolled out.
import { readsClaims, takesSameTokens } from '../../rollout/claims.ts';
import { standsAside } from '../../rollout/population.ts';
import { type CompiledRollout, compileRollout } from '../../rollout/compiled-rollout.ts';
import type { EventRule } from '../../rollout/experiment.ts';
import { knownUser } from '../../rollout/identity.ts';
import { hostFits } from '../../rollout/matching.ts';
import type { ByteString, Policy, Rollout } from '../../rollout/policy.ts';
import type { Condition } from '../../rollout/rule.ts';
import { Readings } from '../../rollout/readings.ts';
import { compileFilter, fitsFilter, type RequestFilter } from '../../rollout/request-filter.ts';
import type { WatchedRequest } from '../answer-tap.ts';

/** An event of `of`, which is the rollout that decides about the request or another one. */
export type WatchedRule = {
  readonly rule: EventRule;
  readonly of: CompiledRollout;
  readonly isOwn: boolean;
  /** What its headers must be; null: anything. */
  readonly headers: RequestFilter | null;
};

/** Every event that requests decided by `rollout` may be. */
export function rulesWatchedIn(rollout: Rollout, { rollouts }: Pick<Policy, 'rollouts'>): WatchedRule[] {
  return rollouts.flatMap((other) => {
    const isOwn = other === rollout;
    const rules = other.events.filter(({ fromTraffic, paths }) => fromTraffic && (isOwn || paths.length > 0));
    if (rules.length === 0) return [];
    if (!isOwn && readsClaims(other) && !takesSameTokens(other, rollout)) return [];
    const of = compileRollout(other);
    return rules.map((rule) => ({ rule, of, isOwn, headers: filterOf(rule) }));
  });
}

/** The user who does the event with this request; null: nobody who counts. */
export function doerOf({ of, isOwn, headers }: WatchedRule, { facts, decision }: WatchedRequest): ByteString | null {
  const user = isOwn ? decision.user : userOfOther(of, facts);
  if (user === null) return null;
  if (headers !== null && !fitsFilter(headers, facts, user)) return null;
  if (of.excluded !== null && fitsFilter(of.excluded, facts, user)) return null;
  return of.population !== null && standsAside(of.population, user) !== null ? null : user;
}

function userOfOther({ rollout, identity, slots }: CompiledRollout, facts: WatchedRequest['facts']): ByteString | null {
  const { hosts } = rollout.match;
  if (hosts.length > 0 && !hosts.some((pattern) => hostFits(pattern, facts.host))) return null;
  return knownUser(identity, new Readings(slots, facts));
}

function filterOf({ headers }: EventRule): RequestFilter | null {
  const conditions = headers.map(({ name, matches }): Condition => ({ on: 'header', name, matches }));
  return conditions.length === 0 ? null : compileFilter([conditions]);
}
