// What a pilot needs of the rest of the gateway, and what it is asked and answers. Types only.
import type { AuditEntry } from '../rollout/audit-entry.ts';
import type { BusinessSight } from '../rollout/business-ledger.ts';
import type { Figures, StratumArm } from '../rollout/figures.ts';
import type { CandidateHealth } from '../rollout/measurement.ts';
import type { Rollout } from '../rollout/policy.ts';
import type { RolloutState } from '../rollout/rollout-state.ts';
import type { Split } from '../rollout/split.ts';
import type { Verdict } from '../rollout/verdict.ts';
import type { Progress } from './progress.ts';

/** The rollout's window: what completed requests left behind. */
export interface TrafficWindow {
  /** What came since the last call, by version index; null where nothing did. */
  takeFigures(): readonly Figures[] | null;
  /** A stratum that is due, by version index; null while none is. */
  closeStratum(nowMs: number): { readonly arms: readonly StratumArm[] } | null;
  riskSet(): readonly string[];
}

/** Keeps what must outlive the process. Rejects when it cannot, or does not know whether it did. */
export interface PilotStore {
  isWell(): boolean;
  /** Resolves with the revision it made. */
  save(change: SavedChange): Promise<number>;
  /** What is kept of a rollout now. */
  saved(rollout: string): Promise<{ readonly revision: number; readonly state: RolloutState } | null>;
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
  readonly nowMs: () => number;
  /** A fresh window for the rollout; requests fall into it from now on. */
  openWindow(rollout: Rollout, riskSet: readonly string[]): TrafficWindow;
  publish(rollout: Rollout, split: Split): void;
  /** Whether a candidate answers at all; `version` is its name. */
  health(rollout: Rollout, version: string, nowMs: number): CandidateHealth;
  /** What outside sources say, in the order of the policy's checks and of the candidates. */
  sourceVerdicts(rollout: Rollout): readonly Verdict[];
  /** What outside sources have said so far counts no more. */
  sourcesAnew(rollout: Rollout): void;
  /** What the experiment has counted; null before it is known, or where there is none. */
  experimentSight(rollout: Rollout): BusinessSight | null;
  announced(rollout: Rollout, entry: AuditEntry): void;
  /** Something is in the outbox. */
  alerted(): void;
  saveFailed(rollout: Rollout, error: unknown): void;
  /** Something else than a save went wrong; the rollout goes on. */
  tickFailed(rollout: Rollout, error: unknown): void;
};

/** What the store had of a rollout. */
export type Remembered = {
  readonly revision: number;
  readonly state: RolloutState;
  readonly savedMs: number;
  readonly progress: Progress | null;
};
