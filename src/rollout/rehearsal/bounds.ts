// Where a rollout may cut its users in two, known before it begins.
import type { Staging } from '../staging.ts';

/** Every percent that the candidate may have, and with other candidates in a fixed split where these end. */
export function boundsOf(staging: Staging): number[] {
  const { stages, bake, split, candidates } = staging;
  const fixed = split[candidates[0]] ?? 0;
  return [
    ...stages.map(({ percent }) => percent),
    ...(bake === null ? [] : [Math.round(10_000 - bake.controlPercent * 100) / 100]),
    fixed,
    fixed + otherPercentOf(staging),
  ];
}

/** Percent of users that a fixed split gives to the candidates after the first; 0 with stages. */
export function otherPercentOf({ split, candidates }: Staging): number {
  return candidates.slice(1).reduce((sum, name) => sum + (split[name] ?? 0), 0);
}
