// Runs the machine's plans in their order: what goes forward is in force once it is saved, what goes back at once, and then a plan
// that is still being saved is void.
import type { RolloutState } from '../rollout/rollout-state.ts';
import type { Changed, Effect, Effects, SaveEffect } from '../rollout/transition.ts';
import type { StateKeeper } from './state-keeper.ts';

/** What became of a plan; `overtaken`: one that goes back came while it was saved. */
export type Ending = 'done' | 'not-saved' | 'overtaken';

export type RunnerParts = {
  readonly keeper: StateKeeper;
  /** This state is in force from now on. */
  enter(state: RolloutState | null): void;
  do(step: Exclude<Effect, SaveEffect>): void;
  saveFailed(order: Effects['order'], save: SaveEffect): void;
  /** An effect other than a save failed. */
  failed(error: unknown): void;
};

export class PlanRunner {
  readonly #parts: RunnerParts;
  /** Grows with every plan that is in force at once, so that an older one that still waits for its save knows it is void. */
  #generation = 0;
  #busy: Promise<void> | null = null;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  get isBusy(): boolean {
    return this.#busy !== null;
  }

  /** Whether a plan may begin now: one under way is overtaken only by one that changes the split at once. */
  mayBegin({ order, steps }: Effects): boolean {
    if (this.#busy === null || steps.length === 0) return true;
    return order === 'publish-first' && steps.some((step) => step.do === 'publish');
  }

  /** Runs a plan; never rejects. What goes back has happened before this returns. */
  run({ state, effects }: Changed): Promise<Ending> {
    if (effects.steps.length === 0) {
      this.#parts.enter(state);
      return Promise.resolve('done');
    }
    if (effects.order === 'publish-first') {
      this.#generation += 1;
      this.#parts.enter(state);
    }
    return this.#keepBusy(this.#follow(state, effects));
  }

  /** Saves the state in force once more; nothing else changes. */
  saveAgain(state: RolloutState): void {
    void this.#keepBusy(this.#parts.keeper.save({ state, entries: [] }).then(() => 'done'));
  }

  /** Resolves when no plan is under way. */
  async idle(): Promise<void> {
    while (this.#busy !== null) await this.#busy;
  }

  async #follow(state: RolloutState | null, { order, steps }: Effects): Promise<Ending> {
    const generation = this.#generation;
    let ending: Ending = 'done';
    for (const step of steps) {
      if (step.do !== 'save') {
        this.#parts.do(step);
        continue;
      }
      if (!(await this.#parts.keeper.save(step))) {
        this.#parts.saveFailed(order, step);
        ending = 'not-saved';
      }
      if (order === 'publish-first') continue;
      if (ending === 'not-saved') return ending;
      if (generation !== this.#generation) return 'overtaken';
      this.#parts.enter(state);
    }
    return ending;
  }

  async #keepBusy(running: Promise<Ending>): Promise<Ending> {
    const ended = running.catch((error: unknown): Ending => {
      this.#parts.failed(error);
      return 'done';
    });
    const busy: Promise<void> = ended.then(() => {
      if (this.#busy === busy) this.#busy = null;
      return undefined;
    });
    this.#busy = busy;
    return ended;
  }
}
