// One rollout at work: measure, judge, transition, effects. Events come one after the other; a plan that goes forward is in
// force only once it is saved, one that goes back at once. No other code changes a rollout's state or its split.
import type { AuditEntry } from '../rollout/audit-entry.ts';
import type { Figures, StratumArm } from '../rollout/figures.ts';
import { Ledger } from '../rollout/ledger.ts';
import { transition } from '../rollout/machine.ts';
import type { CandidateHealth, Measurement } from '../rollout/measurement.ts';
import type { Rollout } from '../rollout/policy.ts';
import type { ActionKind, RolloutEvent } from '../rollout/rollout-event.ts';
import { basePhase, isWatched, type RolloutState } from '../rollout/rollout-state.ts';
import { layOutSplit, type Split } from '../rollout/split.ts';
import type { Changed, Effect, Effects, SaveEffect, Transition } from '../rollout/transition.ts';
import type { Verdict } from '../rollout/verdict.ts';
import { Figuring } from './figuring.ts';
import type { Progress } from './progress.ts';

/** The rollout's window: what completed requests left behind. */
export interface TrafficWindow {
  /** What came since the last call, by version index; null where nothing did. */
  takeFigures(): readonly Figures[] | null;
  /** A stratum that is due, by version index; null while none is. */
  closeStratum(nowMs: number, candidateIndex: number): { readonly arms: readonly StratumArm[] } | null;
  riskSet(): readonly string[];
}

/** Keeps what must outlive the process. Rejects when it cannot. */
export interface PilotStore {
  isWell(): boolean;
  save(change: SavedChange): Promise<number>;
  saveProgress(rollout: string, progress: Progress): Promise<void>;
}

/** `revision` is the store's own count of this rollout's saves; the next save must name it. */
export type SavedChange = {
  readonly rollout: string;
  readonly revision: number;
  readonly atMs: number;
  readonly state: RolloutState;
  readonly entries: readonly AuditEntry[];
};

export type PilotParts = {
  readonly store: PilotStore;
  /** A fresh window for the rollout; requests fall into it from now on. */
  openWindow(rollout: Rollout, riskSet: readonly string[]): TrafficWindow;
  publish(rollout: Rollout, split: Split): void;
  /** Whether the candidate answers at all. */
  health(rollout: Rollout, nowMs: number): CandidateHealth;
  /** What outside sources say, in the order of the policy's checks. */
  sourceVerdicts(rollout: Rollout): readonly Verdict[];
  announced(rollout: Rollout, entry: AuditEntry): void;
  /** Something is in the outbox. */
  alerted(): void;
  saveFailed(rollout: Rollout, error: unknown): void;
};

/** What the store had of a rollout. */
export type Remembered = {
  readonly revision: number;
  readonly state: RolloutState;
  readonly savedMs: number;
  readonly progress: Progress | null;
};

export type ActionRequest = {
  readonly action: ActionKind;
  readonly by: string;
  readonly reason: string;
  readonly nowMs: number;
  readonly revision: number | null;
};

export type ActionResult =
  | { readonly ok: true; readonly state: RolloutState }
  | { readonly ok: false; readonly code: 'phase' | 'blocked' | 'stale' | 'store'; readonly reason: string };

const wholeTickMs = 1_000;

export class Pilot {
  #rollout: Rollout;
  readonly #parts: PilotParts;
  #state: RolloutState | null;
  #revision: number;
  #ledger: Ledger;
  #window: TrafficWindow;
  #split: Split;
  readonly #figuring: Figuring;
  #measured: Measurement | null = null;
  #holds: string | null = null;
  #tickedMs = 0;
  /** Grows with every plan that is in force at once, so that an older one that still waits for its save knows it is void. */
  #generation = 0;
  #busy: Promise<void> | null = null;
  #saves: Promise<unknown> = Promise.resolve();

  constructor(rollout: Rollout, parts: PilotParts, start: { nowMs: number; remembered: Remembered | null }) {
    const { nowMs, remembered } = start;
    const progress = remembered?.progress ?? null;
    this.#rollout = rollout;
    this.#parts = parts;
    this.#state = remembered?.state ?? null;
    this.#revision = remembered?.revision ?? 0;
    this.#ledger = new Ledger(rollout.staging, nowMs, progress?.ledger ?? null);
    this.#figuring = new Figuring(rollout.versions.length, progress?.stage ?? null);
    this.#window = parts.openWindow(rollout, progress?.riskSet ?? []);
    this.#split = layOutSplit(rollout.versions, {});
    this.#take(
      remembered === null
        ? { kind: 'started', nowMs }
        : { kind: 'restored', nowMs, lastTickMs: progress?.atMs ?? remembered.savedMs },
    );
  }

  get rollout(): Rollout {
    return this.#rollout;
  }

  get state(): RolloutState | null {
    return this.#state;
  }

  /** Everything a screen shows of the rollout. */
  view() {
    const { staging } = this.#rollout;
    return {
      state: this.#state,
      staging,
      split: this.#split,
      holds: this.#holds,
      measured: this.#measured,
      recent: this.#figuring.recent(),
      stage: this.#figuring.stage(),
    };
  }

  /** Takes a policy that was loaded over; the rollout has the same name. */
  follow(rollout: Rollout, nowMs: number): void {
    this.#collect(nowMs);
    const hasOtherVersions = rollout.versions.map((version) => version.name).join() !== this.#versionNames();
    this.#rollout = rollout;
    this.#ledger.follow(rollout.staging);
    if (hasOtherVersions) {
      this.#figuring.reset(rollout.versions.length);
      this.#window = this.#parts.openWindow(rollout, this.#window.riskSet());
    }
    this.#take({ kind: 'policy-changed', nowMs });
  }

  /** Looks at what came in; called ten times a second. Returns the figures of a finished second for the history, else null. */
  tick(nowMs: number): readonly Figures[] | null {
    const stratum = this.#window.closeStratum(nowMs, 1);
    if (stratum !== null) this.#ledger.addStratum([stratum.arms[0]!, stratum.arms[1]!], nowMs);
    const isWhole = nowMs - this.#tickedMs >= wholeTickMs || nowMs < this.#tickedMs;
    const health = this.#parts.health(this.#rollout, nowMs);
    if (stratum === null && !isWhole && health.kind === 'up') return null;
    this.#collect(nowMs);
    this.#measured = this.#measure(health);
    this.#take({ kind: 'tick', nowMs, measured: this.#measured, storeOk: this.#parts.store.isWell() });
    if (!isWhole) return null;
    this.#tickedMs = nowMs;
    return this.#figuring.takeSecond(nowMs);
  }

  /** What a person wants done. Resolves when it is in force, or with the reason why it is not. */
  async act(request: ActionRequest): Promise<ActionResult> {
    let result = this.#consider(request);
    // What goes back must not wait for a store that hangs; what goes forward follows what is being saved.
    while (this.#busy !== null && !(result.ok && result.effects.order === 'publish-first')) {
      await this.#busy;
      result = this.#consider(request);
    }
    if (!result.ok) return { ok: false, code: result.code, reason: result.reason };
    const saved = await this.#apply(result);
    if (!saved && result.effects.order === 'save-first') {
      return { ok: false, code: 'store', reason: 'the store could not save it, so nothing was changed' };
    }
    return { ok: true, state: this.#state! };
  }

  #consider(request: ActionRequest): Transition {
    const action = { kind: 'action', measured: this.#measured, ...request } as const;
    return transition(this.#rollout.staging, this.#state, action);
  }

  /** Keeps what was gathered, so that a restart goes on from here. */
  async saveProgress(nowMs: number): Promise<void> {
    if (this.#state === null || !isWatched(this.#state)) return;
    await this.#parts.store.saveProgress(this.#rollout.name, {
      atMs: nowMs,
      release: this.#state.release,
      ledger: this.#ledger.snapshot(),
      stage: this.#figuring.stage(),
      riskSet: this.#window.riskSet(),
    });
  }

  /** Resolves when nothing is being saved any more. */
  async settled(): Promise<void> {
    while (this.#busy !== null) await this.#busy;
    await this.#saves;
  }

  #take(event: RolloutEvent): void {
    const result = transition(this.#rollout.staging, this.#state, event);
    if (!result.ok) return;
    if (this.#busy !== null && result.effects.order === 'save-first' && result.effects.steps.length > 0) return;
    this.#holds = result.holds;
    void this.#apply(result);
  }

  /** Runs a plan; resolves with whether it was saved. What goes back has happened before this returns. */
  #apply({ state, effects }: Changed): Promise<boolean> {
    if (effects.steps.length === 0) {
      this.#state = state;
      return Promise.resolve(true);
    }
    if (effects.order === 'publish-first') {
      this.#generation += 1;
      this.#state = state;
    }
    const running = this.#run(state, effects, this.#generation);
    const busy: Promise<void> = running
      .then(() => undefined)
      .finally(() => {
        if (this.#busy === busy) this.#busy = null;
      });
    this.#busy = busy;
    return running;
  }

  async #run(state: RolloutState | null, { order, steps }: Effects, generation: number): Promise<boolean> {
    let saved = true;
    for (const step of steps) {
      if (step.do !== 'save') {
        this.#do(step);
        continue;
      }
      saved = await this.#save(step);
      if (!saved) this.#reportFailedSave(order, step);
      if (order === 'publish-first') continue;
      if (!saved || generation !== this.#generation) return saved;
      this.#state = state;
    }
    return saved;
  }

  #do(step: Exclude<Effect, SaveEffect>): void {
    const nowMs = Date.now();
    switch (step.do) {
      case 'publish':
        // Users assigned so far belong to the split they were assigned by.
        this.#collect(nowMs);
        this.#split = layOutSplit(this.#rollout.versions, step.split, step.rolledBack);
        this.#parts.publish(this.#rollout, this.#split);
        break;
      case 'evidence':
        this.#ledger.anew(step.anew, nowMs);
        this.#figuring.beginStage();
        if (step.anew === 'release') this.#window = this.#parts.openWindow(this.#rollout, []);
        break;
      case 'announce':
        this.#parts.announced(this.#rollout, step.entry);
        break;
      default:
        this.#parts.alerted();
    }
  }

  /** Saves follow each other, each naming the revision that the one before made. */
  #save({ state, entries }: SaveEffect): Promise<boolean> {
    const rollout = this.#rollout;
    const attempt = this.#saves.then(async () => {
      try {
        this.#revision = await this.#parts.store.save({
          rollout: rollout.name,
          revision: this.#revision,
          atMs: Date.now(),
          state,
          entries,
        });
        return true;
      } catch (error) {
        this.#parts.saveFailed(rollout, error);
        return false;
      }
    });
    this.#saves = attempt;
    return attempt;
  }

  #reportFailedSave(order: Effects['order'], save: SaveEffect): void {
    const result = transition(this.#rollout.staging, this.#state, { kind: 'save-failed', order, save });
    if (result.ok) this.#state = result.state;
  }

  /** Moves what the window holds to where it adds up. */
  #collect(nowMs: number): void {
    const figures = this.#window.takeFigures();
    if (figures === null) return;
    this.#figuring.add(figures, nowMs);
    this.#ledger.addUsers(
      figures.map(({ newUserCount }) => newUserCount),
      this.#split.percents,
    );
  }

  #measure(candidate: CandidateHealth): Measurement {
    const { staging } = this.#rollout;
    const isRulesOnly =
      this.#state !== null &&
      isWatched(this.#state) &&
      basePhase(this.#state) !== 'steady' &&
      this.#state.percent === 0;
    const byName = new Map(
      [...this.#ledger.verdicts(), ...this.#parts.sourceVerdicts(this.#rollout)].map((verdict) => [
        verdict.check,
        verdict,
      ]),
    );
    return {
      verdicts: staging.analysis.checks.flatMap(({ name }) => byName.get(name) ?? []),
      figures: this.#figuring.stageFigures(isRulesOnly),
      sampleRatio: this.#ledger.sampleRatio(1),
      candidate,
    };
  }

  #versionNames(): string {
    return this.#rollout.versions.map(({ name }) => name).join();
  }
}
