// What a candidate of a rehearsal did to its users, from the start and since it was harmed.
import type { ArmStep } from './population.ts';
import { failureRatesAt, type Scenario } from './scenario.ts';

export type CandidateSums = {
  /** Of several candidates which one it was; absent: there is one. */
  readonly version?: string;
  readonly requests: number;
  readonly failures: number;
  /** Failures that users of the baseline would not have seen in as many requests. */
  readonly excessFailures: number;
  /** Users who saw a failure of the candidate; at most. */
  readonly disappointedUsers: number;
  /** Since its harm began; null where it never did. `percent`: the candidate's when it had traffic last. */
  readonly sinceHarm: { readonly forMs: number; readonly requests: number; readonly percent: number } | null;
};

export class CandidateRecord {
  readonly #scenario: Scenario;
  readonly #harmedFromMs: number;
  #requests = 0;
  #failures = 0;
  #expectedFailures = 0;
  #disappointed = 0;
  #harmedRequests = 0;
  #percent = 0;

  /** `isSubject`: whether the scenario's harm is its own. */
  constructor(scenario: Scenario, isSubject: boolean) {
    this.#scenario = scenario;
    this.#harmedFromMs = (isSubject ? scenario.harm?.fromMs : undefined) ?? Infinity;
  }

  /** Takes what the candidate did in the step that began at `nowMs`. */
  add({ requests, failures, disappointed }: ArmStep, { nowMs, percent }: { nowMs: number; percent: number }): void {
    this.#requests += requests;
    this.#failures += failures;
    this.#expectedFailures += requests * failureRatesAt(this.#scenario, nowMs).baseline;
    this.#disappointed += disappointed;
    if (nowMs >= this.#harmedFromMs) this.#harmedRequests += requests;
    if (percent > 0) this.#percent = percent;
  }

  sums(endedMs: number): CandidateSums {
    const fromMs = this.#harmedFromMs;
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
