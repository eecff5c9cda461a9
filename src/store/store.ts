// What outlives the process, as one interface that the embedded and a distributed store both keep; its parts are beside it.
// Types only: documents are the callers' JSON and are handed back as they came; every time is an argument, in milliseconds since 1970.

import type { ExperimentFigures } from '../rollout/experiment.ts';
import type { CountedEvents, EventOutcome, ExperimentBatch } from '../rollout/experiment/entries.ts';
import type { ByteString } from '../rollout/policy.ts';
import type { Health } from './health-record.ts';
import type { HistoryStore } from './history-store.ts';
import type { IdempotentResponses, NamedValues, PolicyVersions, SingleUseTokens } from './record-stores.ts';
import type { AlertOutbox, AuditLog, StateStore, StoredTypes } from './state-stores.ts';

/**
 * Everything that is kept. A verb that cannot be done rejects with a `GraygateError`: `store-unavailable` (try again later;
 * the write may nevertheless have happened), `store-conflict` (load again first), `store-corrupt` (a person must act).
 */
export type Store<T extends StoredTypes = StoredTypes> = {
  readonly states: StateStore<T>;
  readonly audit: AuditLog<T['entry']>;
  readonly history: HistoryStore;
  readonly policies: PolicyVersions;
  readonly outbox: AlertOutbox<T['alert']>;
  readonly tokens: SingleUseTokens;
  readonly responses: IdempotentResponses<T['response']>;
  readonly values: NamedValues;
  readonly experiments: ExperimentStore;
  /** How the store is now; costs nothing. */
  status(): StoreStatus;
  /** Calls `listener` at each change of `ok` or `reason`; returns the way to stop that. */
  onStatusChange(listener: (status: StoreStatus) => void): () => void;
  /** Writes what waits, then lets go of files and threads; every later call rejects. */
  close(): Promise<void>;
};

/**
 * The health of all that decides (everything but history). History is figures to look at: its own trouble never
 * makes `ok` false. `droppedHistoryCount` counts slices lost since the start.
 */
export type StoreStatus = Health & { readonly droppedHistoryCount: number; readonly history: Health };

/** What users did, as sums and as one small record a user. IDs of users and events are kept as salted hashes, never as they are. */
export type ExperimentStore = {
  /**
   * Counts a batch, all of it or nothing; durable once resolved. An outcome for each of its events, in order: an event whose id was
   * counted within the last seven days counts no more, so the same batch may be sent again.
   */
  apply(batch: ExperimentBatch): Promise<readonly EventOutcome[]>;
  /** Of a release, or of the newest (`release` null); null where nothing is known. Never looks at single users. */
  figures(of: {
    readonly rollout: string;
    readonly release: string | null;
    readonly nowMs: number;
  }): Promise<ExperimentFigures | null>;
  /** Removes the user's records of a rollout, or of all (`rollout` null); returns how many there were. Sums stay. */
  forget(of: { readonly user: ByteString; readonly rollout: string | null }): Promise<number>;
  /** All events that were ever counted, releases together. */
  totals(): Promise<readonly CountedEvents[]>;
  /**
   * Does a small part of what time brings: cohorts that settle, days that end, what is too old. Call it again until `isDone`. Where no
   * experiment has left anything it does nothing.
   */
  tend(at: { readonly nowMs: number }): Promise<{ readonly isDone: boolean }>;
  /** How it is, apart from the rest of the store; null as long as nobody asked it for anything. */
  health(): Health | null;
  /** Calls `listener` at each change of the health; returns the way to stop that. */
  onHealthChange(listener: () => void): () => void;
};
