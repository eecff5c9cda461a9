// Rollouts as the control process and its workers call them: a number each, kept as long as release and versions stay the same.
import type { Policy, Rollout } from '../rollout/policy.ts';
import { versionNamesOf } from './split-places.ts';

export class RolloutNumbers {
  #lastNumber = 0;
  #numbers = new Map<string, number>();
  #rollouts = new Map<number, Rollout>();

  /** Numbers the rollouts of a policy, in turn. What another policy called by a number that is not among them is gone. */
  follow({ rollouts }: Pick<Policy, 'rollouts'>): readonly number[] {
    const numbers = new Map(
      rollouts.map((rollout) => [keyOf(rollout), this.#numbers.get(keyOf(rollout)) ?? (this.#lastNumber += 1)]),
    );
    this.#numbers = numbers;
    this.#rollouts = new Map(rollouts.map((rollout) => [numbers.get(keyOf(rollout))!, rollout]));
    return [...numbers.values()];
  }

  find(number: number): Rollout | null {
    return this.#rollouts.get(number) ?? null;
  }
}

/** What has to be the same for figures of one policy to count on in the next. */
function keyOf(rollout: Rollout): string {
  return JSON.stringify([rollout.name, rollout.staging.release, versionNamesOf(rollout)]);
}
