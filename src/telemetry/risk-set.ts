// Whose request counts as evidence: each user once a slice, and nobody whose counted request has failed. A user who is
// broken on every version and retries must not look like many independent failures (statistics, section 1.4).

/** How many users who failed are remembered; beyond that the one who failed first is forgotten. */
export const maxFailedUserCount = 100_000;

/** What is left of a risk set between processes: keys of users, the oldest failure first. */
export type RiskSetSnapshot = readonly string[];

export class RiskSet {
  /** Insertion order is the order of the failures. */
  readonly #failed: Set<string>;
  readonly #seen = new Set<string>();

  constructor(snapshot: RiskSetSnapshot = []) {
    this.#failed = new Set(snapshot);
  }

  /**
   * Whether a completed request counts in the slice that is open: the first of a user who has not failed before.
   * The user who fails now counts for the last time.
   */
  admits(user: string, hasFailed: boolean): boolean {
    if (this.#seen.has(user) || this.#failed.has(user)) return false;
    this.#seen.add(user);
    if (hasFailed) this.#remember(user);
    return true;
  }

  /** Another slice begins: every user may count again. */
  nextSlice(): void {
    this.#seen.clear();
  }

  get failedCount(): number {
    return this.#failed.size;
  }

  snapshot(): RiskSetSnapshot {
    return [...this.#failed];
  }

  #remember(user: string): void {
    this.#failed.add(user);
    if (this.#failed.size > maxFailedUserCount) this.#failed.delete(this.#failed.values().next().value!);
  }
}
