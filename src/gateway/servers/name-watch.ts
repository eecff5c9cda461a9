// Keeps an eye on the addresses of one name: asks again when the answer is too old, and goes on with the last good one.
import { codeOf, type NameResolver } from './resolve-name.ts';

/** How soon a name is asked again: an answer without a time to live after `unknownMs`, others within these bounds. */
export type ResolveTimes = {
  readonly leastMs: number;
  readonly mostMs: number;
  readonly unknownMs: number;
  /** After a failure, when there is no address yet. */
  readonly retryMs: number;
};

export const usualResolveTimes: ResolveTimes = { leastMs: 5_000, mostMs: 30_000, unknownMs: 10_000, retryMs: 1_000 };

export class NameWatch {
  readonly #name: string;
  readonly #resolver: NameResolver;
  readonly #times: ResolveTimes;
  readonly #changed: () => void;
  #addresses: readonly string[] = [];
  #failure: string | null = null;
  #isPending = true;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  /** Asks at once. `changed` is called, never in the same turn, when anything below is different from before. */
  constructor(
    name: string,
    { resolver, times, changed }: { resolver: NameResolver; times: ResolveTimes; changed: () => void },
  ) {
    this.#name = name;
    this.#resolver = resolver;
    this.#times = times;
    this.#changed = changed;
    void this.#ask();
  }

  /** Sorted; empty before the first good answer. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** Why the last look-up failed; null where it did not. */
  get failure(): string | null {
    return this.#failure;
  }

  /** No answer has come yet, good or bad. */
  get isPending(): boolean {
    return this.#isPending;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #ask(): Promise<void> {
    let addresses = this.#addresses;
    let failure: string | null = null;
    let waitMs = addresses.length === 0 ? this.#times.retryMs : this.#times.leastMs;
    try {
      const { leastMs, mostMs, unknownMs } = this.#times;
      const resolved = await this.#resolver.resolve(this.#name);
      addresses = resolved.addresses;
      waitMs = resolved.ttlMs === null ? unknownMs : Math.min(mostMs, Math.max(leastMs, resolved.ttlMs));
    } catch (error) {
      failure = codeOf(error);
    }
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#ask(), waitMs);
    this.#timer.unref();
    const isSame = !this.#isPending && failure === this.#failure && addresses.join() === this.#addresses.join();
    this.#addresses = addresses;
    this.#failure = failure;
    this.#isPending = false;
    if (!isSame) this.#changed();
  }
}
