// What one request has tried of a version's servers, and whether it may try again. Whether it can, its own side knows: what was
// sent of it, and whether its method and body allow it.
import type { RetryReason } from '../../rollout/outcome.ts';
import type { RetryRule } from '../../rollout/serving.ts';
import type { Absence, ServerGroup } from './server-group.ts';
import type { UpstreamServer } from './upstream-server.ts';

/** A reset may hit a kept-alive connection that the server was just closing; more than this is no accident. */
const maxResetRetryCount = 2;
const nobody: readonly UpstreamServer[] = [];

export class Tries {
  readonly #group: ServerGroup;
  readonly #rule: RetryRule;
  #server: UpstreamServer | null = null;
  #tried = nobody;
  #resetRetryCount = 0;
  #attemptCount = 0;
  /** The try under way takes from the budget, or the one that comes next does. */
  #isOnBudget = false;
  #isReserved = false;

  constructor(group: ServerGroup, rule: RetryRule) {
    this.#group = group;
    this.#rule = rule;
  }

  /** The server to ask, which the request is on from now until `ended`; null where there is none. */
  next(key: string): UpstreamServer | null {
    const server = this.#group.next(this.#tried, key);
    if (server !== null) {
      this.#server = server;
      this.#isOnBudget = this.#isReserved;
      this.#isReserved = false;
      server.entered();
    }
    return server;
  }

  /** Why `next` found nobody. */
  absence(): Absence {
    return this.#group.absence(this.#tried);
  }

  answered(status: number): void {
    this.#group.answered(this.#server!, status);
  }

  failed(): void {
    this.#group.failed(this.#server!);
  }

  /** The try is over, whatever came of it; without one nothing happens. */
  ended(): void {
    this.#server?.left();
    this.#server = null;
    if (this.#isOnBudget) this.#group.budget.giveBack();
    this.#isOnBudget = false;
  }

  /** There will be no other one. */
  close(): void {
    this.ended();
    if (this.#isReserved) this.#group.budget.giveBack();
    this.#isReserved = false;
  }

  /**
   * Whether to ask again after a failed try at this server. Where nothing was sent the others are asked, each once; what was reset is asked
   * again, as its connection may have been closed the moment it was used; all else is subject to attempts and budget.
   */
  again(reason: RetryReason, { server, isSent }: { server: UpstreamServer; isSent: boolean }): boolean {
    const { attempts, on } = this.#rule;
    if (attempts === 0) return false;
    if (!isSent && reason !== 'reset') return on.has('connect') && this.#passOver(server);
    if (reason === 'reset' && this.#resetRetryCount < maxResetRetryCount) {
      this.#resetRetryCount += 1;
      return true;
    }
    if (!on.has(reason) || this.#attemptCount === attempts) return false;
    // A server that lost three connections is not asked a fourth time; one that answers badly may answer well.
    if (!this.#passOver(server) && reason === 'reset') return false;
    if (!this.#group.hasOther(this.#tried)) this.#tried = nobody;
    if (!this.#group.budget.take()) return false;
    this.#isReserved = true;
    this.#attemptCount += 1;
    return true;
  }

  /** Whether there is another one. */
  #passOver(server: UpstreamServer): boolean {
    this.#tried = [...this.#tried, server];
    return this.#group.hasOther(this.#tried);
  }
}
