// Evidence that counts did not fall with the expected shares: Dirichlet-multinomial Bayes factor (Lindon & Malek 2022).
import { requireCount, requirePositive, requireRate } from './domain.ts';
import { stirlingError } from './log-gamma.ts';

/**
 * ln of the evidence against "each unit falls in cell i with chance `shares[i]`", prior concentrated around the shares by `concentration`.
 * Infinity when a cell of share 0 is not empty; 0 for no counts. Throws a RangeError for impossible counts, or shares that do not add up to 1.
 * The difference of log gammas is written with the large terms cancelled, so it keeps about `n` ulps, not `n ln n`.
 */
export function logShareEvidence(counts: readonly number[], shares: readonly number[], concentration: number): number {
  requireCells(counts, shares);
  requirePositive('concentration', concentration);
  if (counts.some((count, i) => shares[i] === 0 && count > 0)) return Infinity;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const mass = concentration + total;
  const cellCount = shares.filter((share) => share > 0).length;
  let log =
    stirlingError(concentration) - stirlingError(mass) - ((cellCount - 1) / 2) * Math.log1p(total / concentration);
  counts.forEach((count, i) => {
    const share = shares[i]!;
    if (share === 0) return;
    const prior = concentration * share;
    const excess = (count - total * share) / (mass * share);
    log += (prior + count - 0.5) * Math.log1p(excess) + stirlingError(prior + count) - stirlingError(prior);
  });
  return log;
}

function requireCells(counts: readonly number[], shares: readonly number[]): void {
  if (counts.length !== shares.length || counts.length === 0) {
    throw new RangeError(`counts and shares must be of one length, not ${counts.length} and ${shares.length}`);
  }
  for (const count of counts) requireCount('a count', count);
  for (const share of shares) requireRate('a share', share);
  const sum = shares.reduce((total, share) => total + share, 0);
  if (!(Math.abs(sum - 1) < 1e-9)) throw new RangeError(`shares must add up to 1, not ${sum}`);
}
