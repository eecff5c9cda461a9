// The tallies of one process: one for each version that the policy in force names, and one for what no rollout took.
import type { Policy } from '../rollout/policy.ts';
import { Tally } from './tally.ts';

export class TallyBook {
  /** Requests that no rollout took. */
  readonly unmatched = new Tally('', '');
  readonly #tallies = new Map<string, Tally>();

  /** The tally of a version; the same one as long as some policy names the version. */
  probe(rollout: string, version: string): Tally {
    const key = `${rollout}/${version}`;
    let tally = this.#tallies.get(key);
    if (tally === undefined) this.#tallies.set(key, (tally = new Tally(rollout, version)));
    return tally;
  }

  /** The tally that has these names, the unmatched one's being empty; null for a version that the policy does not name. */
  find(rollout: string, version: string): Tally | null {
    return rollout === '' ? this.unmatched : (this.#tallies.get(`${rollout}/${version}`) ?? null);
  }

  /** Forgets the versions that a policy does not name, opens a tally for those that it does, and returns these as `rollout/version`. */
  follow({ rollouts }: Pick<Policy, 'rollouts'>): ReadonlySet<string> {
    const named = new Set(rollouts.flatMap(({ name, versions }) => versions.map((each) => `${name}/${each.name}`)));
    for (const key of this.#tallies.keys()) if (!named.has(key)) this.#tallies.delete(key);
    for (const { name, versions } of rollouts) for (const version of versions) this.probe(name, version.name);
    return named;
  }

  all(): Tally[] {
    return [...this.#tallies.values(), this.unmatched];
  }
}
