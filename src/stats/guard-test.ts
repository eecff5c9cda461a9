// The tests that can roll back: "the candidate is worse than the baseline by more than is tolerated".
import { requireInside } from './domain.ts';
import { requireTest } from './stratum.ts';
import type { StratumTest } from './stratum.ts';

/** True rate ratios, over the tolerated one, that the error guard bets on. */
const rateRatios = [1.15, 1.4, 1.8, 2.5, 4, 8, 25, 100] as const;
/** Fractions of the largest stake that the latency guard bets. */
const fractions = [0.005, 0.015, 0.04, 0.08, 0.16, 0.3, 0.5, 0.8] as const;
/** Costs 0.22 nats and leaves a fifth for restarts. */
const firstShare = 0.8;

/**
 * Guards failures: raises the alarm when candidate > ratio * baseline + plus. Throws a RangeError outside `ratio > 0`, `0 <= plus < 1`.
 * With ratio 1 and plus 0 any true difference, however small, triggers in the end; 1.1 and 0.0005 are sound defaults.
 */
export function errorGuardTest({ ratio, plus }: { ratio: number; plus: number }): StratumTest {
  return checked({
    against: 'harm',
    ratio,
    plus,
    centre: 0,
    bets: { as: 'rate-ratio', values: rateRatios },
    firstShare,
  });
}

/** Guards one latency quantile (above 0 and below 1): counts requests above a threshold that was fixed before the stratum. */
export function latencyGuardTest(quantile: number): StratumTest {
  requireInside('quantile', quantile);
  return checked({
    against: 'harm',
    ratio: 1,
    plus: 0,
    centre: 1 - quantile,
    bets: { as: 'fraction', values: fractions },
    firstShare,
  });
}

function checked(test: StratumTest): StratumTest {
  requireTest(test);
  return test;
}
