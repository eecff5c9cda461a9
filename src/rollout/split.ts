// The split in force: who owns which buckets. A frozen value that the controller publishes and the gateway reads.
import type { PercentByVersion, Policy, Rollout, Version } from './policy.ts';

/** Buckets a user's hash can fall in; one is 0.01 % of users. */
export const bucketCount = 10_000;

export type Split = {
  /** Every request goes to the baseline, rules included. */
  readonly rolledBack: boolean;
  /** Per version (index 0 is the baseline): percent of users. */
  readonly percents: readonly number[];
  /** Per candidate, in listed order: the first bucket above its range. */
  readonly upperBounds: readonly number[];
};

/** Lays the candidates out from bucket 0 in listed order; the baseline owns the rest. The percentages add up to 100 at most. */
export function layOutSplit(versions: readonly Version[], percentOf: PercentByVersion, rolledBack = false): Split {
  const candidates = versions.slice(1).map((version) => (rolledBack ? 0 : (percentOf[version.name] ?? 0)));
  let bound = 0;
  const upperBounds = candidates.map((percent) => (bound += Math.round(percent * 100)));
  const percents = [100 - bound / 100, ...candidates];
  return Object.freeze({ rolledBack, percents: Object.freeze(percents), upperBounds: Object.freeze(upperBounds) });
}

/** Index of the version that owns a bucket; 0 is the baseline. Cost: linear in the number of candidates. */
export function versionIndexAt(upperBounds: readonly number[], bucket: number): number {
  for (let i = 0; i < upperBounds.length; i += 1) if (bucket < upperBounds[i]!) return i + 1;
  return 0;
}

/** Where the split in force lives: written by the controller, read once a request. */
export type SplitCell = { current: Split };

/** The cells of all rollouts, by name. A rollout whose versions change gets a new cell: the old one goes with the old policy. */
export class SplitCells {
  readonly #cells = new Map<string, { readonly versions: string; readonly cell: SplitCell }>();

  /** The cell of a rollout; made with the policy's own split where there was none. */
  of(rollout: Rollout): SplitCell {
    const versions = rollout.versions.map(({ name }) => name).join(' ');
    const known = this.#cells.get(rollout.name);
    if (known !== undefined && known.versions === versions) return known.cell;
    const cell = { current: layOutSplit(rollout.versions, rollout.split) };
    this.#cells.set(rollout.name, { versions, cell });
    return cell;
  }

  /** Forgets the rollouts that a policy does not name. */
  keepOnly(policy: Pick<Policy, 'rollouts'>): void {
    const named = new Set(policy.rollouts.map(({ name }) => name));
    for (const name of this.#cells.keys()) if (!named.has(name)) this.#cells.delete(name);
  }
}
