// What the candidate of a rehearsal did to its users, from the start and since it was harmed.
import type { ArmStep } from './population.ts';
import { failureRatesAt, type Scenario } from './scenario.ts';

export type CandidateSums = {
  readonly requests: number;
  readonly failures: number;
  /** Failures that users of the baseline would not have seen in as many requests. */
  readonly excessFailures: number;
  /** Users who saw a failure of the candidate; at most. */
  readonly disappointedUsers: number;
  /** Since the harm began; null where it never did. `percent`: the candidate's when it had traffic last. */
  readonly sinceHarm: { readonly forMs: number; readonly requests: number; readonly percent: number } | null;
};

export class CandidateRecord {
  readonly #scenario: Scenario;
  #requests = 0;
  #failures = 0;
  #expectedFailures = 0;
  #disappointed = 0;
  #harmedRequests = 0;
  #percent = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  /** Takes what the candidate did in the step that began at `nowMs`. */
  add({ requests, failures, disappointed }: ArmStep, { nowMs, percent }: { nowMs: number; percent: number }): void {
    const { harm } = this.#scenario;
    this.#requests += requests;
    this.#failures += failures;
    this.#expectedFailures += requests * failureRatesAt(this.#scenario, nowMs).baseline;
    this.#disappointed += disappointed;
    if (harm !== null && nowMs >= harm.fromMs) this.#harmedRequests += requests;
    if (percent > 0) this.#percent = percent;
  }

  sums(endedMs: number): CandidateSums {
    const fromMs = this.#scenario.harm?.fromMs ?? Infinity;
    return {
      requests: this.#requests,
      failures: this.#failures,
      excessFailures: this.#failures - this.#expectedFailures,
      disappointedUsers: this.#disappointed,
      sinceHarm:
        endedMs < fromMs ? null : { forMs: endedMs - fromMs, requests: this.#harmedRequests, percent: this.#percent },
    };
  }
}
