// The users of a rehearsal as numbers: how many each stretch of buckets holds, who has failed and who has come already. Draws what
// they do as if user by user, by the rule of the risk set (a user counts once a slice, and never again after a counted failure).
// It forgets nobody who failed; a gateway forgets the oldest of more than 100,000.
import type { Random } from './random.ts';
import { ownerBelow, type Shares } from './shares.ts';

/** What the users of one version did in a step of time. `exposed` and `failed` are those that count as evidence. */
export type ArmStep = {
  exposed: number;
  failed: number;
  /** Every request, and every one that failed. */
  requests: number;
  failures: number;
  newUsers: number;
  /** Users who saw a failure for the first time; at most. */
  disappointed: number;
};

type Stretch = {
  /** Percent of users, from bucket 0, where it ends. */
  readonly upperPercent: number;
  readonly users: number;
  failed: number;
  unseen: number;
  /** Counted in the open slice, and not failed since. */
  exposed: number;
};

export class Population {
  readonly #stretches: Stretch[] = [];
  readonly #userCount: number;
  readonly #random: Random;

  /** `bounds`: every percent at which a split may cut, as the stages say; users fall to the stretches between them by chance. */
  constructor(userCount: number, bounds: readonly number[], random: Random) {
    this.#userCount = userCount;
    this.#random = random;
    const cuts = [...new Set([...bounds, 100])].filter((percent) => percent > 0).toSorted((a, b) => a - b);
    let [left, lower] = [userCount, 0];
    for (const upperPercent of cuts) {
      const users = random.binomial(left, (upperPercent - lower) / (100 - lower));
      this.#stretches.push({ upperPercent, users, failed: 0, unseen: users, exposed: 0 });
      left -= users;
      lower = upperPercent;
    }
  }

  /** Lets time pass: `perSecond` requests of all users together, failing at `rates` by version. By version, the baseline first. */
  step(
    shares: Shares,
    { perSecond, forMs, rates }: { perSecond: number; forMs: number; rates: readonly number[] },
  ): ArmStep[] {
    const arms = rates.map(() => emptyStep());
    const mean = (perSecond * forMs) / 1_000 / this.#userCount;
    for (const stretch of this.#stretches) {
      const owner = ownerBelow(stretch.upperPercent, shares);
      this.#act(stretch, { mean, rate: rates[owner]! }, arms[owner]!);
    }
    return arms;
  }

  /** Another slice begins: every user at risk may count again. */
  nextSlice(): void {
    for (const stretch of this.#stretches) stretch.exposed = 0;
  }

  /** `mean`: requests a user. Users come independently of each other, each with chance 1 - exp(-mean). */
  #act(stretch: Stretch, { mean, rate }: { mean: number; rate: number }, into: ArmStep): void {
    const random = this.#random;
    const chance = -Math.expm1(-mean);
    const exposed = random.binomial(stretch.users - stretch.failed - stretch.exposed, chance);
    const failed = random.binomial(exposed, rate);
    // What does not count: second requests of those who count, all of those who have counted in this slice or have failed.
    const repeated = random.poisson(exposed * (mean / chance - 1) + stretch.exposed * mean);
    const known = random.poisson(stretch.failed * mean);
    const repeatedFailures = random.binomial(repeated, rate);
    const came = random.binomial(stretch.unseen, chance);
    stretch.exposed += exposed - failed;
    stretch.failed += failed;
    stretch.unseen -= came;
    into.exposed += exposed;
    into.failed += failed;
    into.requests += exposed + repeated + known;
    into.failures += failed + repeatedFailures + random.binomial(known, rate);
    into.newUsers += came;
    into.disappointed += failed + repeatedFailures;
  }
}

function emptyStep(): ArmStep {
  return { exposed: 0, failed: 0, requests: 0, failures: 0, newUsers: 0, disappointed: 0 };
}
