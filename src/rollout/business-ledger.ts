// The checks of the business of one rollout: weighed when the figures change, which is seldom, and asked at every tick.
// Evidence for harm can begin anew although the figures go on: what there is already is then taken off.
import { weighBusiness } from './business-check.ts';
import type { BusinessNumbers } from './business-check.ts';
import type { ExperimentStanding } from './experiment-standing.ts';
import type { ExperimentFigures } from './experiment.ts';
import { alphaOf, comparedCandidates, type Staging } from './staging.ts';

/** What is known of an experiment. `tightestAt`: the users for which bounds are narrowest; null: nobody said. */
export type BusinessSight = {
  readonly figures: ExperimentFigures;
  readonly standing: ExperimentStanding;
  readonly tightestAt: number | null;
};

/** Log evidence for harm, as it stood when the evidence of `release` began anew. JSON. */
export type BusinessSnapshot = {
  readonly release: string;
  /** Of the first candidate. */
  readonly taken: ByCheck;
  /** By version; absent: no other candidate is compared. */
  readonly others?: Readonly<Record<string, ByCheck>>;
};

type ByCheck = Readonly<Record<string, number>>;

/** Where the bounds are narrowest when the experiment does not say. */
const usualUserCount = 5_000;

export class BusinessLedger {
  #staging: Staging;
  #sight: BusinessSight | null = null;
  #weighed: readonly BusinessNumbers[];
  #snapshot: BusinessSnapshot | null;

  constructor(staging: Staging, snapshot: BusinessSnapshot | null = null) {
    this.#staging = staging;
    this.#snapshot = snapshot;
    this.#weighed = this.#weigh();
  }

  follow(staging: Staging): void {
    this.#staging = staging;
    this.#weighed = this.#weigh();
  }

  /** Takes the newest figures; the same ones again cost nothing. Those of another release say nothing. */
  see(sight: BusinessSight | null): void {
    if (sight?.figures === this.#sight?.figures) return;
    this.#sight = sight;
    this.#weighed = this.#weigh();
  }

  /** From now on only harm beyond what is known already counts: the ratio of the evidence is evidence again. */
  anew(): void {
    const { release } = this.#staging;
    const [first, ...others] = comparedCandidates(this.#staging);
    this.#snapshot = {
      release,
      taken: this.#harmOf(first),
      ...(others.length === 0
        ? {}
        : { others: Object.fromEntries(others.map((version) => [version, this.#harmOf(version)])) }),
    };
    this.#weighed = this.#weigh();
  }

  /** Candidate by candidate, in the order of the policy's checks. */
  numbers(): readonly BusinessNumbers[] {
    return this.#weighed;
  }

  /** Where the experiment stands; null before anything is known of this release. */
  standing(): ExperimentStanding | null {
    return this.#release() === this.#staging.release ? (this.#sight?.standing ?? null) : null;
  }

  snapshot(): BusinessSnapshot | null {
    return this.#snapshot;
  }

  #weigh(): readonly BusinessNumbers[] {
    return comparedCandidates(this.#staging).flatMap((version) => this.#weighOne(version));
  }

  #weighOne(candidate: string): readonly BusinessNumbers[] {
    const { analysis, release } = this.#staging;
    const figures = this.#release() === release ? (this.#sight?.figures ?? null) : null;
    const tightestAt = this.#sight?.tightestAt ?? usualUserCount;
    const look = { figures, candidate, alpha: alphaOf(this.#staging), tightestAt };
    const taken = this.#takenOff(candidate);
    return analysis.checks.flatMap((check) => {
      if (!('measure' in check)) return [];
      const numbers = weighBusiness(check, look);
      const logEvidence = numbers.harm.logEvidence - (taken[check.name] ?? 0);
      return { ...numbers, harm: { logEvidence, peakLogEvidence: logEvidence } };
    });
  }

  /** What is known of a candidate, taken off or not. */
  #harmOf(candidate: string): ByCheck {
    const isKnown = this.#release() === this.#staging.release;
    const known = isKnown ? this.#weighed.filter(({ version }) => version === candidate) : [];
    const before = this.#takenOff(candidate);
    return Object.fromEntries(known.map(({ check: { name }, harm }) => [name, (before[name] ?? 0) + harm.logEvidence]));
  }

  #release(): string | undefined {
    return this.#sight?.figures.release;
  }

  #takenOff(candidate: string): ByCheck {
    const { release, candidates } = this.#staging;
    if (this.#snapshot?.release !== release) return {};
    const { taken, others = {} } = this.#snapshot;
    return candidate === candidates[0] ? taken : (others[candidate] ?? {});
  }
}
