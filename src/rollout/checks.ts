// Judges the checks that compare both versions: log evidence and counts in, verdicts with numbers and a sentence out.
// The guards share one chance of a false alarm: their evidence is averaged by weight (STATISTICS 7), so `alpha` holds for the rollout.
import { combineEvidence } from '../stats/combine.ts';
import { logThreshold } from '../stats/evidence.ts';
import type { Evidence as Wealths } from '../stats/evidence.ts';
import { describeBusiness } from './business-check.ts';
import type { BusinessNumbers } from './business-check.ts';
import { describeComparison } from './comparison-sentence.ts';
import type { Versions } from './comparison-sentence.ts';
import type { Analysis, BusinessCheck, ErrorRateCheck, LatencyCheck } from './staging.ts';
import { isCalm } from './verdict.ts';
import type {
  BusinessEvidence,
  ErrorRateEvidence,
  FailureCount,
  LatencyEvidence,
  LogEvidence,
  QuantileEvidence,
  Verdict,
} from './verdict.ts';

/** Evidence of one test: now, and the most it ever was. A record of stats/evidence fits. */
export type Wealth = Pick<Wealths, 'logEvidence' | 'peakLogEvidence'>;

/**
 * What is known of one check. Counts and latencies are of the stage, harm of the rollout, proof of the stage; of the business
 * everything is of the release.
 */
export type CheckNumbers = ErrorRateNumbers | LatencyNumbers | BusinessNumbers;

export type ErrorRateNumbers = {
  readonly check: ErrorRateCheck;
  readonly baseline: FailureCount;
  readonly candidate: FailureCount;
  readonly harm: Wealth;
  readonly proof: Wealth;
};

export type LatencyNumbers = {
  readonly check: LatencyCheck;
  readonly baselineRequests: number;
  readonly candidateRequests: number;
  readonly quantiles: readonly QuantileNumbers[];
};

/** One of the check's quantiles; the latencies are null before there are any. */
export type QuantileNumbers = Pick<QuantileEvidence, 'quantile' | 'baselineMs' | 'candidateMs'> & {
  readonly harm: Wealth;
  readonly proof: Wealth;
};

/** Parts of the guards' common evidence, before they are made to add up to 1. */
const shareOf = { 'error-rate': 5, latency: 4, conversion: 1, value: 1, revenue: 1, retention: 1 } as const;

/**
 * A verdict of one candidate for each check, in the same order. All guards of the rollout must be given, each time the same ones: their weights are
 * fixed in advance. A failing check stays failing until its evidence begins anew.
 */
export function judgeComparisons(
  { versions, analysis }: { versions: Versions; analysis: Pick<Analysis, 'alpha' | 'promoteAlpha'> },
  numbers: readonly CheckNumbers[],
): Verdict[] {
  const threshold = logThreshold(analysis.alpha);
  const weighed = weigh(numbers);
  const guards = weighed.filter(({ of }) => of.check.role === 'guard');
  const parts = guards.map(({ weight, harm }) => ({ weight, logEvidence: harm.logEvidence }));
  const together = parts.length === 0 ? { logEvidence: -Infinity, strongest: -1 } : combineEvidence(parts);
  const reason = together.logEvidence >= threshold ? guards[together.strongest] : undefined;
  return weighed.map((one) => {
    const ownThreshold = threshold - Math.log(one.weight);
    const isFailing = one.harm.peakLogEvidence >= ownThreshold || one === reason;
    const evidence = evidenceOf(one, {
      logHarm: one.harm.logEvidence,
      harmThreshold: ownThreshold,
      logProof: one.logProof,
      proofThreshold: logThreshold(analysis.promoteAlpha),
    });
    return verdictOf(one, { evidence, isFailing, versions });
  });
}

/** The part (0–1) of `alpha` that a check has among all that compare versions; a signal stands alone: it pauses only. */
export function alphaShareOf(check: Compared, all: readonly Compared[]): number {
  if (check.role === 'signal') return 1;
  const total = all.reduce((sum, { role, metric }) => sum + (role === 'guard' ? shareOf[metric] : 0), 0);
  return shareOf[check.metric] / total;
}

type Compared = ErrorRateCheck | LatencyCheck | BusinessCheck;
type ComparedEvidence = ErrorRateEvidence | LatencyEvidence | BusinessEvidence;
type Weighed = { readonly of: CheckNumbers; readonly weight: number; readonly harm: Wealth; readonly logProof: number };

function weigh(numbers: readonly CheckNumbers[]): Weighed[] {
  const all = numbers.map(({ check }) => check);
  return numbers.map((of) => {
    const weight = alphaShareOf(of.check, all);
    if (!('quantiles' in of)) return { of, weight, harm: of.harm, logProof: of.proof.logEvidence };
    const logProof = Math.min(...of.quantiles.map(({ proof }) => proof.logEvidence));
    return { of, weight, harm: averageHarm(of.quantiles), logProof };
  });
}

/** Mean of the quantiles' evidence. Where one of them was at its highest the mean was at least its share of that. */
function averageHarm(quantiles: readonly QuantileNumbers[]): Wealth {
  const weight = 1 / quantiles.length;
  const { logEvidence } = combineEvidence(quantiles.map(({ harm }) => ({ weight, logEvidence: harm.logEvidence })));
  const highest = Math.max(...quantiles.map(({ harm }) => harm.peakLogEvidence));
  return { logEvidence, peakLogEvidence: Math.max(logEvidence, highest + Math.log(weight)) };
}

function evidenceOf({ of }: Weighed, logs: LogEvidence): ComparedEvidence {
  if ('seen' in of) return { ...of.seen, ...logs };
  if (!('quantiles' in of)) return { kind: 'error-rate', ...logs, baseline: of.baseline, candidate: of.candidate };
  const quantiles = of.quantiles.map(({ harm, proof, ...shown }) => ({
    ...shown,
    logHarm: harm.logEvidence,
    logProof: proof.logEvidence,
  }));
  return {
    kind: 'latency',
    ...logs,
    quantiles,
    baselineRequests: of.baselineRequests,
    candidateRequests: of.candidateRequests,
  };
}

/** Proof counts only while the guard is calm: a candidate between `tolerate` and `prove` may satisfy both tests. */
function verdictOf(
  { of, harm }: Weighed,
  { evidence, isFailing, versions }: { evidence: ComparedEvidence; isFailing: boolean; versions: Versions },
): Verdict {
  const { name: check, role } = of.check;
  const undecided = {
    check,
    version: versions.candidate,
    role,
    answer: 'not-enough-data',
    evidence,
    sentence: '',
  } as const;
  const isProved = evidence.logProof >= evidence.proofThreshold && isCalm(undecided);
  const answer = isFailing ? 'fail' : isProved ? 'pass' : 'not-enough-data';
  const luck = Math.max(harm.logEvidence, isFailing ? harm.peakLogEvidence : 0);
  const sentence =
    evidence.kind === 'business'
      ? describeBusiness(of as BusinessNumbers, { answer, luck }, versions)
      : describeComparison({ check: of.check, answer, evidence, luck }, versions);
  return { ...undecided, answer, sentence };
}
