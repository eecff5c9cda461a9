// A pilot at work in simulated time: the real window, ledger and machine, seeded traffic that follows the published split.
import { setImmediate as turn } from 'node:timers/promises';
import { Pilot } from '../../src/controller/pilot.ts';
import type { ActionRequest, ActionResult } from '../../src/rollout/action-request.ts';
import type { PilotParts } from '../../src/controller/pilot-parts.ts';
import type { AuditEntry } from '../../src/rollout/audit-entry.ts';
import type { BusinessSight } from '../../src/rollout/business-ledger.ts';
import type { CandidateHealth } from '../../src/rollout/measurement.ts';
import type { Rollout } from '../../src/rollout/policy.ts';
import type { ActionKind } from '../../src/rollout/rollout-event.ts';
import type { Split } from '../../src/rollout/split.ts';
import type { Analysis, Staging } from '../../src/rollout/staging.ts';
import type { Verdict } from '../../src/rollout/verdict.ts';
import { Window } from '../../src/telemetry/window.ts';
import { type Random, randomFrom } from '../stats/random.ts';
import { buildRollout } from '../support/decisions.ts';
import { minuteMs, stageOf, stagingOf, startMs } from '../support/rollout-machine.ts';
import { decisionOf, outcomeOf } from '../telemetry/requests.ts';
import { FaultyStore, type KeptStore, openMemoryStore } from './faulty-store.ts';

/** Requests a second, and the share (0–1) of each version's that fails; `others`: of candidates after the first. */
export type Traffic = {
  readonly perSecond: number;
  readonly stable?: number;
  readonly canary?: number;
  readonly others?: readonly number[];
};

/** Stages 10, 50 and 100 % of a second each, moved by time alone. */
export function quickStaging(more: Partial<Staging> = {}, analysis: Partial<Analysis> = {}): Staging {
  const stages = [10, 50, 100].map((percent) => stageOf(percent, { holdMs: 1_000, minRequests: 1 }));
  return stagingOf({ stages, bake: null, ...more }, { advance: 'time', downMs: 5_000, ...analysis });
}

/** As `quickStaging`, but it moves only for a person. */
export function patientStaging(more: Partial<Staging> = {}, analysis: Partial<Analysis> = {}): Staging {
  const stages = [10, 50, 100].map((percent) => stageOf(percent, { holdMs: 60 * minuteMs, minRequests: 1 }));
  return quickStaging({ stages, ...more }, analysis);
}

export function rolloutWith(staging: Staging, more: Partial<Rollout> = {}): Rollout {
  return buildRollout({ split: staging.split, staging, ...more });
}

export class Cockpit {
  readonly store: FaultyStore;
  readonly parts: PilotParts;
  readonly published: Split[] = [];
  readonly announced: AuditEntry[] = [];
  readonly saveFailures: unknown[] = [];
  readonly failures: unknown[] = [];
  readonly random: Random;
  alertCount = 0;
  sourcesAnewCount = 0;
  nowMs = startMs;
  health: CandidateHealth = { kind: 'up' };
  /** Of every other candidate. */
  otherHealth: CandidateHealth = { kind: 'up' };
  sources: readonly Verdict[] = [];
  sight: BusinessSight | null = null;
  traffic: Traffic = { perSecond: 200 };
  window!: Window;
  pilot!: Pilot;
  #userCount = 0;

  constructor(inner: KeptStore = openMemoryStore(), seed = 1) {
    this.store = new FaultyStore(inner);
    this.random = randomFrom(seed);
    this.parts = {
      store: this.store,
      nowMs: () => this.nowMs,
      openWindow: (rollout, riskSet) => (this.window = new Window(rollout, this.nowMs, riskSet)),
      publish: (_, split) => void this.published.push(split),
      health: (_, version) => (version === 'canary' ? this.health : this.otherHealth),
      sourceVerdicts: () => this.sources,
      experimentSight: () => this.sight,
      sourcesAnew: () => {
        this.sourcesAnewCount += 1;
      },
      announced: (_, entry) => void this.announced.push(entry),
      alerted: () => {
        this.alertCount += 1;
      },
      saveFailed: (_, error) => void this.saveFailures.push(error),
      tickFailed: (_, error) => void this.failures.push(error),
    };
  }

  /** Starts a pilot as a process would: with what the store remembers. */
  async start(staging: Staging, more: Partial<Rollout> = {}): Promise<Pilot> {
    const remembered = await this.store.inner.remembered('shop');
    this.pilot = new Pilot(rolloutWith(staging, more), this.parts, { nowMs: this.nowMs, remembered });
    return this.pilot;
  }

  /** Lets time pass with traffic; `settle` waits after each tick for what is being saved. */
  async fly(seconds: number, { settle = true } = {}): Promise<void> {
    for (let tick = 0; tick < seconds * 10; tick += 1) {
      this.nowMs += 100;
      this.send(this.traffic.perSecond / 10);
      this.pilot.tick(this.nowMs);
      if (settle) await this.pilot.settled();
      else await turn();
    }
  }

  /** So many requests, each of a new user, by the split that is published. */
  send(count: number): void {
    const { rollout } = this.pilot;
    const [, ...percents] = this.split.percents;
    const { stable, canary, others = [] } = this.traffic;
    const rates = [stable, canary, ...others];
    for (let i = 0; i < count; i += 1) {
      let left = this.random.uniform() * 100;
      const index = percents.findIndex((percent) => (left -= percent) < 0) + 1;
      const user = `u${(this.#userCount += 1)}`;
      const rate = rates[index] ?? 0;
      const status = this.random.uniform() < rate ? 500 : 200;
      const durationMs = 60 * Math.exp(0.6 * this.random.normal());
      this.window.assigned(decisionOf(rollout, index, { user }));
      this.window.observe(outcomeOf(rollout, index, { user, status, durationMs }));
    }
  }

  async act(action: ActionKind, more: Partial<ActionRequest> = {}): Promise<ActionResult> {
    return this.pilot.act({ action, by: 'ops', reason: 'because', nowMs: this.nowMs, revision: null, ...more });
  }

  get split(): Split {
    return this.published.at(-1)!;
  }

  get percent(): number {
    return this.split.percents[1]!;
  }

  get phase(): string | undefined {
    return this.pilot.state?.phase;
  }

  /** Kinds of changes that were announced. */
  get kinds(): string[] {
    return this.announced.map(({ kind }) => kind);
  }
}
