// The tests that let a stage pass: they prove "not worse than the margin", which elapsed time never does.
// No restarts; their evidence starts anew at every stage.
import { requireInside } from './domain.ts';
import { requireTest } from './stratum.ts';
import type { StratumTest } from './stratum.ts';

const bets = { as: 'fraction', values: [0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95] } as const;

/**
 * Proves candidate < ratio * baseline + plus of failures. Throws a RangeError outside `ratio > 0`, `0 <= plus < 1`.
 * The margin must be wider than the guard's; 1.5 and 0.001 are sound defaults.
 */
export function errorPromotionTest({ ratio, plus }: { ratio: number; plus: number }): StratumTest {
  return checked({ against: 'safety', ratio, plus, centre: 0, bets, firstShare: 1 });
}

/** Proves one latency quantile (above 0 and below 1) on counts above a threshold that was fixed before the stratum. */
export function latencyPromotionTest(quantile: number): StratumTest {
  requireInside('quantile', quantile);
  return checked({ against: 'safety', ratio: 1, plus: 0, centre: 1 - quantile, bets, firstShare: 1 });
}

function checked(test: StratumTest): StratumTest {
  requireTest(test);
  return test;
}
