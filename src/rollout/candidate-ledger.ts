// What speaks for or against one candidate, added up slice by slice beside the baseline: evidence for harm over the whole rollout,
// proof and figures of the stage. No clock, and nothing of other candidates.
import { restartEvidence, startEvidence, updateEvidence, type Evidence } from '../stats/evidence.ts';
import { errorGuardTest } from '../stats/guard-test.ts';
import {
  latencyTest,
  resetLatencyPromotion,
  restartLatency,
  startLatency,
  updateLatency,
  type LatencyEvidence,
  type LatencyTest,
} from '../stats/latency-evidence.ts';
import {
  createHistogram,
  mergeHistogram,
  packHistogram,
  quantileMs,
  unpackHistogram,
  type LogHistogram,
  type PackedHistogram,
} from '../stats/log-histogram.ts';
import { errorPromotionTest } from '../stats/promotion-test.ts';
import { addCounts, type StratumCounts, type StratumTest } from '../stats/stratum.ts';
import type { CheckNumbers } from './checks.ts';
import type { StratumArm } from './figures.ts';
import type { Check, ErrorRateCheck, LatencyCheck } from './staging.ts';

const noCounts: StratumCounts = { candidateCount: 0, candidateHits: 0, baselineCount: 0, baselineHits: 0 };

type ErrorAccount = {
  readonly check: ErrorRateCheck;
  readonly guardTest: StratumTest;
  readonly promotionTest: StratumTest;
  guard: Evidence;
  promotion: Evidence;
};

type LatencyAccount = { readonly check: LatencyCheck; readonly test: LatencyTest; evidence: LatencyEvidence };

/** What was gathered of a candidate, as JSON for the store. Accounts are found again by the check's name and definition. */
export type CandidateSnapshot = {
  readonly errors: readonly {
    readonly check: ErrorRateCheck;
    readonly guard: Evidence;
    readonly promotion: Evidence;
  }[];
  readonly latencies: readonly { readonly check: LatencyCheck; readonly evidence: LatencyEvidence }[];
  readonly stageCounts: StratumCounts;
  readonly stageLatencies: readonly [PackedHistogram, PackedHistogram];
};

export class CandidateLedger {
  #errors: ErrorAccount[] = [];
  #latencies: LatencyAccount[] = [];
  #stageCounts = noCounts;
  #stageLatencies: readonly [LogHistogram, LogHistogram] = [createHistogram(), createHistogram()];

  constructor(checks: readonly Check[], snapshot: CandidateSnapshot | null) {
    this.#open(checks, snapshot);
    if (snapshot === null) return;
    this.#stageCounts = snapshot.stageCounts;
    this.#stageLatencies = [unpackHistogram(snapshot.stageLatencies[0]), unpackHistogram(snapshot.stageLatencies[1])];
  }

  /** Takes other checks: those that stay as they are keep what they have gathered, others begin anew. */
  follow(checks: readonly Check[]): void {
    this.#open(checks, this.snapshot());
  }

  /** Adds a closed stratum; cost: some 30 µs with two checks. */
  addStratum(baseline: StratumArm, candidate: StratumArm): void {
    const counts = {
      candidateCount: candidate.exposedCount,
      candidateHits: candidate.failedCount,
      baselineCount: baseline.exposedCount,
      baselineHits: baseline.failedCount,
    };
    for (const account of this.#errors) {
      account.guard = updateEvidence(account.guardTest, account.guard, counts);
      account.promotion = updateEvidence(account.promotionTest, account.promotion, counts);
    }
    const slices = { candidate: candidate.latencies, baseline: baseline.latencies };
    for (const account of this.#latencies) account.evidence = updateLatency(account.test, account.evidence, slices);
    this.#stageCounts = addCounts(this.#stageCounts, counts);
    mergeHistogram(this.#stageLatencies[0], baseline.latencies);
    mergeHistogram(this.#stageLatencies[1], candidate.latencies);
  }

  /** A part of the guards' prior is kept for harm that begins now or later. */
  restartGuards(): void {
    for (const account of this.#errors) account.guard = restartEvidence(account.guard);
    for (const account of this.#latencies) account.evidence = restartLatency(account.evidence);
  }

  /** Begins proof and figures of a stage; what guards know stays. */
  beginStage(): void {
    this.#forgetStage();
    for (const account of this.#errors) account.promotion = startEvidence(account.promotionTest);
    for (const account of this.#latencies) account.evidence = resetLatencyPromotion(account.test, account.evidence);
  }

  /** Forgets everything. */
  anew(): void {
    this.#forgetStage();
    this.#errors = this.#errors.map(({ check }) => openErrors(check));
    this.#latencies = this.#latencies.map(({ check }) => openLatency(check));
  }

  /** What is known of a check by its name; null of one that does not compare versions by their requests. */
  numbers(name: string): CheckNumbers | null {
    const errors = this.#errors.find(({ check }) => check.name === name);
    if (errors !== undefined) return this.#errorNumbers(errors);
    const latency = this.#latencies.find(({ check }) => check.name === name);
    return latency === undefined ? null : this.#latencyNumbers(latency);
  }

  snapshot(): CandidateSnapshot {
    return {
      errors: this.#errors.map(({ check, guard, promotion }) => ({ check, guard, promotion })),
      latencies: this.#latencies.map(({ check, evidence }) => ({ check, evidence })),
      stageCounts: this.#stageCounts,
      stageLatencies: [packHistogram(this.#stageLatencies[0]), packHistogram(this.#stageLatencies[1])],
    };
  }

  #open(checks: readonly Check[], gathered: Pick<CandidateSnapshot, 'errors' | 'latencies'> | null): void {
    this.#errors = checks
      .filter((check) => check.metric === 'error-rate')
      .map((check) => ({ ...openErrors(check), ...gathered?.errors.find((known) => isSame(known.check, check)) }));
    this.#latencies = checks
      .filter((check) => check.metric === 'latency')
      .map((check) => ({ ...openLatency(check), ...gathered?.latencies.find((known) => isSame(known.check, check)) }));
  }

  #forgetStage(): void {
    this.#stageCounts = noCounts;
    this.#stageLatencies = [createHistogram(), createHistogram()];
  }

  #errorNumbers({ check, guard, promotion }: ErrorAccount): CheckNumbers {
    const { baselineCount, baselineHits, candidateCount, candidateHits } = this.#stageCounts;
    return {
      check,
      baseline: { hits: baselineHits, count: baselineCount },
      candidate: { hits: candidateHits, count: candidateCount },
      harm: guard,
      proof: promotion,
    };
  }

  #latencyNumbers({ check, evidence }: LatencyAccount): CheckNumbers {
    const [baseline, candidate] = this.#stageLatencies;
    return {
      check,
      baselineRequests: baseline.count,
      candidateRequests: candidate.count,
      quantiles: check.quantiles.map((quantile, i) => ({
        quantile,
        baselineMs: quantileMs(baseline, quantile),
        candidateMs: quantileMs(candidate, quantile),
        harm: evidence.guards[i]!,
        proof: evidence.promotions[i]!,
      })),
    };
  }
}

function openErrors(check: ErrorRateCheck): ErrorAccount {
  const guardTest = errorGuardTest(check.tolerate);
  const promotionTest = errorPromotionTest(check.prove);
  return { check, guardTest, promotionTest, guard: startEvidence(guardTest), promotion: startEvidence(promotionTest) };
}

function openLatency(check: LatencyCheck): LatencyAccount {
  const test = latencyTest({
    quantiles: check.quantiles,
    tolerate: check.tolerate.ratio,
    prove: check.prove.ratio,
  });
  return { check, test, evidence: startLatency(test) };
}

function isSame(a: ErrorRateCheck | LatencyCheck, b: ErrorRateCheck | LatencyCheck): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
