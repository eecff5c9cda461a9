// Evidence that may be looked at after every stratum: a mixture of bets (and of starting times) whose wealth exceeds 1/alpha
// with probability at most alpha, ever, when what they bet against is true (Ville). Plain records: they go to the store and back.
import { requireInside } from './domain.ts';
import { logAddExp, logSumExp } from './log-space.ts';
import { logFactors, requireTest } from './stratum.ts';
import type { StratumCounts, StratumTest } from './stratum.ts';

/** Everything a test remembers; JSON keeps it whole. */
export type Evidence = {
  /** Per bet: ln of its wealth, prior share included. */
  readonly logWealths: readonly number[];
  /** Prior mass that has not been bet yet; 0 for a test that never restarts. */
  readonly reserve: number;
  readonly restartCount: number;
  /** Strata since the last start. */
  readonly strataCount: number;
  /** ln of the whole wealth now; 0 at the start. */
  readonly logEvidence: number;
  /** The most it ever was, at least 0: an alarm stays raised. */
  readonly peakLogEvidence: number;
};

/** Evidence before the first stratum; also how a promotion starts anew at a stage. Throws a RangeError for an impossible test. */
export function startEvidence(test: StratumTest): Evidence {
  requireTest(test);
  const each = Math.log(test.firstShare) - Math.log(test.bets.values.length);
  const logWealths = test.bets.values.map(() => each);
  const reserve = 1 - test.firstShare;
  return { logWealths, reserve, restartCount: 0, strataCount: 0, logEvidence: 0, peakLogEvidence: 0 };
}

/** Evidence after one more stratum. Throws a RangeError for impossible counts or evidence of another test. Cost: 4 log1p and an exp a bet. */
export function updateEvidence(test: StratumTest, evidence: Evidence, counts: StratumCounts): Evidence {
  return addLogFactors(evidence, logFactors(test, counts));
}

/**
 * Evidence after log factors that were computed elsewhere: those of disjoint strata add, so a machine may send these alone.
 * Throws a RangeError when their number is not that of the bets, or one is not finite.
 */
export function addLogFactors(evidence: Evidence, factors: readonly number[]): Evidence {
  if (factors.length !== evidence.logWealths.length) {
    throw new RangeError(
      `evidence of ${evidence.logWealths.length} bets needs as many log factors, not ${factors.length}`,
    );
  }
  const logWealths = evidence.logWealths.map((logWealth, k) => logWealth + factors[k]!);
  const logEvidence = logAddExp(logSumExp(logWealths), Math.log(evidence.reserve));
  if (!Number.isFinite(logEvidence)) throw new RangeError(`log evidence must stay finite, not ${logEvidence}`);
  return {
    ...evidence,
    logWealths,
    strataCount: evidence.strataCount + 1,
    logEvidence,
    peakLogEvidence: Math.max(evidence.peakLogEvidence, logEvidence),
  };
}

/**
 * Puts a part of the reserve on "the harm starts now", so that a candidate that degrades late is found as fast as one that is bad
 * from the start. Call it by the clock (every 60 s) and at stage changes, never because of what was observed.
 * Nothing changes before the first stratum after a start, or without a reserve.
 */
export function restartEvidence(evidence: Evidence): Evidence {
  if (evidence.strataCount === 0 || evidence.reserve === 0) return evidence;
  const restartCount = evidence.restartCount + 1;
  const share = evidence.reserve / (restartCount + 1);
  const each = Math.log(share) - Math.log(evidence.logWealths.length);
  const logWealths = evidence.logWealths.map((logWealth) => logAddExp(logWealth, each));
  return { ...evidence, logWealths, reserve: evidence.reserve - share, restartCount, strataCount: 0 };
}

/** The log evidence at which an alarm with this chance of ever being false is raised: ln(1/alpha). */
export function logThreshold(alpha: number): number {
  requireInside('alpha', alpha);
  return -Math.log(alpha);
}

/** The chance (0–1) of evidence this strong, ever, by luck alone: valid at any time and however often it is looked at. */
export function chanceByLuck(evidence: Evidence): number {
  return Math.exp(-evidence.peakLogEvidence);
}
