// One rollout at work: measure, judge, transition, effects. Events come one after the other; a plan that goes forward is in
// force only once it is saved, one that goes back at once. No other code changes a rollout's state or its split.
import type { Figures } from '../rollout/figures.ts';
import { transition } from '../rollout/machine.ts';
import type { Measurement } from '../rollout/measurement.ts';
import type { Rollout } from '../rollout/policy.ts';
import type { RolloutEvent } from '../rollout/rollout-event.ts';
import { isWatched, splitOf, type RolloutState } from '../rollout/rollout-state.ts';
import { layOutSplit, type Split } from '../rollout/split.ts';
import type { Effect, Effects, PublishEffect, SaveEffect, Transition } from '../rollout/transition.ts';
import type { ActionRequest, ActionResult } from '../rollout/action-request.ts';
import { carryOut } from './carry-out.ts';
import type { PilotParts, Remembered } from './pilot-parts.ts';
import { PlanRunner } from './plan-runner.ts';
import type { Progress } from './progress.ts';
import { StateKeeper } from './state-keeper.ts';
import { Watch } from './watch.ts';

const wholeTickMs = 1_000;

export class Pilot {
  #rollout: Rollout;
  readonly #parts: PilotParts;
  readonly #keeper: StateKeeper;
  readonly #watch: Watch;
  readonly #runner: PlanRunner;
  #state: RolloutState | null;
  #split: Split;
  #measured: Measurement | null = null;
  #holds: string | null = null;
  #tickedMs = -Infinity;

  constructor(rollout: Rollout, parts: PilotParts, start: { nowMs: number; remembered: Remembered | null }) {
    const { nowMs, remembered } = start;
    const progress = remembered?.progress ?? null;
    this.#rollout = rollout;
    this.#parts = parts;
    this.#state = remembered?.state ?? null;
    const saveFailed = (error: unknown): void => parts.saveFailed(this.#rollout, error);
    this.#keeper = new StateKeeper(rollout.name, { store: parts.store, nowMs: parts.nowMs, saveFailed }, remembered);
    this.#runner = this.#openRunner();
    this.#watch = new Watch(rollout, parts, { nowMs, progress, state: this.#state });
    this.#split = this.#publishOwn();
    const lastTickMs = progress?.atMs ?? remembered?.savedMs ?? null;
    this.#take(remembered === null ? { kind: 'started', nowMs } : { kind: 'restored', nowMs, lastTickMs });
  }

  get rollout(): Rollout {
    return this.#rollout;
  }

  get state(): RolloutState | null {
    return this.#state;
  }

  /** Everything a screen shows of the rollout. */
  view() {
    return {
      state: this.#state,
      staging: this.#rollout.staging,
      split: this.#split,
      holds: this.#holds,
      measured: this.#measured,
      recent: this.#watch.recent(),
      stage: this.#watch.stage(),
    };
  }

  /** Takes a policy that was loaded over; the rollout has the same name. */
  follow(rollout: Rollout, nowMs: number): void {
    this.#watch.collect(nowMs, this.#split.percents);
    this.#rollout = rollout;
    this.#watch.follow(rollout);
    this.#split = this.#publishOwn();
    this.#take({ kind: 'policy-changed', nowMs });
  }

  /** Looks at what came in; called ten times a second. Returns the figures of a finished second for the history, else null. */
  tick(nowMs: number): readonly Figures[] | null {
    const hasWeighed = this.#watch.weigh(nowMs);
    const isWhole = nowMs - this.#tickedMs >= wholeTickMs || nowMs < this.#tickedMs;
    const health = this.#watch.health(nowMs);
    const areUp = health.candidate.kind === 'up' && health.others === undefined;
    if (!hasWeighed && !isWhole && areUp) return null;
    this.#watch.collect(nowMs, this.#split.percents);
    this.#measured = this.#watch.measure(this.#state, health);
    const storeOk = this.#keeper.isWell(nowMs);
    this.#take({ kind: 'tick', nowMs, measured: this.#measured, storeOk });
    if (storeOk) this.#correctStore();
    if (!isWhole) return null;
    this.#tickedMs = nowMs;
    return this.#watch.takeSecond(nowMs);
  }

  /** What a person wants done. Resolves when it is in force, or with the reason why it is not. */
  async act(request: ActionRequest): Promise<ActionResult> {
    return carryOut(() => this.#consider(request), {
      runner: this.#runner,
      state: () => this.#state!,
    });
  }

  /** Keeps what was gathered, so that a restart goes on from here. */
  async saveProgress(nowMs: number): Promise<void> {
    const progress = this.#progress(nowMs);
    if (progress !== null) await this.#parts.store.saveProgress(this.#rollout.name, progress);
  }

  /** What another pilot of this rollout needs to go on from here. */
  remember(nowMs: number): Remembered | null {
    if (this.#state === null) return null;
    return { revision: this.#keeper.revision, state: this.#state, savedMs: nowMs, progress: this.#progress(nowMs) };
  }

  /** Resolves when nothing is being saved any more. */
  async settled(): Promise<void> {
    await this.#runner.idle();
    await this.#keeper.settled();
  }

  #progress(nowMs: number): Progress | null {
    if (this.#state === null || !isWatched(this.#state)) return null;
    const { release, stay } = this.#state;
    return { atMs: nowMs, release, stayedSinceMs: stay.sinceMs, ...this.#watch.gathered() };
  }

  #consider(request: ActionRequest): Transition {
    const action = { kind: 'action', measured: this.#measured, ...request } as const;
    return transition(this.#rollout.staging, this.#state, action);
  }

  #take(event: RolloutEvent): void {
    const result = transition(this.#rollout.staging, this.#state, event);
    if (!result.ok) return;
    // Whatever may not begin now comes again with the next tick.
    if (!this.#runner.mayBegin(result.effects)) return;
    this.#holds = result.holds;
    void this.#runner.run(result);
  }

  /** A save that was overtaken or is in doubt may have left another state than the one in force, which a restart would find. */
  #correctStore(): void {
    const state = this.#state;
    if (this.#runner.isBusy || state === null || state.unsaved.length > 0 || this.#keeper.has(state)) return;
    this.#runner.saveAgain(state);
  }

  #do(step: Exclude<Effect, SaveEffect>): void {
    switch (step.do) {
      case 'publish':
        // Users assigned so far belong to the split they were assigned by.
        this.#watch.collect(this.#parts.nowMs(), this.#split.percents);
        this.#split = this.#publish(step);
        break;
      case 'evidence':
        this.#watch.anew(step.anew, this.#parts.nowMs());
        void this.saveProgress(this.#parts.nowMs()).catch(() => undefined);
        break;
      case 'announce':
        this.#parts.announced(this.#rollout, step.entry);
        break;
      default:
        this.#parts.alerted();
    }
  }

  #publish({ split, rolledBack }: Pick<PublishEffect, 'split' | 'rolledBack'>): Split {
    const laidOut = layOutSplit(this.#rollout.versions, split, rolledBack);
    this.#parts.publish(this.#rollout, laidOut);
    return laidOut;
  }

  /** Publishes what is in force, before anything new is. */
  #publishOwn(): Split {
    const split = splitOf(this.#state, this.#rollout.staging);
    return this.#publish({ split, rolledBack: this.#state?.phase === 'rolled-back' });
  }

  #openRunner(): PlanRunner {
    return new PlanRunner({
      keeper: this.#keeper,
      enter: (state) => {
        this.#state = state;
      },
      do: (step) => this.#do(step),
      saveFailed: (order, save) => this.#reportFailedSave(order, save),
      failed: (error) => this.#parts.tickFailed(this.#rollout, error),
    });
  }

  #reportFailedSave(order: Effects['order'], save: SaveEffect): void {
    const result = transition(this.#rollout.staging, this.#state, { kind: 'save-failed', order, save });
    if (result.ok) this.#state = result.state;
  }
}
