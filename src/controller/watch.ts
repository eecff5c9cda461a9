// What is watched of one rollout: its window, and what the window lets go of, added up as evidence and as figures. It measures and
// never moves anything.
import { BusinessLedger } from '../rollout/business-ledger.ts';
import type { Figures } from '../rollout/figures.ts';
import { Ledger } from '../rollout/ledger.ts';
import type { Measurement } from '../rollout/measurement.ts';
import type { Rollout } from '../rollout/policy.ts';
import { basePhase, isWatched, type RolloutState } from '../rollout/rollout-state.ts';
import type { StageView } from '../rollout/stage-totals.ts';
import { comparedCandidates } from '../rollout/staging.ts';
import type { EvidenceScope } from '../rollout/transition.ts';
import type { Verdict } from '../rollout/verdict.ts';
import { Figuring } from './figuring.ts';
import type { PilotParts, TrafficWindow } from './pilot-parts.ts';
import type { Gathered, Progress } from './progress.ts';

export type WatchParts = Pick<
  PilotParts,
  'openWindow' | 'health' | 'sourceVerdicts' | 'sourcesAnew' | 'experimentSight'
>;

/** Whether candidates answer at all. */
export type Health = Pick<Measurement, 'candidate' | 'others'>;

export type WatchStart = {
  readonly nowMs: number;
  readonly progress: Progress | null;
  /** The state that the store had. */
  readonly state: RolloutState | null;
};

export class Watch {
  #rollout: Rollout;
  readonly #parts: WatchParts;
  readonly #ledger: Ledger;
  readonly #business: BusinessLedger;
  readonly #figuring: Figuring;
  #window: TrafficWindow;

  constructor(rollout: Rollout, parts: WatchParts, { nowMs, progress, state }: WatchStart) {
    this.#rollout = rollout;
    this.#parts = parts;
    this.#ledger = new Ledger(rollout.staging, nowMs, progress?.ledger ?? null);
    this.#business = new BusinessLedger(rollout.staging, progress?.business ?? null);
    this.#figuring = new Figuring(rollout.versions.length, progress?.stage ?? null);
    this.#window = parts.openWindow(rollout, progress?.riskSet ?? []);
    if (progress === null || progress.stayedSinceMs === state?.stay.sinceMs) return;
    this.#ledger.anew('stage', nowMs);
    this.#figuring.beginStage();
  }

  /** Takes a policy over. What the versions were called before is nobody's any more, and so are requests of another release. */
  follow(rollout: Rollout): void {
    const before = this.#rollout;
    const hasOtherVersions = namesIn(rollout) !== namesIn(before);
    this.#rollout = rollout;
    this.#ledger.follow(rollout.staging);
    this.#business.follow(rollout.staging);
    if (hasOtherVersions) this.#figuring.reset(rollout.versions.length);
    if (!hasOtherVersions && rollout.staging.release === before.staging.release) return;
    this.#ledger.forgetWhoWasNew();
    this.#window = this.#parts.openWindow(rollout, this.#window.riskSet());
  }

  /** Weighs a stratum that is due; whether there was one. */
  weigh(nowMs: number): boolean {
    const stratum = this.#window.closeStratum(nowMs);
    if (stratum === null) return false;
    this.#ledger.addStratum(stratum.arms, nowMs);
    return true;
  }

  /** Moves what the window holds to where it adds up; `percents` are those that users were assigned by since the last call. */
  collect(nowMs: number, percents: readonly number[]): void {
    const figures = this.#window.takeFigures();
    if (figures === null) return;
    this.#figuring.add(figures, nowMs);
    const newUserCounts = figures.map(({ newUserCount }) => newUserCount);
    this.#ledger.addUsers(newUserCounts, percents);
  }

  /** Begins anew what a change of the state makes obsolete. */
  anew(scope: EvidenceScope, nowMs: number): void {
    this.#ledger.anew(scope, nowMs);
    this.#figuring.beginStage();
    if (scope !== 'stage') this.#parts.sourcesAnew(this.#rollout);
    if (scope !== 'stage') this.#business.anew();
    if (scope === 'release') this.#window = this.#parts.openWindow(this.#rollout, []);
  }

  health(nowMs: number): Health {
    const [first, ...others] = comparedCandidates(this.#rollout.staging);
    const seen = others.map((version) => ({ version, health: this.#parts.health(this.#rollout, version, nowMs) }));
    const down = seen.filter(({ health }) => health.kind !== 'up');
    const candidate = this.#parts.health(this.#rollout, first, nowMs);
    return { candidate, ...(down.length === 0 ? {} : { others: down }) };
  }

  measure(state: RolloutState | null, health: Health): Measurement {
    this.#business.see(this.#parts.experimentSight(this.#rollout));
    const compared = this.#ledger.verdicts(this.#business.numbers());
    const verdicts = [...compared, ...this.#parts.sourceVerdicts(this.#rollout)];
    const experiment = this.#business.standing();
    return {
      verdicts: inOrder(verdicts, this.#rollout),
      figures: this.#figuring.stageFigures(state !== null && isRulesOnly(state)),
      sampleRatio: this.#ledger.sampleRatio(),
      ...health,
      ...(experiment === null ? {} : { experiment }),
    };
  }

  /** Figures since the last call; null where nothing came. */
  takeSecond(nowMs: number): readonly Figures[] | null {
    return this.#figuring.takeSecond(nowMs);
  }

  recent(): { readonly sinceMs: number | null; readonly figures: readonly Figures[] } {
    return this.#figuring.recent();
  }

  stage(): StageView {
    return this.#figuring.stage();
  }

  gathered(): Gathered {
    const business = this.#business.snapshot();
    return {
      ledger: this.#ledger.snapshot(),
      ...(business === null ? {} : { business }),
      stage: this.#figuring.keptStage(),
      riskSet: this.#window.riskSet(),
    };
  }
}

function namesIn({ versions }: Rollout): string {
  return versions.map(({ name }) => name).join();
}

function inOrder(verdicts: readonly Verdict[], { staging }: Rollout): Verdict[] {
  return staging.analysis.checks.flatMap(({ name }) => verdicts.filter(({ check }) => check === name));
}

/** A stage of 0 %: what rules send is all there is. */
function isRulesOnly(state: RolloutState): boolean {
  return isWatched(state) && basePhase(state) !== 'steady' && state.percent === 0;
}
