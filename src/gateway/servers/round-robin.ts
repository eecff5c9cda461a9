// Servers in turn, by weight. The balancing of a version that names none.
import { type Balancer, type Choosable, isOpen, type Share } from './balance.ts';

type Turn<S> = { readonly server: S; readonly weight: number; credit: number };

/** Smooth weighted round-robin (nginx): weights 5, 1, 1 give a a b a c a a, not a a a a a b c. Cost: linear in the servers. */
export class RoundRobin<S extends Choosable> implements Balancer<S> {
  #turns: Turn<S>[] = [];

  /** Who stays keeps its place in the turn. */
  prepare(shares: readonly Share<S>[]): void {
    const credits = new Map(this.#turns.map(({ server, credit }) => [server, credit]));
    this.#turns = shares.map(({ server, weight }) => ({ server, weight, credit: credits.get(server) ?? 0 }));
  }

  /** Who steps in for a server that was tried keeps its own turn; one without room saves none up. */
  pick(tried: readonly S[]): S | null {
    const stepsIn = tried.length > 0;
    let best: Turn<S> | null = null;
    let totalWeight = 0;
    for (const turn of this.#turns) {
      if (!isOpen(turn.server, tried)) continue;
      if (!stepsIn) {
        turn.credit += turn.weight;
        totalWeight += turn.weight;
      }
      if (best === null || turn.credit > best.credit) best = turn;
    }
    if (best === null) return null;
    if (!stepsIn) best.credit -= totalWeight;
    return best.server;
  }
}
