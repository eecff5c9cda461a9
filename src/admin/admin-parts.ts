// What the admin port needs of the rooms around it, as small interfaces that the composition root fits.
// Types only: nothing here knows a controller, a store or a telemetry of its own.
import type { ActionRequest, ActionResult } from '../rollout/action-request.ts';
import type { AuditEntry } from '../rollout/audit-entry.ts';
import type { BusinessEvent, EventAnswer, ExperimentFigures } from '../rollout/experiment.ts';
import type { Figures } from '../rollout/figures.ts';
import type { RolloutTable } from '../rollout/matching.ts';
import type { Measurement } from '../rollout/measurement.ts';
import type { AdminToken } from '../rollout/entrance.ts';
import type { ByteString, Rollout } from '../rollout/policy.ts';
import type { MirrorDifference } from '../rollout/mirror-record.ts';
import type { RolloutState } from '../rollout/rollout-state.ts';
import type { StandingState } from '../rollout/server-report.ts';
import type { Split } from '../rollout/split.ts';
import type { StageView } from '../rollout/stage-totals.ts';
import type { History } from './history-parts.ts';
import type { ActionLinks, UsedLinks } from './link-parts.ts';

export type AdminParts = {
  readonly rollouts: RolloutDesk;
  readonly servers: ServerBoard;
  readonly mirror: MirrorBoard;
  readonly experiments: ExperimentDesk;
  readonly history: History;
  readonly decider: Decider;
  readonly policy: PolicyShown;
  readonly changes: Changes;
  readonly responses: Responses;
  readonly links: ActionLinks;
  readonly usedLinks: UsedLinks;
  readonly access: Access;
  readonly health: HealthShown;
  readonly metrics: MetricsText;
  /** An answer with status 500, for the log. `route` holds no secret. */
  failed(error: unknown, at: { readonly method: string; readonly route: string; readonly requestId: string }): void;
  /** graygate's own version, for the API's description. */
  readonly version: string;
};

/** The rollouts of the policy in force, and the one way to move them. */
export interface RolloutDesk {
  /** In the policy's order; null: the store has not said yet where they stand. */
  views(): readonly RolloutView[] | null;
  /** null: there is no such rollout, or not yet. Resolves when it is in force, or with the reason why it is not. */
  act(rollout: string, request: ActionRequest): Promise<ActionResult | null>;
}

/** `stage`: completed requests since the stage began, by version index. */
export type RolloutView = {
  readonly rollout: Rollout;
  readonly state: RolloutState | null;
  readonly split: Split;
  readonly holds: string | null;
  readonly measured: Measurement | null;
  readonly recent: { readonly sinceMs: number | null; readonly figures: readonly Figures[] };
  readonly stage: StageView;
};

/** How the servers of a version are, beyond what the policy says of them. */
export interface ServerBoard {
  /** How it is at each of its addresses; none: not known. */
  addresses(rollout: string, version: string, origin: string): readonly ServerAddress[];
}

/** `address`: where its name led to; null where the origin has the address, or the name led nowhere. */
export type ServerAddress = { readonly address: string | null; readonly state: StandingState };

/** What the mirror found. */
export interface MirrorBoard {
  /** The last pairs of answers that differ, the newest first. */
  recent(rollout: string): readonly MirrorDifference[];
}

/** What users did. All reject with a GraygateError: when the store cannot be used, and when it cannot keep up. */
export interface ExperimentDesk {
  /** An answer for each, in order; what was accepted is durable. */
  ingest(events: readonly BusinessEvent[]): Promise<readonly EventAnswer[]>;
  /** Removes what is known of a user; returns how many records there were. */
  forget(user: ByteString, rollout?: string): Promise<number>;
  /** Of the newest release without `release`; null where nothing is known. */
  figures(rollout: string, release?: string): Promise<ExperimentFigures | null>;
}

/** What decides about requests now; asked anew for every question. */
export interface Decider {
  table(): RolloutTable;
  splitOf(rollout: Rollout): Split;
}

/** The policy as it was written, secrets masked. */
export interface PolicyShown {
  current(): { readonly loadedMs: number; readonly fingerprint: string; readonly document: unknown };
  /** The last try that was refused since then; null: there was none. */
  lastRejected(): { readonly atMs: number; readonly problems: readonly PolicyProblem[] } | null;
}

export type PolicyProblem = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly problem: string;
  readonly hint: string | null;
};

export interface Changes {
  /** Calls back for every change of a rollout; returns the way to stop that. */
  subscribe(listener: (rollout: string, entry: AuditEntry) => void): () => void;
}

/** Answers by idempotency key, kept until they expire. Rejects with a GraygateError when it cannot. */
export interface Responses {
  find(key: { readonly key: string; readonly nowMs: number }): Promise<KeptAnswer | null>;
  /** Keeps the answer and returns the one in force: the first that was kept wins. */
  remember(answer: {
    readonly key: string;
    readonly response: KeptAnswer;
    readonly nowMs: number;
    readonly expiresMs: number;
  }): Promise<KeptAnswer>;
}

/** A document of the store. */
export type KeptAnswer = { readonly format: number; readonly value: unknown };

/** Who may come in; asked at every request, so that a reload counts at once. */
export interface Access {
  /** None: everything from this machine, nothing from elsewhere. */
  tokens(): readonly AdminToken[];
  /** Where people reach the admin port (`https://ops.example.com`) besides its own address: the policy's `approveUrl`s. */
  origins(): readonly string[];
  /** An address has been wrong as often as it may; for the log. */
  guessed(address: string): void;
}

/** `degraded` lists what works less well than it should, without making the gateway unready. */
export type Readiness = {
  readonly ready: boolean;
  readonly reasons: readonly string[];
  readonly degraded: readonly string[];
};

export interface HealthShown {
  readiness(): Readiness;
}

export interface MetricsText {
  /** In the format that `accept` asks for. */
  render(accept: string): Promise<{ readonly contentType: string; readonly text: string }>;
}
