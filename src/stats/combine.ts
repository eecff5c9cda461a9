// Several tests, one alarm: the weighted mean of their evidence is evidence again, however they depend on each other.
import { logSumExp } from './log-space.ts';

/** One test's say; the weights of all add up to 1 and are fixed before the data. */
export type WeightedEvidence = { readonly weight: number; readonly logEvidence: number };

/** `strongest` is the position of the part that contributes most: the reason to name. */
export type Combined = { readonly logEvidence: number; readonly strongest: number };

/** ln Σ weight · evidence. Compare with `logThreshold(alpha)`. Throws a RangeError when the weights are not above 0 or do not add up to 1. */
export function combineEvidence(parts: readonly WeightedEvidence[]): Combined {
  const sum = parts.reduce((total, { weight }) => total + weight, 0);
  if (!(Math.abs(sum - 1) < 1e-9)) throw new RangeError(`weights must add up to 1, not ${sum}`);
  const contributions = parts.map(({ weight, logEvidence }) => {
    if (!(weight > 0)) throw new RangeError(`a weight must be above 0, not ${weight}`);
    return Math.log(weight) + logEvidence;
  });
  const logEvidence = logSumExp(contributions);
  return { logEvidence, strongest: contributions.indexOf(Math.max(...contributions)) };
}
