// How many requests a decision will take: the least that any valid test needs, and what the tests here need.
import { bisect } from './bisect.ts';
import { requireInside, requireRate } from './domain.ts';
import { logThreshold } from './evidence.ts';
import { logGains, requireTest, stakes } from './stratum.ts';
import type { StratumTest } from './stratum.ts';

/** What is expected of the traffic: the candidate's share (0–1, ends excluded) of the requests, and both hit rates (0–1). */
export type Expectation = { readonly share: number; readonly candidateRate: number; readonly baselineRate: number };

/** Requests of both versions together, and of the candidate alone; Infinity when the question can never be settled. */
export type RequestCount = { readonly total: number; readonly candidate: number };

/**
 * Requests until the test's evidence is expected to pass 1/alpha: the growth of its best bet has to pay for alpha and for the prior.
 * Within 20 % of the mean for guards that need 50 candidate requests or more; up to 1.75 times the median for promotions.
 */
export function plannedRequests(test: StratumTest, expectation: Expectation, alpha: number): RequestCount {
  requireTest(test);
  requireExpectation(expectation);
  const price = logThreshold(alpha) + Math.log(test.bets.values.length) - Math.log(test.firstShare);
  const best = Math.max(...stakes(test, expectation.share).map((stake) => growth(test, expectation, stake)));
  return requestCount(best > 0 ? price / best : Infinity, expectation.share);
}

/**
 * Requests below which no test can be valid at alpha and find the harm on average (Wald's bound for the composite null
 * "candidate <= ratio * baseline + plus"); Infinity when the rates are no harm.
 */
export function leastRequests(
  { ratio, plus }: { ratio: number; plus: number },
  expectation: Expectation,
  alpha: number,
): RequestCount {
  requireExpectation(expectation);
  const divergence = leastDivergence({ ratio, plus }, expectation);
  return requestCount(divergence > 0 ? logThreshold(alpha) / divergence : Infinity, expectation.share);
}

/** Information a request of either version carries about the harm: the Kullback-Leibler distance to the nearest harmless pair of rates. */
export function leastDivergence({ ratio, plus }: { ratio: number; plus: number }, expectation: Expectation): number {
  requireExpectation(expectation);
  const { share, candidateRate, baselineRate } = expectation;
  if (candidateRate <= ratio * baselineRate + plus) return 0;
  const slope = (rate: number): number => {
    const tolerated = ratio * rate + plus;
    return (
      (share * ratio * (tolerated - candidateRate)) / (tolerated * (1 - tolerated)) +
      ((1 - share) * (rate - baselineRate)) / (rate * (1 - rate))
    );
  };
  const nearest = bisect(baselineRate, Math.min((candidateRate - plus) / ratio, 1), (rate) => slope(rate) < 0);
  return share * distance(candidateRate, ratio * nearest + plus) + (1 - share) * distance(baselineRate, nearest);
}

/** Expected log factor of a stake, a request of either version. */
function growth(test: StratumTest, { share, candidateRate, baselineRate }: Expectation, stake: number): number {
  const gains = logGains(test, share, stake);
  return (
    share * (candidateRate * gains.candidateHit + (1 - candidateRate) * gains.candidateMiss) +
    (1 - share) * (baselineRate * gains.baselineHit + (1 - baselineRate) * gains.baselineMiss)
  );
}

/** Kullback-Leibler distance between two hit rates. */
function distance(rate: number, other: number): number {
  return surprise(rate, other) + surprise(1 - rate, 1 - other);
}

/** p ln(p / q), 0 when p is 0. */
function surprise(p: number, q: number): number {
  return p === 0 ? 0 : p * Math.log(p / q);
}

function requestCount(total: number, share: number): RequestCount {
  return { total, candidate: total * share };
}

function requireExpectation({ share, candidateRate, baselineRate }: Expectation): void {
  requireInside('share', share);
  requireRate('candidateRate', candidateRate);
  requireRate('baselineRate', baselineRate);
}
