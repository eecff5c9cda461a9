// From when on the approximate intervals of A/B metrics may decide: below these counts their error rate was measured at up to 59 %.
import { requireCount } from './domain.ts';
import type { Proportion } from './sample.ts';

/** Users of each version, for a proportion. */
export const leastUsers = 100;
/** Users of each version who did it, and who did not. */
export const leastOfEither = 10;
/** Units of each version that are not 0, for means and ratios. */
export const leastOrders = 300;

/** Whether each version has 100 users, and 10 of either outcome. */
export function isProportionDecidable(...versions: readonly Proportion[]): boolean {
  return versions.every(({ userCount, hits }) => {
    requireCount('userCount', userCount);
    requireCount('hits', hits);
    return userCount >= leastUsers && Math.min(hits, userCount - hits) >= leastOfEither;
  });
}

/** Whether each version has 300 units that are not 0 (orders): asked of means and ratios of values, which must be capped as well. */
export function isValueDecidable(...orderCounts: readonly number[]): boolean {
  return orderCounts.every((count) => {
    requireCount('orderCount', count);
    return count >= leastOrders;
  });
}
