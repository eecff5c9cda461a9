// One rollout prepared for deciding: its rules filed, its facts numbered. Built at load, shared by all requests.
import { bucketPrefix } from './bucket.ts';
import { compileIdentity, type IdentityChain } from './identity.ts';
import { compilePopulation, type Population } from './population.ts';
import type { ByteString, Rollout } from './policy.ts';
import { SlotLayout, type Slots } from './readings.ts';
import { compileRules, type RuleIndex } from './rule-index.ts';
import { compileFilter, type RequestFilter } from './request-filter.ts';

export type CompiledRollout = {
  readonly rollout: Rollout;
  /** `<salt>:`, what is hashed in front of the user ID. */
  readonly prefix: ByteString;
  readonly identity: IdentityChain;
  readonly rules: RuleIndex;
  /** Whom the split is asked about; null: everyone. */
  readonly population: Population | null;
  /** Requests that count in no comparison; null: none. */
  readonly excluded: RequestFilter | null;
  /** The facts that it reads. */
  readonly slots: Slots;
  /** A claim decides something: the token of a request must be verified before `decide`. */
  readonly needsClaims: boolean;
};

/** Prepares a rollout. Cost: linear in its rules; long user lists are not copied. */
export function compileRollout(rollout: Rollout): CompiledRollout {
  const layout = new SlotLayout();
  const identity = compileIdentity(rollout.user, layout);
  const rules = compileRules(rollout.rules, rollout.versions, layout);
  const slots = layout.finish();
  const population = compilePopulation(rollout);
  const excluded = compileFilter(rollout.exclude);
  const sources = [...slots.sources, ...(excluded?.slots.sources ?? [])];
  const needsClaims = rollout.user.jwt !== null && sources.some((source) => source.on === 'jwt');
  const prefix = bucketPrefix(rollout.salt);
  return Object.freeze({ rollout, prefix, identity, rules, population, excluded, slots, needsClaims });
}
