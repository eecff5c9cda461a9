// What the candidates of a rehearsal did to their users, and what they would have done under another rule.
import type { Staging } from '../staging.ts';
import { CandidateRecord, type CandidateSums } from './candidate-record.ts';
import { type FlaggerVerdict, FlaggerWatch } from './flagger-watch.ts';
import type { Random } from './random.ts';
import { type Scenario, subjectOf } from './scenario.ts';
import { candidatesWithUsers, type Shares } from './shares.ts';
import type { TrafficStep } from './traffic.ts';

export type Cost = {
  /** The one that is harmed, or would be. */
  readonly candidate: CandidateSums;
  /** Further candidates with users; absent: there are none. */
  readonly others?: readonly CandidateSums[];
  /** The rule knows one candidate: the same. */
  readonly flagger: FlaggerVerdict;
};

/** `index`: of the version in listed order. */
type Recorded = { readonly version: string; readonly index: number; readonly record: CandidateRecord };

export class Costs {
  readonly #scenario: Scenario;
  readonly #subject: Recorded;
  readonly #others: readonly Recorded[];
  readonly #flagger = new FlaggerWatch();
  /** The subject's in the last step. */
  #percent = 0;

  constructor(scenario: Scenario, staging: Staging) {
    const subject = subjectOf(scenario, staging);
    const recordOf = (version: string): Recorded => ({
      version,
      index: 1 + staging.candidates.indexOf(version),
      record: new CandidateRecord(scenario, version === subject),
    });
    this.#scenario = scenario;
    this.#subject = recordOf(subject);
    this.#others = candidatesWithUsers(staging)
      .filter((name) => name !== subject)
      .map(recordOf);
  }

  /** Takes what came of a step that began at `nowMs`. */
  add({ arms }: TrafficStep, { percents }: Shares, { nowMs, forMs }: { nowMs: number; forMs: number }): void {
    for (const { index, record } of [this.#subject, ...this.#others])
      record.add(arms[index]!, { nowMs, percent: percents[index]! });
    const { index } = this.#subject;
    this.#percent = percents[index]!;
    this.#flagger.add(arms[index]!, { fromMs: nowMs, toMs: nowMs + forMs, percent: this.#percent });
  }

  /** Lets the other rule go on by itself where the release has been rolled back. */
  goOn(when: { nowMs: number; limitMs: number; random: Random }): void {
    if (this.#percent > 0) this.#flagger.goOn(this.#scenario, { ...when, percent: this.#percent });
  }

  sums(endedMs: number): Cost {
    const flagger = this.#flagger.verdict();
    if (this.#others.length === 0) return { candidate: this.#subject.record.sums(endedMs), flagger };
    const named = ({ version, record }: Recorded): CandidateSums => ({ version, ...record.sums(endedMs) });
    return { candidate: named(this.#subject), others: this.#others.map(named), flagger };
  }
}
