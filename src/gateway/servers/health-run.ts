// What is thought of a server by its answers to checks. Pure.
import type { HealthCheck } from '../../rollout/serving.ts';

/** One server's checks. It counts as healthy until a check fails; the very first one decides alone, as no earlier one speaks for it. */
export class HealthRun {
  isHealthy = true;
  #isFirst = true;
  /** Answers in a row that say otherwise. */
  #contraryCount = 0;

  /** Takes down the answer to a check; true when it changed what is thought of the server. */
  checked(isGood: boolean, { healthyAfter, unhealthyAfter }: HealthCheck): boolean {
    const neededCount = this.#isFirst ? 1 : isGood ? healthyAfter : unhealthyAfter;
    this.#isFirst = false;
    this.#contraryCount = isGood === this.isHealthy ? 0 : this.#contraryCount + 1;
    if (this.#contraryCount < neededCount) return false;
    this.isHealthy = isGood;
    this.#contraryCount = 0;
    return true;
  }
}

/** 2xx and 3xx: a redirect is an answer of a server that works. */
export function isGoodStatus(status: number): boolean {
  return status >= 200 && status < 400;
}
