// The tick: ten times a second every rollout looks at what came in; figures go to the history, gathered evidence to the store.
// Owns the pilots; whoever wants a rollout moved asks here.
import type { Figures } from '../rollout/figures.ts';
import type { Policy, Rollout } from '../rollout/policy.ts';
import type { ActionRequest, ActionResult } from '../rollout/action-request.ts';
import type { PilotParts, Remembered } from './pilot-parts.ts';
import { Pilot } from './pilot.ts';

export type ControllerParts = PilotParts & {
  /** What the store has of a rollout; null for nothing. */
  remembered(rollout: string): Remembered | null;
  /** Figures of a finished second, by version index; `startMs` is when it began. */
  recorded(pilot: Pilot, figures: readonly Figures[], startMs: number): void;
};

const tickMs = 100;
const secondMs = 1_000;
const progressEveryMs = 5_000;

export class Controller {
  readonly #parts: ControllerParts;
  readonly #pilots = new Map<string, Pilot>();
  /** Of rollouts that the policy does not name any more, in case it does again. */
  readonly #ended = new Map<string, { readonly pilot: Pilot; readonly endedMs: number }>();
  #timer: NodeJS.Timeout | undefined;
  #progressMs = 0;

  constructor(policy: Pick<Policy, 'rollouts'>, parts: ControllerParts, nowMs: number) {
    this.#parts = parts;
    for (const rollout of policy.rollouts) this.#begin(rollout, nowMs);
  }

  start(): void {
    this.#timer = setInterval(() => this.tick(this.#parts.nowMs()), tickMs);
  }

  /** Takes a loaded policy over: rollouts that it names anew begin, those it does not name any more end. */
  follow(policy: Pick<Policy, 'rollouts'>, nowMs: number): void {
    const named = new Set(policy.rollouts.map(({ name }) => name));
    for (const [name, pilot] of this.#pilots) {
      if (named.has(name)) continue;
      this.#pilots.delete(name);
      this.#ended.set(name, { pilot, endedMs: nowMs });
    }
    for (const rollout of policy.rollouts) {
      const pilot = this.#pilots.get(rollout.name);
      if (pilot === undefined) this.#begin(rollout, nowMs);
      else pilot.follow(rollout, nowMs);
    }
  }

  tick(nowMs: number): void {
    for (const pilot of this.#pilots.values()) {
      try {
        const figures = pilot.tick(nowMs);
        if (figures !== null) this.#parts.recorded(pilot, figures, nowMs - secondMs);
      } catch (error) {
        this.#parts.tickFailed(pilot.rollout, error);
      }
    }
    if (nowMs - this.#progressMs < progressEveryMs && nowMs >= this.#progressMs) return;
    this.#progressMs = nowMs;
    void this.#saveProgress(nowMs);
  }

  pilots(): readonly Pilot[] {
    return [...this.#pilots.values()];
  }

  pilot(rollout: string): Pilot | undefined {
    return this.#pilots.get(rollout);
  }

  /** What a person wants done with a rollout; null where there is none of this name. */
  async act(rollout: string, request: ActionRequest): Promise<ActionResult | null> {
    return (await this.#pilots.get(rollout)?.act(request)) ?? null;
  }

  /** Stops ticking and keeps what was gathered. */
  async close(nowMs: number): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.pilots().map((pilot) => pilot.settled()));
    await this.#saveProgress(nowMs);
  }

  #begin(rollout: Rollout, nowMs: number): void {
    const ended = this.#ended.get(rollout.name);
    const remembered = ended === undefined ? this.#parts.remembered(rollout.name) : ended.pilot.remember(ended.endedMs);
    this.#ended.delete(rollout.name);
    this.#pilots.set(rollout.name, new Pilot(rollout, this.#parts, { nowMs, remembered }));
  }

  async #saveProgress(nowMs: number): Promise<void> {
    if (!this.#parts.store.isWell()) return;
    // Losing it costs time, never safety, and the store says by itself that it is not well.
    await Promise.all(this.pilots().map((pilot) => pilot.saveProgress(nowMs).catch(() => undefined)));
  }
}
