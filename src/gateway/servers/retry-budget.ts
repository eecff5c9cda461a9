// How many requests may be tried again at a time, so that retries do not bury servers that are struggling already. Pure.

/** With little traffic a percent is less than one request: so many retries at a time are always allowed (as Envoy's budget). */
const leastRetryCount = 3;

/** The retries of one version. */
export class RetryBudget {
  readonly #percent: number;
  #liveCount = 0;
  #retryCount = 0;

  constructor(percent: number) {
    this.#percent = percent;
  }

  /** A request is under way; followed by one `left`. */
  entered(): void {
    this.#liveCount += 1;
  }

  left(): void {
    this.#liveCount -= 1;
  }

  /** True where one more retry is within the budget; then it is followed by one `giveBack`. */
  take(): boolean {
    const most = Math.max(leastRetryCount, (this.#liveCount * this.#percent) / 100);
    if (this.#percent === 0 || this.#retryCount + 1 > most) return false;
    this.#retryCount += 1;
    return true;
  }

  giveBack(): void {
    this.#retryCount -= 1;
  }
}
