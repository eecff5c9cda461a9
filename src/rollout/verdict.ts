// What a check says of a candidate: one of four answers, always with its numbers and a sentence, never a bare boolean.

export type Answer = 'pass' | 'fail' | 'not-enough-data' | 'error';

/**
 * `pass`: shown to be not worse than the check's `prove` (a source: inside its limits). `fail`: shown to be worse than `tolerate`
 * (a source: outside for `failures` samples in a row). `error`: the source gave no usable answer.
 * No data is never a pass and never a fail. JSON: every number is finite.
 */
export type Verdict = Judged<'pass' | 'fail' | 'not-enough-data', Evidence> | Judged<'error', SourceEvidence>;

type Judged<A extends Answer, E extends Evidence> = {
  readonly check: string;
  /** The candidate that it is about. */
  readonly version: string;
  readonly role: 'guard' | 'signal';
  readonly answer: A;
  readonly evidence: E;
  readonly sentence: string;
};

export type Evidence = ErrorRateEvidence | LatencyEvidence | BusinessEvidence | SourceEvidence;

/** Natural logs of the evidence for harm and for "not worse", and where each decides. */
export type LogEvidence = {
  readonly logHarm: number;
  /** Where `logHarm` of this check alone fails it. */
  readonly harmThreshold: number;
  readonly logProof: number;
  readonly proofThreshold: number;
};

/** Requests (`count`) and how many of them failed (`hits`). */
export type FailureCount = { readonly hits: number; readonly count: number };

export type ErrorRateEvidence = LogEvidence & {
  readonly kind: 'error-rate';
  readonly baseline: FailureCount;
  readonly candidate: FailureCount;
};

export type LatencyEvidence = LogEvidence & {
  readonly kind: 'latency';
  readonly quantiles: readonly QuantileEvidence[];
  readonly baselineRequests: number;
  readonly candidateRequests: number;
};

/** One quantile (0–1) of both versions; null before there is one. */
export type QuantileEvidence = {
  readonly quantile: number;
  readonly baselineMs: number | null;
  readonly candidateMs: number | null;
  readonly logHarm: number;
  readonly logProof: number;
};

/** Of what the business counts, from the figures of the experiment. `lacks`: what there is not enough of to decide; null: nothing. */
export type BusinessEvidence = LogEvidence & {
  readonly kind: 'business';
  readonly lacks: string | null;
  readonly baseline: UserMean;
  readonly candidate: UserMean;
};

/** Users who are counted, and their mean over the phases of the split; null before there is one. */
export type UserMean = { readonly users: number; readonly mean: number | null };

/** Of an outside source (prometheus, webhook). */
export type SourceEvidence = {
  readonly kind: 'source';
  /** The last usable value (of a webhook its status); null before the first. */
  readonly value: number | null;
  readonly breachesInARow: number;
  readonly errorsInARow: number;
  /** How many in a row fail the check, or count as an outage. */
  readonly failures: number;
};

/** ln 10: from here on harm is not shown, but likely enough that the rollout must not move forward (STATISTICS 4). */
const calmBelow = Math.log(10);

/** Whether nothing speaks of harm, so that a forward move may be made. */
export function isCalm({ answer, evidence }: Verdict): boolean {
  if (answer === 'fail') return false;
  return evidence.kind === 'source' ? evidence.breachesInARow === 0 : evidence.logHarm < calmBelow;
}

/** Whether an outside source has been out for as many samples as the check takes to fail. */
export function isOutage({ answer, evidence }: Verdict): boolean {
  return answer === 'error' && evidence.kind === 'source' && evidence.errorsInARow >= evidence.failures;
}
