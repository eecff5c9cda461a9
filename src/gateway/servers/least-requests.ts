// The less busy of two servers drawn by chance: nearly as even as asking all, and no herd runs to the one that looks idle.
// Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001.
import { type Balancer, type Choosable, isOpen, type Share } from './balance.ts';

/** Draws by weight and compares requests under way a unit of weight; while nobody is busy, shares are as the weights. */
export class LeastRequests<S extends Choosable> implements Balancer<S> {
  readonly #random: () => number;
  #shares: readonly Share<S>[] = [];
  /** Sums of the weights up to and with each share. */
  #sums = new Float64Array();

  /** `random` gives numbers from 0 to below 1. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  prepare(shares: readonly Share<S>[]): void {
    this.#shares = shares;
    this.#sums = new Float64Array(shares.length);
    let sum = 0;
    for (const [index, { weight }] of shares.entries()) this.#sums[index] = sum += weight;
  }

  /** Cost: logarithmic in the servers; linear where both that were drawn cannot be asked. */
  pick(tried: readonly S[]): S | null {
    if (this.#shares.length < 2) return this.#leastOf(tried);
    const [first, second] = this.#drawTwo();
    const isFirstOpen = isOpen(first.server, tried);
    const isSecondOpen = isOpen(second.server, tried);
    if (isFirstOpen && isSecondOpen) return loadOf(second) < loadOf(first) ? second.server : first.server;
    if (isFirstOpen) return first.server;
    return isSecondOpen ? second.server : this.#leastOf(tried);
  }

  /** Two different ones. */
  #drawTwo(): [Share<S>, Share<S>] {
    const total = this.#sums.at(-1)!;
    const first = this.#indexAt(this.#random() * total);
    const { weight } = this.#shares[first]!;
    const before = this.#sums[first]! - weight;
    const drawn = this.#random() * (total - weight);
    let second = this.#indexAt(drawn < before ? drawn : drawn + weight);
    // Sums of fractions are not exact: at a border the draw may hit the first one again.
    if (second === first) second = first === 0 ? 1 : first - 1;
    return [this.#shares[first]!, this.#shares[second]!];
  }

  #indexAt(drawn: number): number {
    let low = 0;
    let high = this.#sums.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (drawn < this.#sums[middle]!) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #leastOf(tried: readonly S[]): S | null {
    let best: Share<S> | null = null;
    for (const share of this.#shares) {
      if (isOpen(share.server, tried) && (best === null || loadOf(share) < loadOf(best))) best = share;
    }
    return best === null ? null : best.server;
  }
}

function loadOf<S extends Choosable>({ server, weight }: Share<S>): number {
  return server.inFlightCount / weight;
}
