// Keeps one rollout's state in the store: one save after the other, each from the revision that the one before made. A save of
// which nobody knows whether it happened is looked for before the next one. It decides nothing about traffic.
import { GraygateError } from '../errors.ts';
import type { RolloutState } from '../rollout/rollout-state.ts';
import type { SaveEffect } from '../rollout/transition.ts';
import type { PilotStore } from './pilot-parts.ts';

export type KeeperParts = {
  readonly store: Pick<PilotStore, 'isWell' | 'save' | 'saved'>;
  readonly nowMs: () => number;
  saveFailed(error: unknown): void;
};

/** After a failed save nothing is tried by itself for this long, whatever the store says of itself. */
const restMs = 1_000;

export class StateKeeper {
  readonly #rollout: string;
  readonly #parts: KeeperParts;
  #revision: number;
  /** What the store is known to hold; null: nothing, or nobody knows. */
  #kept: RolloutState | null;
  /** What a save that failed may nevertheless have left there. */
  #doubtful: RolloutState | null = null;
  #failedMs = -Infinity;
  #last: Promise<unknown> = Promise.resolve();

  constructor(rollout: string, parts: KeeperParts, found: { revision: number; state: RolloutState } | null) {
    this.#rollout = rollout;
    this.#parts = parts;
    this.#revision = found?.revision ?? 0;
    this.#kept = found?.state ?? null;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Whether the store has this very state, as far as anybody knows. */
  has(state: RolloutState | null): boolean {
    return state === this.#kept;
  }

  /** Whether a save is worth trying now. */
  isWell(nowMs: number): boolean {
    const isResting = nowMs >= this.#failedMs && nowMs - this.#failedMs < restMs;
    return this.#parts.store.isWell() && !isResting;
  }

  /** Saves after what is being saved already; resolves with whether it is there. */
  async save(change: Pick<SaveEffect, 'state' | 'entries'>): Promise<boolean> {
    const attempt = this.#last.then(() => this.#attempt(change));
    this.#last = attempt;
    return attempt;
  }

  /** Resolves when nothing is being saved any more. */
  async settled(): Promise<void> {
    await this.#last;
  }

  async #attempt({ state, entries }: Pick<SaveEffect, 'state' | 'entries'>): Promise<boolean> {
    try {
      if (this.#doubtful !== null && (await this.#find(this.#doubtful, state))) return true;
      this.#kept = null;
      this.#doubtful = state;
      const { store, nowMs } = this.#parts;
      const change = { rollout: this.#rollout, revision: this.#revision, atMs: nowMs(), state, entries };
      this.#revision = await store.save(change);
      this.#isKept(state);
      return true;
    } catch (error) {
      this.#failedMs = this.#parts.nowMs();
      this.#parts.saveFailed(error);
      return false;
    }
  }

  /** Clears a doubt up; true where it is the wanted state that is there, with its entries. */
  async #find(doubtful: RolloutState, wanted: RolloutState): Promise<boolean> {
    const found = await this.#parts.store.saved(this.#rollout);
    const revision = found?.revision ?? 0;
    if (revision === this.#revision) {
      this.#doubtful = null;
      return false;
    }
    if (revision !== this.#revision + 1 || !isSame(found?.state, doubtful)) {
      throw new GraygateError('store-conflict', `another process has saved the state of "${this.#rollout}"`);
    }
    this.#revision = revision;
    this.#doubtful = null;
    if (!isSame(doubtful, wanted)) return false;
    this.#isKept(wanted);
    return true;
  }

  #isKept(state: RolloutState): void {
    this.#kept = state;
    this.#doubtful = null;
  }
}

function isSame(a: RolloutState | undefined, b: RolloutState): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
