// Asks who looks on at a request and passes to all of them what the user gets.
import type { AnswerTap, Onlooker, WatchedRequest } from './answer-tap.ts';

/** One tap for those who want to look; null where nobody does. */
export function tapFor(onlookers: readonly Onlooker[], request: WatchedRequest): AnswerTap | null {
  const taps: AnswerTap[] = [];
  for (const onlooker of onlookers) {
    const tap = onlooker.watch(request);
    if (tap !== null) taps.push(tap);
  }
  return taps.length > 1 ? new SeveralTaps(taps) : (taps[0] ?? null);
}

class SeveralTaps implements AnswerTap {
  readonly #taps: readonly AnswerTap[];

  constructor(taps: readonly AnswerTap[]) {
    this.#taps = taps;
  }

  sent(chunk: Buffer): void {
    for (const tap of this.#taps) tap.sent(chunk);
  }

  head(status: number, rawHeaders: readonly string[]): void {
    for (const tap of this.#taps) tap.head(status, rawHeaders);
  }

  data(chunk: Buffer): void {
    for (const tap of this.#taps) tap.data(chunk);
  }

  end(isWhole: boolean): void {
    for (const tap of this.#taps) tap.end(isWhole);
  }
}
