// Who has which users in a rehearsal: the candidates one after the other from the first user on, the baseline the rest.
import type { PercentByVersion } from '../policy.ts';
import { comparedCandidates, type Staging } from '../staging.ts';

/** By version in listed order, the baseline first. */
export type Shares = {
  readonly percents: readonly number[];
  /** Of the candidates alone: the percent of users where each one's range ends. */
  readonly upperPercents: readonly number[];
};

/** The shares of a split. */
export function sharesOf({ candidates }: Pick<Staging, 'candidates'>, split: PercentByVersion): Shares {
  let buckets = 0;
  const upperPercents = candidates.map((name) => (buckets += Math.round(100 * (split[name] ?? 0))) / 100);
  return { percents: [100 - buckets / 100, ...candidates.map((name) => split[name] ?? 0)], upperPercents };
}

/** Index of the version that has the users below a percent; 0 is the baseline. */
export function ownerBelow(percent: number, { upperPercents }: Shares): number {
  return upperPercents.findIndex((upper) => percent <= upper) + 1;
}

/** Every percent at which a rollout may cut its users in two, known before it begins. */
export function boundsOf(staging: Staging): number[] {
  const { stages, bake, split } = staging;
  return [
    ...stages.map(({ percent }) => percent),
    ...(bake === null ? [] : [Math.round(10_000 - bake.controlPercent * 100) / 100]),
    ...sharesOf(staging, split).upperPercents,
  ];
}

/** The candidates that get users by the split or the stages; at least one, the first where nobody does. */
export function candidatesWithUsers(staging: Staging): readonly [string, ...string[]] {
  const compared = comparedCandidates(staging);
  if (staging.stages.length > 0) return compared;
  const [first = compared[0], ...others] = compared.filter((name) => (staging.split[name] ?? 0) > 0);
  return [first, ...others];
}
