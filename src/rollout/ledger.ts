// Everything that speaks for or against the candidate of one rollout, added up slice by slice: evidence for harm over the whole
// rollout, proof and figures of the stage, and whether users fall to the versions as the split says. No clock: times come in.
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
import type { BusinessNumbers } from './business-check.ts';
import { judgeComparisons, type CheckNumbers } from './checks.ts';
import type { StratumArm } from './figures.ts';
import type { SampleRatio, VersionFigures } from './measurement.ts';
import { Newcomers, type NewcomersSnapshot } from './newcomers.ts';
import type { Analysis, ErrorRateCheck, LatencyCheck, Staging } from './staging.ts';
import type { EvidenceScope } from './transition.ts';
import type { Verdict } from './verdict.ts';

/** Baseline first. */
export type Arms = readonly [baseline: StratumArm, candidate: StratumArm];

/** A part of the guards' prior is kept for harm that begins later; it is spent by the clock, never because of the data. */
const restartEveryMs = 60_000;
const noCounts: StratumCounts = { candidateCount: 0, candidateHits: 0, baselineCount: 0, baselineHits: 0 };

type ErrorAccount = {
  readonly check: ErrorRateCheck;
  readonly guardTest: StratumTest;
  readonly promotionTest: StratumTest;
  guard: Evidence;
  promotion: Evidence;
};

type LatencyAccount = { readonly check: LatencyCheck; readonly test: LatencyTest; evidence: LatencyEvidence };

/** The ledger as JSON, for the store. Accounts are found again by the check's name and definition. */
export type LedgerSnapshot = {
  readonly errors: readonly {
    readonly check: ErrorRateCheck;
    readonly guard: Evidence;
    readonly promotion: Evidence;
  }[];
  readonly latencies: readonly { readonly check: LatencyCheck; readonly evidence: LatencyEvidence }[];
  readonly stageCounts: StratumCounts;
  readonly stageLatencies: readonly [PackedHistogram, PackedHistogram];
  readonly restartedMs: number;
  readonly newcomers: NewcomersSnapshot;
};

export class Ledger {
  #versions: { readonly baseline: string; readonly candidate: string };
  #analysis: Analysis;
  #errors: ErrorAccount[] = [];
  #latencies: LatencyAccount[] = [];
  #stageCounts = noCounts;
  #stageLatencies: readonly [LogHistogram, LogHistogram] = [createHistogram(), createHistogram()];
  #restartedMs: number;
  #newcomers: Newcomers;

  constructor(staging: Staging, nowMs: number, snapshot: LedgerSnapshot | null = null) {
    this.#versions = versionsOf(staging);
    this.#analysis = staging.analysis;
    this.#restartedMs = snapshot?.restartedMs ?? nowMs;
    this.#newcomers = new Newcomers(snapshot?.newcomers ?? null);
    this.#open(staging.analysis, snapshot);
    if (snapshot === null) return;
    this.#stageCounts = snapshot.stageCounts;
    this.#stageLatencies = [unpackHistogram(snapshot.stageLatencies[0]), unpackHistogram(snapshot.stageLatencies[1])];
  }

  /** Takes another policy: checks that stay as they are keep what they have gathered, others begin anew. */
  follow(staging: Staging): void {
    const gathered = this.snapshot();
    this.#versions = versionsOf(staging);
    this.#analysis = staging.analysis;
    this.#open(staging.analysis, gathered);
  }

  /** Adds a closed stratum; cost: some 30 µs with two checks. */
  addStratum([baseline, candidate]: Arms, nowMs: number): void {
    if (nowMs - this.#restartedMs >= restartEveryMs) this.#restartGuards(nowMs);
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

  /** Adds users that the split assigned for the first time; `percents` of all versions in listed order, the baseline first. */
  addUsers(counts: readonly number[], percents: readonly number[]): void {
    this.#newcomers.add(counts, percents);
  }

  /** From now on users count as new who may have been counted before: the two countings are no evidence together. */
  forgetWhoWasNew(): void {
    this.#newcomers.forgetWhoWasNew();
  }

  /** Begins anew what a change of the rollout's state makes obsolete. */
  anew(scope: EvidenceScope, nowMs: number): void {
    this.#stageCounts = noCounts;
    this.#stageLatencies = [createHistogram(), createHistogram()];
    if (scope === 'stage') {
      for (const account of this.#errors) account.promotion = startEvidence(account.promotionTest);
      for (const account of this.#latencies) account.evidence = resetLatencyPromotion(account.test, account.evidence);
      this.#restartGuards(nowMs);
      return;
    }
    this.#errors = this.#errors.map(({ check }) => openErrors(check));
    this.#latencies = this.#latencies.map(({ check }) => openLatency(check));
    this.#restartedMs = nowMs;
    if (scope === 'release') this.#newcomers = new Newcomers(null);
  }

  /** What each comparing check says now, in the order of the policy; `business`: of those that the experiment's figures judge. */
  verdicts(business: readonly BusinessNumbers[] = []): Verdict[] {
    const { alpha, promoteAlpha, checks } = this.#analysis;
    const numbers: CheckNumbers[] = [];
    for (const { name } of checks) {
      const errors = this.#errors.find(({ check }) => check.name === name);
      const latency = this.#latencies.find(({ check }) => check.name === name);
      if (errors !== undefined) numbers.push(this.#errorNumbers(errors));
      if (latency !== undefined) numbers.push(this.#latencyNumbers(latency));
      numbers.push(...business.filter(({ check }) => check.name === name));
    }
    return judgeComparisons({ versions: this.#versions, analysis: { alpha, promoteAlpha } }, numbers);
  }

  /** New users beside what the split promises; `candidateIndex` in listed order. */
  sampleRatio(candidateIndex: number): SampleRatio {
    return this.#newcomers.sampleRatio(candidateIndex);
  }

  /** Requests of users at risk in the stage, baseline first. */
  stageFigures(): readonly [VersionFigures, VersionFigures] {
    const { baselineCount, baselineHits, candidateCount, candidateHits } = this.#stageCounts;
    return [
      { requests: baselineCount, failures: baselineHits },
      { requests: candidateCount, failures: candidateHits },
    ];
  }

  snapshot(): LedgerSnapshot {
    return {
      errors: this.#errors.map(({ check, guard, promotion }) => ({ check, guard, promotion })),
      latencies: this.#latencies.map(({ check, evidence }) => ({ check, evidence })),
      stageCounts: this.#stageCounts,
      stageLatencies: [packHistogram(this.#stageLatencies[0]), packHistogram(this.#stageLatencies[1])],
      restartedMs: this.#restartedMs,
      newcomers: this.#newcomers.snapshot(),
    };
  }

  #open({ checks }: Analysis, gathered: Pick<LedgerSnapshot, 'errors' | 'latencies'> | null): void {
    this.#errors = checks
      .filter((check) => check.metric === 'error-rate')
      .map((check) => ({ ...openErrors(check), ...gathered?.errors.find((known) => isSame(known.check, check)) }));
    this.#latencies = checks
      .filter((check) => check.metric === 'latency')
      .map((check) => ({ ...openLatency(check), ...gathered?.latencies.find((known) => isSame(known.check, check)) }));
  }

  #restartGuards(nowMs: number): void {
    this.#restartedMs = nowMs;
    for (const account of this.#errors) account.guard = restartEvidence(account.guard);
    for (const account of this.#latencies) account.evidence = restartLatency(account.evidence);
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

function versionsOf({ baseline, candidates }: Staging): { baseline: string; candidate: string } {
  return { baseline, candidate: candidates[0] };
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
