// The outside sources of all rollouts of the policy in force.
import type { Rollout } from '../rollout/policy.ts';
import type { Verdict } from '../rollout/verdict.ts';
import { Sources } from './sources.ts';

export class SourceBoard {
  readonly #byRollout = new Map<string, Sources>();

  /** Asks what these rollouts name, and nothing else any more. */
  follow(rollouts: readonly Rollout[]): void {
    for (const { name, staging } of rollouts) {
      let sources = this.#byRollout.get(name);
      if (sources === undefined) this.#byRollout.set(name, (sources = new Sources(name)));
      sources.follow(staging);
    }
    const named = new Set(rollouts.map(({ name }) => name));
    for (const [name, sources] of this.#byRollout) {
      if (named.has(name)) continue;
      sources.close();
      this.#byRollout.delete(name);
    }
  }

  /** What the sources of a rollout say, in the order of its checks. */
  verdicts(rollout: string): readonly Verdict[] {
    return this.#byRollout.get(rollout)?.verdicts() ?? [];
  }

  /** Forgets what the sources of a rollout have said. */
  anew(rollout: string): void {
    this.#byRollout.get(rollout)?.anew();
  }

  close(): void {
    for (const sources of this.#byRollout.values()) sources.close();
    this.#byRollout.clear();
  }
}
