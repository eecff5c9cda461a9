// Whose request counts as evidence: each user once a slice, and nobody whose counted request has failed. A user who is
// broken on every version and retries must not look like many independent failures (statistics, section 1.4).

import { createHash } from 'node:crypto';

/** How many users who failed are remembered; beyond that the one who failed first is forgotten. */
export const maxFailedUserCount = 100_000;

/** What is left of a risk set between processes: keys of users, the oldest failure first. */
export type RiskSetSnapshot = readonly string[];

/** Clients choose their IDs: a longer one is remembered by its hash. */
const longestKept = 64;

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
    const key = user.length > longestKept ? createHash('sha256').update(user, 'latin1').digest('base64url') : user;
    if (this.#seen.has(key) || this.#failed.has(key)) return false;
    this.#seen.add(key);
    // Copied: a part of a header would keep the whole header.
    if (hasFailed) this.#remember(Buffer.from(key, 'latin1').toString('latin1'));
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
