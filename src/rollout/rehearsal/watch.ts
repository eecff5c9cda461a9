// What a gateway would measure in a rehearsal: the real ledger and checks on simulated traffic. It moves nothing.
import type { BusinessNumbers } from '../business-check.ts';
import type { StratumArm } from '../figures.ts';
import { Ledger } from '../ledger.ts';
import type { Measurement, VersionFigures } from '../measurement.ts';
import { basePhase, isWatched, type RolloutState } from '../rollout-state.ts';
import type { Staging } from '../staging.ts';
import type { EvidenceScope } from '../transition.ts';
import type { Verdict } from '../verdict.ts';
import { contentBusiness, contentVerdicts } from './content-sources.ts';
import type { Shares } from './shares.ts';
import type { TrafficStep } from './traffic.ts';

const none: VersionFigures = { requests: 0, failures: 0 };

export class Watch {
  readonly #staging: Staging;
  readonly #ledger: Ledger;
  readonly #sources: readonly Verdict[];
  readonly #business: readonly BusinessNumbers[];
  #comparisons: readonly Verdict[];
  /** Of the baseline and of the first candidate, whom alone stages move. */
  #split: readonly [VersionFigures, VersionFigures] = [none, none];
  #ruled: VersionFigures = none;
  #lastCandidateRequestMs: number | null = null;
  /** By version. */
  #newUsers: readonly number[];

  constructor(staging: Staging) {
    this.#staging = staging;
    this.#newUsers = [0, ...staging.candidates.map(() => 0)];
    this.#ledger = new Ledger(staging, 0);
    this.#sources = contentVerdicts(staging);
    this.#business = contentBusiness(staging);
    this.#comparisons = this.#ledger.verdicts(this.#business);
  }

  /** Adds what came until `nowMs`. */
  count({ arms, ruleRequests }: TrafficStep, nowMs: number): void {
    const [baseline, candidate] = arms;
    this.#split = [add(this.#split[0], baseline!), add(this.#split[1], candidate!)];
    this.#ruled = add(this.#ruled, { requests: ruleRequests, failures: 0 });
    this.#newUsers = this.#newUsers.map((count, i) => count + arms[i]!.newUsers);
    if (candidate!.requests + ruleRequests > 0) this.#lastCandidateRequestMs = nowMs;
  }

  /** Weighs a closed stratum. */
  weigh(stratum: readonly StratumArm[], nowMs: number): void {
    this.#ledger.addStratum(stratum, nowMs);
    this.#comparisons = this.#ledger.verdicts(this.#business);
  }

  /** Begins anew what a change of the state makes obsolete. */
  anew(scope: EvidenceScope, nowMs: number): void {
    this.#ledger.anew(scope, nowMs);
    this.#comparisons = this.#ledger.verdicts(this.#business);
    this.#split = [none, none];
    this.#ruled = none;
  }

  /** `shares`: those that users were assigned by since the last call; they change only after a tick has measured. */
  measure(state: RolloutState, { percents }: Shares): Measurement {
    this.#ledger.addUsers(this.#newUsers, percents);
    this.#newUsers = this.#newUsers.map(() => 0);
    const { checks } = this.#staging.analysis;
    const verdicts = [...this.#comparisons, ...this.#sources];
    const isRulesOnly = isWatched(state) && basePhase(state) !== 'steady' && state.percent === 0;
    const [baseline, candidate] = isRulesOnly ? [none, this.#ruled] : this.#split;
    return {
      verdicts: checks.flatMap(({ name }) => verdicts.filter(({ check }) => check === name)),
      figures: { baseline, candidate, lastCandidateRequestMs: this.#lastCandidateRequestMs },
      sampleRatio: this.#ledger.sampleRatio(),
      candidate: { kind: 'up' },
    };
  }
}

function add(sum: VersionFigures, { requests, failures }: VersionFigures): VersionFigures {
  return { requests: sum.requests + requests, failures: sum.failures + failures };
}
