// Whether users fall to the versions as the split says: those who came for the first time, by the split that assigned them.
import { addUsers, sampleRatio, type SplitEpoch } from '../stats/sample-ratio.ts';
import type { SampleRatio } from './measurement.ts';

/** JSON. `smallestChance` (0–1): that the users ever fell as they did by luck. */
export type NewcomersSnapshot = { readonly epochs: readonly SplitEpoch[]; readonly smallestChance: number };

const mismatchBelow = 0.001;

export class Newcomers {
  #epochs: readonly SplitEpoch[] = [];
  /** Of users who may be counted as new again: shown, but no evidence any more. */
  #pastEpochs: readonly SplitEpoch[];
  #smallestChance: number;

  constructor(snapshot: NewcomersSnapshot | null) {
    this.#pastEpochs = snapshot?.epochs ?? [];
    this.#smallestChance = snapshot?.smallestChance ?? 1;
  }

  /** Adds users who came for the first time; `percents` of all versions in listed order, the baseline first. */
  add(counts: readonly number[], percents: readonly number[]): void {
    if (counts.every((count) => count === 0)) return;
    this.#epochs = addUsers(this.#epochs, { counts, shares: percents.map((percent) => percent / 100) });
    this.#smallestChance = Math.min(this.#smallestChance, sampleRatio(this.#epochs).chanceByLuck);
  }

  /**
   * From now on users count as new who may have been counted before. The same users twice would be evidence of nothing, so what is
   * gathered so far goes on to be shown, and only its verdict stays.
   */
  forgetWhoWasNew(): void {
    this.#pastEpochs = this.#allEpochs();
    this.#epochs = [];
  }

  /** New users beside what the split promises, of the candidate that is furthest off; `indexes`, at least one, in listed order. */
  sampleRatio(indexes: readonly number[]): Omit<SampleRatio, 'version'> & { readonly index: number } {
    const epochs = this.#allEpochs();
    const seen = indexes.map((index) => ({ index, ...usersOf(index, epochs) }));
    const furthest = seen.reduce((most, one) => (distanceOf(one) > distanceOf(most) ? one : most));
    const answer = this.#smallestChance < mismatchBelow ? 'mismatch' : 'ok';
    return { answer, chance: this.#smallestChance, ...furthest };
  }

  snapshot(): NewcomersSnapshot {
    return { epochs: this.#allEpochs(), smallestChance: this.#smallestChance };
  }

  #allEpochs(): readonly SplitEpoch[] {
    return this.#epochs.reduce(addUsers, this.#pastEpochs);
  }
}

type Counted = Pick<SampleRatio, 'candidateUsers' | 'users' | 'expectedCandidateUsers'>;

function usersOf(index: number, epochs: readonly SplitEpoch[]): Counted {
  let candidateUsers = 0;
  let users = 0;
  let expectedCandidateUsers = 0;
  for (const { counts, shares } of epochs) {
    const all = counts.reduce((sum, count) => sum + count, 0);
    users += all;
    candidateUsers += counts[index] ?? 0;
    expectedCandidateUsers += all * (shares[index] ?? 0);
  }
  return { candidateUsers, users, expectedCandidateUsers };
}

/** In standard deviations, roughly: to choose by, not to judge by. */
function distanceOf({ candidateUsers, expectedCandidateUsers }: Counted): number {
  return Math.abs(candidateUsers - expectedCandidateUsers) / Math.sqrt(Math.max(1, expectedCandidateUsers));
}
