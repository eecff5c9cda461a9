// A comparison of two versions as one sentence for people: what each does, on how many requests, and what that shows.
import { bucketsWithin, factorOf } from '../stats/log-histogram.ts';
import type { Check } from './staging.ts';
import type { Answer, ErrorRateEvidence, LatencyEvidence, QuantileEvidence } from './verdict.ts';
import { chanceOf, countOf, latencyOf, percentOf, pointsOf, quantileName } from './wording.ts';

/** The names of the two versions. */
export type Versions = { readonly baseline: string; readonly candidate: string };

/** `luck`: natural log evidence for harm, from which the chance of seeing it by luck follows. */
export type Compared = {
  readonly check: Check;
  readonly answer: Exclude<Answer, 'error'>;
  readonly evidence: ErrorRateEvidence | LatencyEvidence;
  readonly luck: number;
};

/** From this evidence on (ln 10) a sentence speaks of suspicion. */
const suspicious = Math.log(10);

/** For example `canary fails 4.9 % of requests, stable 0.1 %; 62 canary requests; the chance of this by luck is below 1 in 10,000`. */
export function describeComparison(compared: Compared, versions: Versions): string {
  const { candidate, baseline } = requestsOf(compared.evidence);
  if (candidate === 0) return `${versions.candidate} has had no request to compare yet`;
  if (baseline === 0) return `${versions.baseline} has had no request to compare with yet`;
  return `${figures(compared, versions)}; ${countOf(candidate)} ${versions.candidate} requests${conclusion(compared)}`;
}

function figures({ answer, evidence }: Compared, { baseline, candidate }: Versions): string {
  if (evidence.kind === 'error-rate') {
    const [ours, theirs] = [evidence.candidate, evidence.baseline].map(({ hits, count }) => percentOf(hits / count));
    return `${candidate} fails ${ours} of requests, ${baseline} ${theirs}`;
  }
  const { quantile, candidateMs, baselineMs } = tellingQuantile(evidence, answer);
  const [ours, theirs] = [candidateMs, baselineMs].map((ms) => (ms === null ? 'unknown' : latencyOf(ms)));
  return `${quantileName(quantile)} of ${candidate} is ${ours}, of ${baseline} ${theirs}`;
}

function conclusion({ check, answer, evidence, luck }: Compared): string {
  if (answer === 'fail') return `; the chance of this by luck is ${chanceOf(luck)}`;
  if (luck >= suspicious) return `; harm is suspected but not shown, the chance of this by luck is ${chanceOf(luck)}`;
  const claim = `that it is not ${claimOf(check)}`;
  if (answer === 'pass') return ` prove ${claim}`;
  const shownPercent = Math.floor((100 * Math.max(0, evidence.logProof)) / evidence.proofThreshold);
  return ` are not enough to prove ${claim} (${Math.min(99, shownPercent)} % of the evidence needed)`;
}

/** What a pass rules out. Latency is compared by buckets, so a little more than `prove` asks for is what is really shown. */
function claimOf(check: Check): string {
  if (check.metric === 'error-rate') {
    const plus = check.prove.plus === 0 ? '' : ` plus ${pointsOf(check.prove.plus)}`;
    return `worse than ${check.prove.ratio} times as many failures${plus}`;
  }
  return check.metric === 'latency'
    ? `slower by ${percentOf(factorOf(bucketsWithin(check.prove.ratio)) - 1)} or more`
    : 'worse';
}

/** The quantile that speaks most for harm, or, where nothing does, the one with the least proof. */
function tellingQuantile({ quantiles }: LatencyEvidence, answer: Compared['answer']): QuantileEvidence {
  const weight = (one: QuantileEvidence) => (answer === 'fail' ? one.logHarm : -one.logProof);
  return quantiles.reduce((most, one) => (weight(one) > weight(most) ? one : most));
}

function requestsOf(evidence: ErrorRateEvidence | LatencyEvidence): { candidate: number; baseline: number } {
  if (evidence.kind === 'latency')
    return { candidate: evidence.candidateRequests, baseline: evidence.baselineRequests };
  return { candidate: evidence.candidate.count, baseline: evidence.baseline.count };
}
