// The traffic of a rehearsal: what a window would have seen of simulated users, closed stratum by closed stratum.
import { emptyArm, type StratumArm } from '../figures.ts';
import { firstSliceMs, isStratumDue, nextSliceMs } from '../stratum-rule.ts';
import type { Staging } from '../staging.ts';
import { LatencyDraws } from './latency-model.ts';
import { type ArmStep, Population } from './population.ts';
import type { Random } from './random.ts';
import { failureRatesAt, type Scenario, subjectOf } from './scenario.ts';
import { boundsOf, type Shares } from './shares.ts';

/** Whose request counts as evidence: the window's own rule, for the user whose requests are simulated one by one. */
export interface RiskRule {
  admits(user: string, hasFailed: boolean): boolean;
  nextSlice(): void;
}

/** What happened in a step by version, the baseline first; `ruleRequests` went to the first candidate by rules. */
export type TrafficStep = { readonly arms: readonly ArmStep[]; readonly ruleRequests: number };

/** A gateway looks at its windows ten times a second. */
const lookEveryMs = 100;
const retryEveryMs = 2_000;
const brokenUser = 'broken';

export class Traffic {
  readonly #scenario: Scenario;
  readonly #population: Population;
  readonly #random: Random;
  readonly #riskRule: RiskRule;
  /** By version. */
  readonly #arms: readonly StratumArm[];
  readonly #harmedIndex: number;
  readonly #healthy: LatencyDraws;
  readonly #harmed: LatencyDraws;
  /** Where the broken user's bucket lies among 100 percent of users. */
  readonly #brokenPercent: number;
  #sliceMs = firstSliceMs;
  #beganMs = 0;

  constructor(scenario: Scenario, staging: Staging, chance: { random: Random; riskRule: RiskRule }) {
    const { latency, harm } = scenario;
    this.#scenario = scenario;
    this.#random = chance.random;
    this.#riskRule = chance.riskRule;
    this.#arms = [emptyArm(), ...staging.candidates.map(() => emptyArm())];
    this.#harmedIndex = 1 + staging.candidates.indexOf(subjectOf(scenario, staging));
    this.#population = new Population(scenario.userCount, boundsOf(staging), chance.random);
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
    const rates = this.#arms.map((_, i) => (i === this.#harmedIndex ? candidate : baseline));
    const arms = this.#population.step(shares, { perSecond, forMs, rates });
    for (const [i, { exposed, failed }] of arms.entries()) this.#expose(i, { exposed, failed, nowMs });
    if (scenario.brokenUser !== null) this.#retry(arms, { shares, nowMs, forMs });
    const ruleRequests = this.#random.poisson((scenario.ruleRequestsPerSecond * forMs) / 1_000);
    return { arms, ruleRequests };
  }

  /** The open stratum, where it is due; its arms are those of the next one as soon as `nextSlice` is called. */
  dueStratum(nowMs: number): readonly StratumArm[] | null {
    const elapsedMs = nowMs - this.#beganMs;
    const baselineCount = this.#arms[0]!.exposedCount;
    const candidateCount = this.#exposedCount() - baselineCount;
    return isStratumDue({ elapsedMs, sliceMs: this.#sliceMs, baselineCount, candidateCount }) ? this.#arms : null;
  }

  /** Closes the stratum that was due and opens the next. */
  nextSlice(nowMs: number): void {
    this.#sliceMs = nextSliceMs(this.#exposedCount(), nowMs - this.#beganMs);
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
    const isSlow = index === this.#harmedIndex && harm !== null && nowMs >= harm.fromMs;
    arm.exposedCount += exposed;
    arm.failedCount += failed;
    (isSlow ? this.#harmed : this.#healthy).draw(arm.latencies, exposed, this.#random);
  }

  #exposedCount(): number {
    return this.#arms.reduce((sum, { exposedCount }) => sum + exposedCount, 0);
  }

  /** The requests of the broken user, each by the window's own rule. */
  #retry(arms: readonly ArmStep[], { shares, nowMs, forMs }: { shares: Shares; nowMs: number; forMs: number }): void {
    const index = shares.upperPercents.findIndex((upper) => this.#brokenPercent < upper) + 1;
    const arm = arms[index]!;
    const tries = Math.floor((nowMs + forMs) / retryEveryMs) - Math.floor(nowMs / retryEveryMs);
    for (let i = 0; i < tries; i += 1) {
      arm.requests += 1;
      arm.failures += 1;
      if (this.#riskRule.admits(brokenUser, true)) this.#expose(index, { exposed: 1, failed: 1, nowMs });
    }
  }
}
