// How long one check takes at a given traffic: to prove that a good candidate is not worse, and to find a bad one.
// Expectations, not bounds: a real stage may take half or twice as long. `rehearse` shows how much they vary.
import { errorGuardTest, latencyGuardTest } from '../stats/guard-test.ts';
import { plannedRequests } from '../stats/plan-rollout.ts';
import { errorPromotionTest, latencyPromotionTest } from '../stats/promotion-test.ts';
import type { StratumTest } from '../stats/stratum.ts';
import { type LatencyModel, slowRate } from './rehearsal/latency-model.ts';
import type { ErrorRateCheck, LatencyCheck } from './staging.ts';
import { nextSliceMs } from './stratum-rule.ts';

export type ExpectedTraffic = {
  readonly requestsPerSecond: number;
  readonly userCount: number;
  /** Of the baseline, and of a good candidate (0–1). */
  readonly failureRate: number;
  readonly latency: LatencyModel;
};

/** A bad candidate: it fails this share (0–1) of its requests (null: as the baseline does) and takes so many times as long. */
export type HarmSize = { readonly failureRate: number | null; readonly latencyFactor: number };

export type ComparingCheck = ErrorRateCheck | LatencyCheck;

/** What a check is asked about one candidate. */
export type Question = {
  readonly traffic: ExpectedTraffic;
  /** The candidate's; above 0, and the baseline has some too. */
  readonly percent: number;
  /** Of users of other candidates, whose requests are in no comparison of this one; absent: there are none. */
  readonly otherPercent?: number;
  /** The chance of error that the check has for this. */
  readonly alpha: number;
};

/** How long until the check has proved that a good candidate is not worse than its `prove`, in ms; null: it never does. */
export function proofMs(check: ComparingCheck, question: Question): number | null {
  const { failureRate, latency } = question.traffic;
  if (check.metric === 'error-rate') {
    const rates = { candidateRate: failureRate, baselineRate: failureRate };
    return expectedMs(errorPromotionTest(check.prove), rates, question);
  }
  const times = check.quantiles.map((quantile) => {
    const candidateRate = slowRate(latency, { quantile, ratio: check.prove.ratio, factor: 1 });
    return expectedMs(latencyPromotionTest(quantile), { candidateRate, baselineRate: 1 - quantile }, question);
  });
  return times.includes(null) ? null : Math.max(...times.map(Number));
}

/** How long until the check has found harm of a size, in ms; null: the check tolerates it. */
export function harmMs(check: ComparingCheck, harm: HarmSize, question: Question): number | null {
  const { failureRate, latency } = question.traffic;
  if (check.metric === 'error-rate') {
    const candidateRate = harm.failureRate ?? failureRate;
    if (candidateRate <= check.tolerate.ratio * failureRate + check.tolerate.plus) return null;
    return expectedMs(errorGuardTest(check.tolerate), { candidateRate, baselineRate: failureRate }, question);
  }
  const alpha = question.alpha / check.quantiles.length;
  const times = check.quantiles.flatMap((quantile) => {
    const baselineRate = 1 - quantile;
    const candidateRate = slowRate(latency, { quantile, ratio: check.tolerate.ratio, factor: harm.latencyFactor });
    if (candidateRate <= baselineRate) return [];
    return expectedMs(latencyGuardTest(quantile), { candidateRate, baselineRate }, { ...question, alpha }) ?? [];
  });
  return times.length === 0 ? null : Math.min(...times);
}

type Rates = { readonly candidateRate: number; readonly baselineRate: number };

/** Nothing is known before the first stratum is closed. */
function expectedMs(
  test: StratumTest,
  rates: Rates,
  { traffic, percent, otherPercent = 0, alpha }: Question,
): number | null {
  const bothPercent = 100 - otherPercent;
  const { total } = plannedRequests(test, { share: percent / bothPercent, ...rates }, alpha);
  if (!Number.isFinite(total)) return null;
  const sliceMs = nextSliceMs(traffic.requestsPerSecond, 1_000);
  return Math.max(sliceMs, (total * sliceMs) / (exposedPerSlice(traffic, sliceMs) * (bothPercent / 100)));
}

/** Of the requests in a slice those that count: the first of each user. */
function exposedPerSlice({ requestsPerSecond, userCount }: ExpectedTraffic, sliceMs: number): number {
  return userCount * -Math.expm1((-requestsPerSecond * sliceMs) / 1_000 / userCount);
}
