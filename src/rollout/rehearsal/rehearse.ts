// A rollout from its first stage to its end in simulated time: the real machine, ledger and checks on simulated traffic.
// A step is what a gateway does in a tick; the store is always well, outside sources are content, and people approve at once.
import type { BusinessNumbers } from '../business-check.ts';
import type { AuditEntry } from '../audit-entry.ts';
import { Ledger } from '../ledger.ts';
import { transition } from '../machine.ts';
import type { Measurement, VersionFigures } from '../measurement.ts';
import type { RolloutEvent } from '../rollout-event.ts';
import { basePhase, isWatched, type RolloutState } from '../rollout-state.ts';
import { alphaOf, type Staging } from '../staging.ts';
import type { Effect } from '../transition.ts';
import type { Verdict } from '../verdict.ts';
import { boundsOf, otherPercentOf } from './bounds.ts';
import { CandidateRecord, type CandidateSums } from './candidate-record.ts';
import { contentBusiness, contentVerdicts } from './content-sources.ts';
import { FlaggerWatch, type FlaggerVerdict } from './flagger-watch.ts';
import type { Shares } from './population.ts';
import type { Random } from './random.ts';
import type { Scenario } from './scenario.ts';
import { type RiskRule, Traffic, type TrafficStep } from './traffic.ts';

/** What is rehearsed, and after how much simulated time it ends whatever became of it. */
export type Rehearsal = { readonly staging: Staging; readonly scenario: Scenario; readonly limitMs: number };

export type Rehearsed = {
  /** Where it stood at the end: `promoted` and `rolled-back` are final, others waited for a person or for more time. */
  readonly state: RolloutState;
  readonly endedMs: number;
  /** Why it did not move at the end; null where nothing held it. */
  readonly holds: string | null;
  /** Every change in order, with its sentence. */
  readonly entries: readonly AuditEntry[];
  readonly candidate: CandidateSums;
  readonly flagger: FlaggerVerdict;
};

/** How far it is; `doneShare` (0–1) counts stages and the time held in them. */
export type RehearsalProgress = { readonly atMs: number; readonly doneShare: number; readonly state: RolloutState };

type Chance = { readonly random: Random; readonly riskRule: RiskRule };

const stepsAtOnce = 200;
const wholeTickMs = 1_000;
const none: VersionFigures = { requests: 0, failures: 0 };

/** Runs a rehearsal, stopping now and then to say how far it is. */
export function* rehearse(rehearsal: Rehearsal, chance: Chance): Generator<RehearsalProgress, Rehearsed> {
  const run = new Run(rehearsal, chance);
  while (!run.isOver()) {
    for (let i = 0; i < stepsAtOnce && !run.isOver(); i += 1) run.step();
    yield run.progress();
  }
  return run.result();
}

class Run {
  readonly #staging: Staging;
  readonly #scenario: Scenario;
  readonly #limitMs: number;
  readonly #random: Random;
  readonly #traffic: Traffic;
  readonly #ledger: Ledger;
  readonly #record: CandidateRecord;
  readonly #flagger = new FlaggerWatch();
  readonly #sources: readonly Verdict[];
  readonly #business: readonly BusinessNumbers[];
  readonly #entries: AuditEntry[] = [];
  #state: RolloutState | null = null;
  #shares: Shares;
  #holds: string | null = null;
  #nowMs = 0;
  #tickedMs = 0;
  #split: readonly [VersionFigures, VersionFigures] = [none, none];
  #ruled: VersionFigures = none;
  #lastCandidateRequestMs: number | null = null;
  #newUsers: [number, number] = [0, 0];
  #comparisons: readonly Verdict[];

  constructor({ staging, scenario, limitMs }: Rehearsal, chance: Chance) {
    this.#staging = staging;
    this.#scenario = scenario;
    this.#limitMs = limitMs;
    this.#random = chance.random;
    this.#traffic = new Traffic(scenario, boundsOf(staging), chance);
    this.#ledger = new Ledger(onlyFirst(staging), 0);
    this.#record = new CandidateRecord(scenario);
    this.#sources = contentVerdicts(staging);
    this.#business = contentBusiness(staging);
    this.#comparisons = this.#ledger.verdicts(this.#business);
    this.#shares = { candidatePercent: 0, otherPercent: otherPercentOf(staging) };
    this.#take({ kind: 'started', nowMs: 0 });
  }

  isOver(): boolean {
    const state = this.#state!;
    const isLeftToPeople = state.phase === 'paused' || (state.phase === 'waiting' && state.stay.needsApproval);
    return this.#nowMs >= this.#limitMs || !isWatched(state) || isLeftToPeople;
  }

  /** As long as no slice can close and no tick is due there is nothing to look at. */
  step(): void {
    const nowMs = this.#nowMs;
    const dueMs = Math.min(this.#tickedMs + wholeTickMs, nowMs + this.#traffic.nextStepMs(nowMs));
    const step = this.#traffic.step(this.#shares, { nowMs, forMs: dueMs - nowMs });
    this.#count(step, { nowMs, forMs: dueMs - nowMs });
    this.#nowMs = dueMs;
    const stratum = this.#traffic.dueStratum(dueMs);
    if (stratum !== null) {
      this.#ledger.addStratum(stratum, dueMs);
      this.#comparisons = this.#ledger.verdicts(this.#business);
      this.#traffic.nextSlice(dueMs);
    }
    const isWhole = dueMs - this.#tickedMs >= wholeTickMs;
    if (isWhole) this.#tickedMs = dueMs;
    if (stratum !== null || isWhole) this.#tick();
  }

  progress(): RehearsalProgress {
    const state = this.#state!;
    const { stages, bake } = this.#staging;
    const count = stages.length + (bake === null ? 0 : 1);
    const place = state.stay.stage ?? stages.length;
    const holdMs = state.stay.stage === null ? bake?.holdMs : stages[place]?.holdMs;
    const held = Math.min(1, (this.#nowMs - state.stay.sinceMs) / Math.max(1, holdMs ?? 0));
    const doneShare = count === 0 ? this.#nowMs / this.#limitMs : Math.min(1, (place + held) / count);
    return { atMs: this.#nowMs, doneShare, state };
  }

  result(): Rehearsed {
    const state = this.#state!;
    const endedMs = this.#nowMs;
    const percent = this.#entries.at(-1)?.from?.percent ?? 0;
    if (state.phase === 'rolled-back' && percent > 0) {
      this.#flagger.goOn(this.#scenario, { nowMs: endedMs, limitMs: this.#limitMs, percent, random: this.#random });
    }
    return {
      state,
      endedMs,
      holds: this.#holds,
      entries: this.#entries,
      candidate: this.#record.sums(endedMs),
      flagger: this.#flagger.verdict(),
    };
  }

  #count({ arms, ruleRequests }: TrafficStep, { nowMs, forMs }: { nowMs: number; forMs: number }): void {
    const [baseline, candidate] = arms;
    const percent = this.#shares.candidatePercent;
    this.#split = [add(this.#split[0], baseline), add(this.#split[1], candidate)];
    this.#ruled = add(this.#ruled, { requests: ruleRequests, failures: 0 });
    this.#newUsers = [this.#newUsers[0] + baseline.newUsers, this.#newUsers[1] + candidate.newUsers];
    if (candidate.requests + ruleRequests > 0) this.#lastCandidateRequestMs = nowMs + forMs;
    this.#record.add(candidate, { nowMs, percent });
    this.#flagger.add(candidate, { fromMs: nowMs, toMs: nowMs + forMs, percent });
  }

  #tick(): void {
    this.#take({ kind: 'tick', nowMs: this.#nowMs, measured: this.#measure(), storeOk: true });
    if (this.#state?.phase !== 'waiting' || this.#state.stay.needsApproval) return;
    const measured = this.#measure();
    const approval = { action: 'approve', by: 'rehearsal', reason: 'nobody is asked', revision: null } as const;
    this.#take({ kind: 'action', nowMs: this.#nowMs, measured, ...approval });
  }

  #measure(): Measurement {
    this.#assignUsers();
    const { checks } = this.#staging.analysis;
    const byName = new Map([...this.#comparisons, ...this.#sources].map((verdict) => [verdict.check, verdict]));
    const state = this.#state!;
    const isRulesOnly = isWatched(state) && basePhase(state) !== 'steady' && state.percent === 0;
    const [baseline, candidate] = isRulesOnly ? [none, this.#ruled] : this.#split;
    return {
      verdicts: checks.flatMap(({ name }) => byName.get(name) ?? []),
      figures: { baseline, candidate, lastCandidateRequestMs: this.#lastCandidateRequestMs },
      sampleRatio: this.#ledger.sampleRatio(),
      candidate: { kind: 'up' },
    };
  }

  /** Users count for the split that they were assigned by: it changes only after a tick has measured. */
  #assignUsers(): void {
    const { candidatePercent, otherPercent } = this.#shares;
    const percent = (100 * candidatePercent) / (100 - otherPercent);
    this.#ledger.addUsers(this.#newUsers, [100 - percent, percent]);
    this.#newUsers = [0, 0];
  }

  #take(event: RolloutEvent): void {
    const result = transition(this.#staging, this.#state, event);
    this.#state = result.state;
    if (!result.ok) return;
    this.#holds = result.holds;
    for (const effect of result.effects.steps) this.#do(effect);
  }

  #do(effect: Effect): void {
    if (effect.do === 'announce') this.#entries.push(effect.entry);
    if (effect.do === 'publish') {
      const candidatePercent = effect.split[this.#staging.candidates[0]] ?? 0;
      this.#shares = { ...this.#shares, candidatePercent };
    }
    if (effect.do !== 'evidence') return;
    this.#ledger.anew(effect.anew, this.#nowMs);
    this.#comparisons = this.#ledger.verdicts(this.#business);
    this.#split = [none, none];
    this.#ruled = none;
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
