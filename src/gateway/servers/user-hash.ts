// A user's own server, for as long as it lives. Rendezvous hashing (Thaler and Ravishankar, 1998; weights as in Schindelhauer
// and Schomaker, 2005): each server scores each user, the highest score has the user. So a server that goes gives away its own
// users and no others, to all that are left by their weights, and gets the same ones back. A ring of points would do that too but
// shares unevenly; Maglev's table shares evenly but moves users of servers that did not change.
import { bucketPrefix, hashUser } from '../../rollout/bucket.ts';
import { type Balancer, type Choosable, isOpen, type Share } from './balance.ts';

/** Users share a slot of so many, so that a slot's servers are scored once and not for every request. A power of two. */
const slotCount = 16_384;
const unknown = -1;
const userPrefix = bucketPrefix('graygate:server');
const serverPrefix = bucketPrefix('graygate:server-name');

type Scored<S> = { readonly server: S; readonly weight: number; readonly hash: number };

export class UserHash<S extends Choosable> implements Balancer<S> {
  #members: Scored<S>[] = [];
  /** By slot, the index of its server, once somebody of that slot has asked. */
  readonly #owners = new Int32Array(slotCount);

  prepare(shares: readonly Share<S>[]): void {
    this.#members = shares.map(({ server, weight }) => ({
      server,
      weight,
      hash: hashUser(serverPrefix, Buffer.from(server.label, 'utf8').toString('latin1')),
    }));
    this.#owners.fill(unknown);
  }

  /** Cost: constant; linear in the servers at the first request of a slot, and where its server cannot be asked. */
  pick(tried: readonly S[], key: string): S | null {
    if (this.#members.length === 0) return null;
    const slot = hashUser(userPrefix, key) & (slotCount - 1);
    if (this.#owners[slot] === unknown) this.#owners[slot] = this.#highest(slot, () => true);
    const { server } = this.#members[this.#owners[slot]!]!;
    if (isOpen(server, tried)) return server;
    const next = this.#highest(slot, (other) => isOpen(other, tried));
    return next === unknown ? null : this.#members[next]!.server;
  }

  #highest(slot: number, isEligible: (server: S) => boolean): number {
    let best = unknown;
    let bestScore = 0;
    for (const [index, member] of this.#members.entries()) {
      if (!isEligible(member.server)) continue;
      const score = scoreOf(member, slot);
      if (best !== unknown && score <= bestScore) continue;
      best = index;
      bestScore = score;
    }
    return best;
  }
}

/** Weight by an exponential variable: the chance to be highest is in proportion to the weight. Above 0. */
function scoreOf({ hash, weight }: { hash: number; weight: number }, slot: number): number {
  const share = (mixed(hash ^ Math.imul(slot + 1, 0x9e3779b1)) + 0.5) / 2 ** 32;
  return weight / -Math.log(share);
}

/** The finishing steps of murmur3: each bit of the input changes about half of the result. Unsigned. */
function mixed(bits: number): number {
  let h = bits ^ (bits >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
