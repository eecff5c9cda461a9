// What stays open for long: WebSockets, server-sent events, gRPC calls. Each stays with the version that it began on; where the
// policy says so (`streams: drain`), one whose user would get another version now is ended, at a moment of its own within the
// time to drain, so that not all clients return at once.
import { decide } from '../rollout/decide.ts';
import { matchRollout } from '../rollout/matching.ts';
import type { Rollout } from '../rollout/policy.ts';
import type { Split } from '../rollout/split.ts';
import type { RequestFacts } from './facts.ts';
import type { LivePolicy } from './live-policy.ts';

export type LongStream = {
  readonly rollout: Rollout;
  /** The version of the decision, by name. */
  readonly decided: string;
  /** The version that serves it, by name: the baseline where it answers for a candidate. */
  readonly servedBy: string;
  readonly facts: RequestFacts;
  /** Ends it so that its client knows that it was no accident, as far as the protocol can say so. */
  withdraw(): void;
};

/** How often splits are looked at. */
const lookEveryMs = 1_000;

export class LongStreams {
  readonly #current: () => LivePolicy;
  /** With the timer of those that are to end. */
  readonly #open = new Map<LongStream, NodeJS.Timeout | null>();
  #seenPolicy: LivePolicy | null = null;
  #seenSplits = new Map<string, Split>();
  #timer: NodeJS.Timeout | null = null;

  /** `current`: the policy in force. */
  constructor(current: () => LivePolicy) {
    this.#current = current;
  }

  opened(stream: LongStream): void {
    if (this.#open.size === 0) {
      this.#takeNote();
      this.#timer = setInterval(() => this.look(), lookEveryMs).unref();
    }
    this.#open.set(stream, null);
  }

  closed(stream: LongStream): void {
    clearTimeout(this.#open.get(stream) ?? undefined);
    this.#open.delete(stream);
    if (this.#open.size === 0) this.close();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Decides anew for the streams whose policy or split has changed since the last look. */
  look(): void {
    const changed = this.#takeNote();
    if (changed.size === 0) return;
    for (const [stream, timer] of this.#open) {
      if (timer === null && changed.has(stream.rollout.name) && !this.#mayStay(stream)) this.#endSometime(stream);
    }
  }

  /** The rollouts, by name, of which something was changed. */
  #takeNote(): ReadonlySet<string> {
    const live = this.#current();
    const changed = new Set<string>();
    const splits = new Map<string, Split>();
    for (const rollout of live.policy.rollouts) {
      const { current } = live.rolloutOf(rollout).cell;
      splits.set(rollout.name, current);
      if (this.#seenPolicy !== live || this.#seenSplits.get(rollout.name) !== current) changed.add(rollout.name);
    }
    // A rollout that is gone is a change, too.
    for (const name of this.#seenSplits.keys()) if (!splits.has(name)) changed.add(name);
    this.#seenPolicy = live;
    this.#seenSplits = splits;
    return changed;
  }

  #mayStay({ rollout, decided, servedBy, facts }: LongStream): boolean {
    const live = this.#current();
    const now = live.policy.rollouts.find(({ name }) => name === rollout.name);
    if ((now ?? rollout).streams === 'keep') return true;
    const matched = matchRollout(live.table, facts);
    if (matched === null || matched.rollout.name !== rollout.name) return false;
    const { version } = decide(matched, live.rolloutOf(matched.rollout).cell.current, facts);
    return version.name === decided || version.name === servedBy;
  }

  #endSometime(stream: LongStream): void {
    const { drainMs } = this.#current().policy.timeouts;
    this.#open.set(
      stream,
      setTimeout(() => stream.withdraw(), Math.random() * drainMs),
    );
  }
}
