// The checks of the business of one rollout: weighed when the figures change, which is seldom, and asked at every tick.
// Evidence for harm can begin anew although the figures go on: what there is already is then taken off.
import { weighBusiness } from './business-check.ts';
import type { BusinessNumbers } from './business-check.ts';
import type { ExperimentStanding } from './experiment-standing.ts';
import type { ExperimentFigures } from './experiment.ts';
import type { Staging } from './staging.ts';

/** What is known of an experiment. `tightestAt`: the users for which bounds are narrowest; null: nobody said. */
export type BusinessSight = {
  readonly figures: ExperimentFigures;
  readonly standing: ExperimentStanding;
  readonly tightestAt: number | null;
};

/** Log evidence for harm by check, as it stood when the evidence of `release` began anew. JSON. */
export type BusinessSnapshot = { readonly release: string; readonly taken: Readonly<Record<string, number>> };

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
    const known = this.#release() === release ? this.#weighed : [];
    const before = this.#takenOff();
    this.#snapshot = {
      release,
      taken: Object.fromEntries(
        known.map(({ check: { name }, harm }) => [name, (before[name] ?? 0) + harm.logEvidence]),
      ),
    };
    this.#weighed = this.#weigh();
  }

  /** In the order of the policy's checks. */
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
    const { candidates, analysis, release } = this.#staging;
    const figures = this.#release() === release ? (this.#sight?.figures ?? null) : null;
    const look = {
      figures,
      candidate: candidates[0],
      alpha: analysis.alpha,
      tightestAt: this.#sight?.tightestAt ?? usualUserCount,
    };
    const taken = this.#takenOff();
    return analysis.checks.flatMap((check) => {
      if (!('measure' in check)) return [];
      const numbers = weighBusiness(check, look);
      const logEvidence = numbers.harm.logEvidence - (taken[check.name] ?? 0);
      return { ...numbers, harm: { logEvidence, peakLogEvidence: logEvidence } };
    });
  }

  #release(): string | undefined {
    return this.#sight?.figures.release;
  }

  #takenOff(): Readonly<Record<string, number>> {
    return this.#snapshot?.release === this.#staging.release ? this.#snapshot.taken : {};
  }
}
