// One stratum (a short slice of time): how much each bet gains when candidate and baseline are compared within it.
// Valid for any split, any size of the rates and any drift between strata: products of such factors over strata are evidence.
import { requireCount, requirePositive } from './domain.ts';

/** Requests that completed in a stratum. A hit is what the test counts: a failure, or a request slower than a threshold. */
export type StratumCounts = {
  readonly candidateCount: number;
  readonly candidateHits: number;
  readonly baselineCount: number;
  readonly baselineHits: number;
};

/**
 * What is bet against, in every stratum, over the mean hit rates of the two versions.
 * `harm` bets against "candidate <= ratio * baseline + plus"; `safety` against "candidate >= ratio * baseline + plus".
 */
export type StratumTest = {
  readonly against: 'harm' | 'safety';
  /** Factor on the baseline's rate, above `centre`. */
  readonly ratio: number;
  /** Added to it, as a rate (0.001 is 0.1 percentage points). */
  readonly plus: number;
  /** Expected hit rate under equality, subtracted as a control variate: 0 for failures, `1 - q` for a quantile q. */
  readonly centre: number;
  /** Each bet as a true rate ratio over `ratio` (above 1), or as a fraction (0–1) of the largest bet that cannot go bankrupt. */
  readonly bets: { readonly as: 'rate-ratio' | 'fraction'; readonly values: readonly number[] };
  /** Prior mass on starting now, above 0 and at most 1; the rest is kept for restarts. */
  readonly firstShare: number;
};

/** What one request does to the log wealth of one bet. */
export type LogGains = {
  readonly candidateHit: number;
  readonly candidateMiss: number;
  readonly baselineHit: number;
  readonly baselineMiss: number;
};

/** Refuses with a RangeError a test under which a bet could lose everything or the null would mean nothing. */
export function requireTest(test: StratumTest): void {
  const { against, ratio, plus, centre, bets, firstShare } = test;
  if (!(centre >= 0 && centre < 1)) throw new RangeError(`centre must be at least 0 and below 1, not ${centre}`);
  requirePositive('ratio', ratio);
  if (ratio <= centre) throw new RangeError(`ratio must be above the centre ${centre}, not ${ratio}`);
  if (!(plus >= 0 && plus < 1 - centre))
    throw new RangeError(`plus must be at least 0 and below ${1 - centre}, not ${plus}`);
  if (!(firstShare > 0 && firstShare <= 1))
    throw new RangeError(`firstShare must be above 0 and at most 1, not ${firstShare}`);
  const [above, below] = bets.as === 'fraction' ? [0, 1] : [1, Infinity];
  for (const bet of bets.values)
    if (!(bet > above && bet < below))
      throw new RangeError(`a bet must be above ${above} and below ${below}, not ${bet}`);
  if (against === 'safety' && bets.as !== 'fraction')
    throw new RangeError('a bet on safety must be a fraction, not a rate-ratio');
  if (bets.values.length === 0) throw new RangeError('a test must have at least one bet');
}

/** Log factor of each bet for one stratum; all 0 when a version had no request. Throws a RangeError for impossible counts. */
export function logFactors(test: StratumTest, counts: StratumCounts): number[] {
  requireCounts(counts);
  const { candidateCount, candidateHits, baselineCount, baselineHits } = counts;
  if (candidateCount === 0 || baselineCount === 0) return test.bets.values.map(() => 0);
  const share = candidateCount / (candidateCount + baselineCount);
  return stakes(test, share).map((stake) => {
    const gains = logGains(test, share, stake);
    return (
      candidateHits * gains.candidateHit +
      (candidateCount - candidateHits) * gains.candidateMiss +
      baselineHits * gains.baselineHit +
      (baselineCount - baselineHits) * gains.baselineMiss
    );
  });
}

/** The stake of each bet when the candidate has this share (0–1, ends excluded) of the requests; negative against `safety`. */
export function stakes(test: StratumTest, share: number): number[] {
  const largest = largestStake(test, share);
  if (test.against === 'safety') return test.bets.values.map((fraction) => -fraction * largest);
  if (test.bets.as === 'fraction') return test.bets.values.map((fraction) => fraction * largest);
  return test.bets.values.map((rateRatio) => {
    const trueRatio = test.ratio * rateRatio;
    return (largest * share * (trueRatio - test.ratio)) / (share * trueRatio + 1 - share);
  });
}

/** What each kind of request does to the log wealth of one stake. */
export function logGains(test: StratumTest, share: number, stake: number): LogGains {
  const { ratio, plus, centre } = test;
  return {
    candidateHit: Math.log1p(stake * ((1 - centre) / share - plus)),
    candidateMiss: Math.log1p(-stake * (centre / share + plus)),
    baselineHit: Math.log1p(-stake * ((ratio - centre) / (1 - share) + plus)),
    baselineMiss: Math.log1p(stake * (centre / (1 - share) - plus)),
  };
}

/** The counts of two processes or machines over one slice, as one. */
export function addCounts(a: StratumCounts, b: StratumCounts): StratumCounts {
  return {
    candidateCount: a.candidateCount + b.candidateCount,
    candidateHits: a.candidateHits + b.candidateHits,
    baselineCount: a.baselineCount + b.baselineCount,
    baselineHits: a.baselineHits + b.baselineHits,
  };
}

/** The stake at which the unluckiest request would take everything. */
function largestStake({ against, ratio, plus, centre }: StratumTest, share: number): number {
  if (against === 'harm') {
    const byBaselineHit = 1 / ((ratio - centre) / (1 - share) + plus);
    const byCandidateMiss = centre / share + plus;
    return byCandidateMiss > 0 ? Math.min(byBaselineHit, 1 / byCandidateMiss) : byBaselineHit;
  }
  const byCandidateHit = 1 / ((1 - centre) / share - plus);
  const byBaselineMiss = centre / (1 - share) - plus;
  return byBaselineMiss > 0 ? Math.min(byCandidateHit, 1 / byBaselineMiss) : byCandidateHit;
}

/** Refuses with a RangeError counts that cannot be: negative, not finite, more hits than requests. */
export function requireCounts({ candidateCount, candidateHits, baselineCount, baselineHits }: StratumCounts): void {
  requireCount('candidateCount', candidateCount);
  requireCount('baselineCount', baselineCount);
  if (!(candidateHits >= 0 && candidateHits <= candidateCount)) {
    throw new RangeError(`candidateHits must be from 0 to ${candidateCount}, not ${candidateHits}`);
  }
  if (!(baselineHits >= 0 && baselineHits <= baselineCount)) {
    throw new RangeError(`baselineHits must be from 0 to ${baselineCount}, not ${baselineHits}`);
  }
}
