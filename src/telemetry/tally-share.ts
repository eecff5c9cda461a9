// One worker's part of the tallies of all: adds up what it reports, and takes its gauges off again when it is gone.
import type { TallyBook } from './tally-book.ts';
import { addCounts, addPulse, type Gauges, type TallyDelta } from './tally-delta.ts';
import type { Tally } from './tally.ts';

const noGauges: Gauges = { inFlightCount: 0, openStreamCount: 0, awaitedCount: 0 };

export class TallyShare {
  readonly #book: TallyBook;
  #gauges = new Map<Tally, Gauges>();

  constructor(book: TallyBook) {
    this.#book = book;
  }

  /** What is said of a version that the policy in force does not name is dropped, as its series are. */
  add(delta: TallyDelta): void {
    const tally = this.#book.find(delta.rollout, delta.version);
    if (tally === null) return;
    addCounts(tally, delta);
    addPulse(tally.pulse, delta.pulse);
    this.#setGauges(tally, delta.gauges);
  }

  /** The worker is gone, and what was under way in it. */
  end(): void {
    for (const tally of this.#gauges.keys()) this.#setGauges(tally, noGauges);
    this.#gauges = new Map();
  }

  /** Forgets the versions that no policy names any more. */
  prune(): void {
    for (const tally of this.#gauges.keys()) {
      if (this.#book.find(tally.rollout, tally.version) !== tally) this.#gauges.delete(tally);
    }
  }

  #setGauges(tally: Tally, gauges: Gauges): void {
    const before = this.#gauges.get(tally) ?? noGauges;
    tally.inFlightCount += gauges.inFlightCount - before.inFlightCount;
    tally.openStreamCount += gauges.openStreamCount - before.openStreamCount;
    tally.awaitedCount += gauges.awaitedCount - before.awaitedCount;
    // Nobody waits for an answer any more, so none is late.
    if (tally.awaitedCount === 0) tally.pulse.unansweredSinceMs = null;
    this.#gauges.set(tally, gauges);
  }
}
