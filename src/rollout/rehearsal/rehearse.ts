// A rollout from its first stage to its end in simulated time: the real machine on what is measured of simulated traffic.
// A step is what a gateway does in a tick; the store is always well, outside sources are content, and people approve at once.
import type { AuditEntry } from '../audit-entry.ts';
import { transition } from '../machine.ts';
import type { RolloutEvent } from '../rollout-event.ts';
import { isWatched, type RolloutState } from '../rollout-state.ts';
import type { Staging } from '../staging.ts';
import type { Effect } from '../transition.ts';
import { type Cost, Costs } from './costs.ts';
import type { Random } from './random.ts';
import type { Scenario } from './scenario.ts';
import { type Shares, sharesOf } from './shares.ts';
import { type RiskRule, Traffic } from './traffic.ts';
import { Watch } from './watch.ts';

/** What is rehearsed, and after how much simulated time it ends whatever became of it. */
export type Rehearsal = { readonly staging: Staging; readonly scenario: Scenario; readonly limitMs: number };

export type Rehearsed = Cost & {
  /** Where it stood at the end: `promoted` and `rolled-back` are final, others waited for a person or for more time. */
  readonly state: RolloutState;
  readonly endedMs: number;
  /** Why it did not move at the end; null where nothing held it. */
  readonly holds: string | null;
  /** Every change in order, with its sentence. */
  readonly entries: readonly AuditEntry[];
};

/** How far it is; `doneShare` (0–1) counts stages and the time held in them. */
export type RehearsalProgress = { readonly atMs: number; readonly doneShare: number; readonly state: RolloutState };

type Chance = { readonly random: Random; readonly riskRule: RiskRule };

const stepsAtOnce = 200;
const wholeTickMs = 1_000;

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
  readonly #limitMs: number;
  readonly #random: Random;
  readonly #traffic: Traffic;
  readonly #watch: Watch;
  readonly #costs: Costs;
  readonly #entries: AuditEntry[] = [];
  #state: RolloutState | null = null;
  #shares: Shares;
  #holds: string | null = null;
  #nowMs = 0;
  #tickedMs = 0;

  constructor({ staging, scenario, limitMs }: Rehearsal, chance: Chance) {
    this.#staging = staging;
    this.#limitMs = limitMs;
    this.#random = chance.random;
    this.#traffic = new Traffic(scenario, staging, chance);
    this.#watch = new Watch(staging);
    this.#costs = new Costs(scenario, staging);
    this.#shares = sharesOf(staging, {});
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
    this.#costs.add(step, this.#shares, { nowMs, forMs: dueMs - nowMs });
    this.#watch.count(step, dueMs);
    this.#nowMs = dueMs;
    const stratum = this.#traffic.dueStratum(dueMs);
    if (stratum !== null) {
      this.#watch.weigh(stratum, dueMs);
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
    if (state.phase === 'rolled-back') {
      this.#costs.goOn({ nowMs: endedMs, limitMs: this.#limitMs, random: this.#random });
    }
    return { state, endedMs, holds: this.#holds, entries: this.#entries, ...this.#costs.sums(endedMs) };
  }

  #tick(): void {
    this.#take({
      kind: 'tick',
      nowMs: this.#nowMs,
      measured: this.#watch.measure(this.#state!, this.#shares),
      storeOk: true,
    });
    if (this.#state?.phase !== 'waiting' || this.#state.stay.needsApproval) return;
    const measured = this.#watch.measure(this.#state, this.#shares);
    const approval = { action: 'approve', by: 'rehearsal', reason: 'nobody is asked', revision: null } as const;
    this.#take({ kind: 'action', nowMs: this.#nowMs, measured, ...approval });
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
      this.#shares = sharesOf(this.#staging, effect.split);
    }
    if (effect.do === 'evidence') this.#watch.anew(effect.anew, this.#nowMs);
  }
}
