// One rollout at work: measure, judge, transition, effects. Events come one after the other; a plan that goes forward is in
// force only once it is saved, one that goes back at once. No other code changes a rollout's state or its split.
import { setTimeout as wait } from 'node:timers/promises';
import type { Figures } from '../rollout/figures.ts';
import { transition } from '../rollout/machine.ts';
import type { Measurement } from '../rollout/measurement.ts';
import type { Rollout } from '../rollout/policy.ts';
import type { RolloutEvent } from '../rollout/rollout-event.ts';
import { isWatched, splitOf, type RolloutState } from '../rollout/rollout-state.ts';
import { layOutSplit, type Split } from '../rollout/split.ts';
import type { Changed, Effect, Effects, PublishEffect, SaveEffect, Transition } from '../rollout/transition.ts';
import type { ActionRequest, ActionResult, PilotParts, Remembered } from './pilot-parts.ts';
import type { Progress } from './progress.ts';
import { StateKeeper } from './state-keeper.ts';
import { Watch } from './watch.ts';

const wholeTickMs = 1_000;
/** How long a person who acts waits for the save of what is in force already. */
const answerWithinMs = 1_000;

/** What became of a plan; `overtaken`: one that goes back came while it was saved. */
type Ending = 'done' | 'not-saved' | 'overtaken';

export class Pilot {
  #rollout: Rollout;
  readonly #parts: PilotParts;
  readonly #keeper: StateKeeper;
  readonly #watch: Watch;
  #state: RolloutState | null;
  #split: Split;
  #measured: Measurement | null = null;
  #holds: string | null = null;
  #tickedMs = -Infinity;
  /** Grows with every plan that is in force at once, so that an older one that still waits for its save knows it is void. */
  #generation = 0;
  #busy: Promise<void> | null = null;

  constructor(rollout: Rollout, parts: PilotParts, start: { nowMs: number; remembered: Remembered | null }) {
    const { nowMs, remembered } = start;
    const progress = remembered?.progress ?? null;
    this.#rollout = rollout;
    this.#parts = parts;
    this.#state = remembered?.state ?? null;
    const saveFailed = (error: unknown): void => parts.saveFailed(this.#rollout, error);
    this.#keeper = new StateKeeper(rollout.name, { store: parts.store, nowMs: parts.nowMs, saveFailed }, remembered);
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
    const health = this.#parts.health(this.#rollout, nowMs);
    if (!hasWeighed && !isWhole && health.kind === 'up') return null;
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
    let result = this.#consider(request);
    // What goes back must not wait for a store that hangs; what goes forward follows what is being saved.
    while (this.#busy !== null && !(result.ok && result.effects.order === 'publish-first')) {
      await this.#busy;
      result = this.#consider(request);
    }
    if (!result.ok) return { ok: false, code: result.code, reason: result.reason };
    const running = this.#apply(result);
    if (result.effects.order === 'publish-first') {
      await Promise.race([running, wait(answerWithinMs, undefined, { ref: false })]);
      return { ok: true, state: this.#state! };
    }
    const ending = await running;
    if (ending === 'done') return { ok: true, state: this.#state! };
    if (ending === 'overtaken') return { ok: false, code: 'stale', reason: `overtaken: ${this.#state!.reason}` };
    return { ok: false, code: 'store', reason: 'the store could not save it, so nothing was changed' };
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
    while (this.#busy !== null) await this.#busy;
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

  /** A plan that is under way is overtaken only by one that changes the split at once; any other comes again with the next tick. */
  #take(event: RolloutEvent): void {
    const result = transition(this.#rollout.staging, this.#state, event);
    if (!result.ok) return;
    const { order, steps } = result.effects;
    const mayOvertake = order === 'publish-first' && steps.some((step) => step.do === 'publish');
    if (this.#busy !== null && steps.length > 0 && !mayOvertake) return;
    this.#holds = result.holds;
    void this.#apply(result);
  }

  /** Runs a plan. What goes back has happened before this returns. */
  #apply({ state, effects }: Changed): Promise<Ending> {
    if (effects.steps.length === 0) {
      this.#state = state;
      return Promise.resolve('done');
    }
    if (effects.order === 'publish-first') {
      this.#generation += 1;
      this.#state = state;
    }
    return this.#keepBusy(this.#run(state, effects, this.#generation));
  }

  /** A save that was overtaken or is in doubt may have left another state than the one in force, which a restart would find. */
  #correctStore(): void {
    const state = this.#state;
    if (this.#busy !== null || state === null || state.unsaved.length > 0 || this.#keeper.has(state)) return;
    void this.#keepBusy(this.#keeper.save({ state, entries: [] }).then((saved) => (saved ? 'done' : 'not-saved')));
  }

  async #keepBusy(running: Promise<Ending>): Promise<Ending> {
    const ended = running.catch((error: unknown): Ending => {
      this.#parts.tickFailed(this.#rollout, error);
      return 'done';
    });
    const busy: Promise<void> = ended.then(() => {
      if (this.#busy === busy) this.#busy = null;
      return undefined;
    });
    this.#busy = busy;
    return ended;
  }

  async #run(state: RolloutState | null, { order, steps }: Effects, generation: number): Promise<Ending> {
    let ending: Ending = 'done';
    for (const step of steps) {
      if (step.do !== 'save') {
        this.#do(step);
        continue;
      }
      if (!(await this.#keeper.save(step))) {
        this.#reportFailedSave(order, step);
        ending = 'not-saved';
      }
      if (order === 'publish-first') continue;
      if (ending === 'not-saved') return ending;
      if (generation !== this.#generation) return 'overtaken';
      this.#state = state;
    }
    return ending;
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

  #reportFailedSave(order: Effects['order'], save: SaveEffect): void {
    const result = transition(this.#rollout.staging, this.#state, { kind: 'save-failed', order, save });
    if (result.ok) this.#state = result.state;
  }
}
