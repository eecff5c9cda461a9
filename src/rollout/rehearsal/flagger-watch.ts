// What the rule of a widely used canary controller would have done on the same traffic: a look a minute at the candidate's success
// rate. It goes on where graygate has stopped the candidate, at the percent that was in force then.
import { lookFlagger, startFlagger, type FlaggerRule } from '../../stats/flagger-rule.ts';
import type { Random } from './random.ts';
import { failureRatesAt, type Scenario } from './scenario.ts';

/** The rule that rehearsals are set beside: 99 % success, five failed looks. */
export const comparedRule: FlaggerRule = { leastSuccess: 0.99, failedLooks: 5 };
const lookEveryMs = 60_000;

/** `candidateRequests` and `candidateFailures`: from the start to its decision. */
export type FlaggerVerdict = {
  readonly rolledBackAtMs: number | null;
  readonly candidateRequests: number;
  readonly candidateFailures: number;
};

export class FlaggerWatch {
  #state = startFlagger();
  #lookedMs: number | null = null;
  #rolledBackAtMs: number | null = null;
  #requests = 0;
  #failures = 0;
  #fresh = { count: 0, failures: 0 };

  /** Takes what the candidate did in a step at a percent; looks when a minute with traffic is over. */
  add(
    { requests, failures }: { requests: number; failures: number },
    { fromMs, toMs, percent }: { fromMs: number; toMs: number; percent: number },
  ): void {
    if (percent === 0 || this.#state.isRolledBack) return;
    this.#lookedMs ??= fromMs;
    this.#requests += requests;
    this.#failures += failures;
    this.#fresh.count += requests;
    this.#fresh.failures += failures;
    if (toMs - this.#lookedMs < lookEveryMs) return;
    this.#lookedMs = toMs;
    this.#state = lookFlagger(comparedRule, this.#state, this.#fresh);
    this.#fresh = { count: 0, failures: 0 };
    if (this.#state.isRolledBack) this.#rolledBackAtMs = toMs;
  }

  /** Goes on without graygate until the rule has rolled back too, or until `limitMs`. */
  goOn(
    scenario: Scenario,
    { nowMs, limitMs, percent, random }: { nowMs: number; limitMs: number; percent: number; random: Random },
  ): void {
    let fromMs = nowMs;
    while (fromMs < limitMs && !this.#state.isRolledBack) {
      const toMs = (this.#lookedMs ?? fromMs) + lookEveryMs;
      const requests = random.poisson((scenario.requestsPerSecond * percent * (toMs - fromMs)) / 100_000);
      const failures = random.binomial(requests, failureRatesAt(scenario, fromMs).candidate);
      this.add({ requests, failures }, { fromMs, toMs, percent });
      fromMs = toMs;
    }
  }

  verdict(): FlaggerVerdict {
    return {
      rolledBackAtMs: this.#rolledBackAtMs,
      candidateRequests: this.#requests,
      candidateFailures: this.#failures,
    };
  }
}
