// The traffic of a rehearsal: what a window would have seen of simulated users, closed stratum by closed stratum.
import { emptyArm, type StratumArm } from '../figures.ts';
import { firstSliceMs, isStratumDue, nextSliceMs } from '../stratum-rule.ts';
import { LatencyDraws } from './latency-model.ts';
import { type ArmStep, Population, type Shares } from './population.ts';
import type { Random } from './random.ts';
import { failureRatesAt, type Scenario } from './scenario.ts';

/** Whose request counts as evidence: the window's own rule, for the user whose requests are simulated one by one. */
export interface RiskRule {
  admits(user: string, hasFailed: boolean): boolean;
  nextSlice(): void;
}

/** What happened in a step, the baseline first; `ruleRequests` went to the candidate by rules. */
export type TrafficStep = { readonly arms: readonly [ArmStep, ArmStep]; readonly ruleRequests: number };

/** A gateway looks at its windows ten times a second. */
const lookEveryMs = 100;
const retryEveryMs = 2_000;
const brokenUser = 'broken';

export class Traffic {
  readonly #scenario: Scenario;
  readonly #population: Population;
  readonly #random: Random;
  readonly #riskRule: RiskRule;
  readonly #arms: readonly [StratumArm, StratumArm] = [emptyArm(), emptyArm()];
  readonly #healthy: LatencyDraws;
  readonly #harmed: LatencyDraws;
  /** Where the broken user's bucket lies among 100 percent of users. */
  readonly #brokenPercent: number;
  #sliceMs = firstSliceMs;
  #beganMs = 0;

  /** `bounds`: every percent that the split may cut at. */
  constructor(scenario: Scenario, bounds: readonly number[], chance: { random: Random; riskRule: RiskRule }) {
    const { latency, harm } = scenario;
    this.#scenario = scenario;
    this.#random = chance.random;
    this.#riskRule = chance.riskRule;
    this.#population = new Population(scenario.userCount, bounds, chance.random);
    this.#brokenPercent = scenario.brokenUser === 'anyone' ? 100 * chance.random.uniform() : 0;
    this.#healthy = new LatencyDraws(latency);
    this.#harmed = new LatencyDraws({ ...latency, medianMs: latency.medianMs * (harm?.latencyFactor ?? 1) });
  }

  /** How long it is until the open slice may be closed, or may be looked at again. */
  nextStepMs(nowMs: number): number {
    return Math.max(lookEveryMs, this.#beganMs + this.#sliceMs - nowMs);
  }

  /** Draws what users do from `nowMs` on for `forMs`. */
  step(shares: Shares, { nowMs, forMs }: { nowMs: number; forMs: number }): TrafficStep {
    const scenario = this.#scenario;
    const { baseline, candidate } = failureRatesAt(scenario, nowMs);
    const perSecond = scenario.requestsPerSecond;
    const arms = this.#population.step(shares, { perSecond, forMs, rates: [baseline, candidate] });
    for (const [i, { exposed, failed }] of arms.entries()) this.#expose(i, { exposed, failed, nowMs });
    if (scenario.brokenUser !== null) this.#retry(arms, { shares, nowMs, forMs });
    const ruleRequests = this.#random.poisson((scenario.ruleRequestsPerSecond * forMs) / 1_000);
    return { arms, ruleRequests };
  }

  /** The open stratum, where it is due; its arms are those of the next one as soon as `nextSlice` is called. */
  dueStratum(nowMs: number): readonly [StratumArm, StratumArm] | null {
    const [baseline, candidate] = this.#arms;
    const elapsedMs = nowMs - this.#beganMs;
    const counts = { baselineCount: baseline.exposedCount, candidateCount: candidate.exposedCount };
    return isStratumDue({ elapsedMs, sliceMs: this.#sliceMs, ...counts }) ? this.#arms : null;
  }

  /** Closes the stratum that was due and opens the next. */
  nextSlice(nowMs: number): void {
    const [baseline, candidate] = this.#arms;
    this.#sliceMs = nextSliceMs(baseline.exposedCount + candidate.exposedCount, nowMs - this.#beganMs);
    this.#beganMs = nowMs;
    this.#population.nextSlice();
    this.#riskRule.nextSlice();
    for (const arm of this.#arms) {
      arm.exposedCount = arm.failedCount = arm.latencies.count = 0;
      arm.latencies.buckets.fill(0);
    }
  }

  #expose(index: number, { exposed, failed, nowMs }: { exposed: number; failed: number; nowMs: number }): void {
    const arm = this.#arms[index]!;
    const { harm } = this.#scenario;
    const isSlow = index === 1 && harm !== null && nowMs >= harm.fromMs;
    arm.exposedCount += exposed;
    arm.failedCount += failed;
    (isSlow ? this.#harmed : this.#healthy).draw(arm.latencies, exposed, this.#random);
  }

  /** The requests of the broken user, each by the window's own rule. */
  #retry(
    arms: readonly [ArmStep, ArmStep],
    { shares, nowMs, forMs }: { shares: Shares; nowMs: number; forMs: number },
  ): void {
    const { candidatePercent, otherPercent } = shares;
    const index = this.#brokenPercent < candidatePercent ? 1 : 0;
    if (index === 0 && this.#brokenPercent < candidatePercent + otherPercent) return;
    const tries = Math.floor((nowMs + forMs) / retryEveryMs) - Math.floor(nowMs / retryEveryMs);
    for (let i = 0; i < tries; i += 1) {
      arms[index].requests += 1;
      arms[index].failures += 1;
      if (this.#riskRule.admits(brokenUser, true)) this.#expose(index, { exposed: 1, failed: 1, nowMs });
    }
  }
}
