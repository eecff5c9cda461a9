// What a gateway would measure in a rehearsal: the real ledger and checks on simulated traffic. It moves nothing.
import type { BusinessNumbers } from '../business-check.ts';
import type { StratumArm } from '../figures.ts';
import { Ledger } from '../ledger.ts';
import type { Measurement, VersionFigures } from '../measurement.ts';
import { basePhase, isWatched, type RolloutState } from '../rollout-state.ts';
import { alphaOf, type Staging } from '../staging.ts';
import type { EvidenceScope } from '../transition.ts';
import type { Verdict } from '../verdict.ts';
import { contentBusiness, contentVerdicts } from './content-sources.ts';
import type { Shares } from './population.ts';
import type { TrafficStep } from './traffic.ts';

const none: VersionFigures = { requests: 0, failures: 0 };

export class Watch {
  readonly #staging: Staging;
  readonly #ledger: Ledger;
  readonly #sources: readonly Verdict[];
  readonly #business: readonly BusinessNumbers[];
  #comparisons: readonly Verdict[];
  #split: readonly [VersionFigures, VersionFigures] = [none, none];
  #ruled: VersionFigures = none;
  #lastCandidateRequestMs: number | null = null;
  #newUsers: [number, number] = [0, 0];

  constructor(staging: Staging) {
    this.#staging = staging;
    this.#ledger = new Ledger(onlyFirst(staging), 0);
    this.#sources = contentVerdicts(staging);
    this.#business = contentBusiness(staging);
    this.#comparisons = this.#ledger.verdicts(this.#business);
  }

  /** Adds what came until `nowMs`. */
  count({ arms: [baseline, candidate], ruleRequests }: TrafficStep, nowMs: number): void {
    this.#split = [add(this.#split[0], baseline), add(this.#split[1], candidate)];
    this.#ruled = add(this.#ruled, { requests: ruleRequests, failures: 0 });
    this.#newUsers = [this.#newUsers[0] + baseline.newUsers, this.#newUsers[1] + candidate.newUsers];
    if (candidate.requests + ruleRequests > 0) this.#lastCandidateRequestMs = nowMs;
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
  measure(state: RolloutState, shares: Shares): Measurement {
    this.#assignUsers(shares);
    const { checks } = this.#staging.analysis;
    const byName = new Map([...this.#comparisons, ...this.#sources].map((verdict) => [verdict.check, verdict]));
    const isRulesOnly = isWatched(state) && basePhase(state) !== 'steady' && state.percent === 0;
    const [baseline, candidate] = isRulesOnly ? [none, this.#ruled] : this.#split;
    return {
      verdicts: checks.flatMap(({ name }) => byName.get(name) ?? []),
      figures: { baseline, candidate, lastCandidateRequestMs: this.#lastCandidateRequestMs },
      sampleRatio: this.#ledger.sampleRatio(),
      candidate: { kind: 'up' },
    };
  }

  #assignUsers({ candidatePercent, otherPercent }: Shares): void {
    const percent = (100 * candidatePercent) / (100 - otherPercent);
    this.#ledger.addUsers(this.#newUsers, [100 - percent, percent]);
    this.#newUsers = [0, 0];
  }
}

/** Only the first candidate is simulated; it has the part of `alpha` that it has among all. */
function onlyFirst(staging: Staging): Staging {
  const { candidates, analysis } = staging;
  return { ...staging, candidates: [candidates[0]], analysis: { ...analysis, alpha: alphaOf(staging) } };
}

function add(sum: VersionFigures, { requests, failures }: VersionFigures): VersionFigures {
  return { requests: sum.requests + requests, failures: sum.failures + failures };
}
