// What outlives the process, as one interface that the embedded and a distributed store both keep.
// Types only: documents are the callers' JSON and are handed back as they came; every time is an argument, in milliseconds since 1970.

import type { ExperimentFigures } from '../rollout/experiment.ts';
import type { CountedEvents, EventOutcome, ExperimentBatch } from '../rollout/experiment/entries.ts';
import type { ByteString } from '../rollout/policy.ts';

/** A JSON value of the caller's type and the number of its shape, so that a later release can tell an old one. */
export type Document<T = unknown> = { readonly format: number; readonly value: T };

/** The callers' types of what they keep; the store looks into none of them. */
export type StoredTypes = {
  readonly state: unknown;
  readonly entry: unknown;
  readonly alert: unknown;
  readonly response: unknown;
};

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

/** `reason` is null exactly when `ok`; `sinceMs` is when it became so. */
export type Health = { readonly ok: boolean; readonly reason: string | null; readonly sinceMs: number };

/**
 * The health of all that decides (everything but history). History is figures to look at: its own trouble never
 * makes `ok` false. `droppedHistoryCount` counts slices lost since the start.
 */
export type StoreStatus = Health & { readonly droppedHistoryCount: number; readonly history: Health };

/** The state of each rollout; what is saved together is found together after a crash, or not at all. */
export type StateStore<T extends StoredTypes = StoredTypes> = {
  loadAll(): Promise<readonly SavedState<T['state']>[]>;
  /**
   * Saves one rollout's state with what is to be recorded and told about it; durable once resolved.
   * Rejects with `store-conflict`, having changed nothing, when another writer saved since `expectedRevision`.
   */
  save(change: StateChange<T>): Promise<{ readonly revision: number }>;
};

export type SavedState<State> = {
  readonly rollout: string;
  /** 1 for the first save, one more for each. */
  readonly revision: number;
  readonly savedMs: number;
  readonly state: Document<State>;
};

export type StateChange<T extends StoredTypes = StoredTypes> = {
  readonly rollout: string;
  /** The revision the change was made from; 0: nothing saved yet. */
  readonly expectedRevision: number;
  readonly atMs: number;
  readonly state: Document<T['state']>;
  readonly entries: readonly Document<T['entry']>[];
  readonly alerts: readonly NewAlert<T['alert']>[];
};

/** An alert to be sent from now on; a second one with the same `id` is ignored. */
export type NewAlert<Alert> = { readonly id: string; readonly alert: Document<Alert> };

/** Who did what when: written with the states, never changed. */
export type AuditLog<Entry> = {
  /** The newest `limit` entries since `sinceMs` (and before the entry `beforeId`, to page back), oldest first. */
  query(range: AuditRange): Promise<readonly AuditRecord<Entry>[]>;
};

export type AuditRange = {
  readonly rollout: string;
  readonly sinceMs: number;
  readonly limit: number;
  readonly beforeId?: number;
};

export type AuditRecord<Entry> = {
  /** Grows from entry to entry. */
  readonly id: number;
  readonly rollout: string;
  readonly atMs: number;
  /** The revision of the state that it was saved with. */
  readonly revision: number;
  readonly entry: Document<Entry>;
};

/** Figures over time: seconds for an hour, minutes for a week, then hours for a year. */
export type HistoryStore = {
  /** Takes slices in and never waits for the disk: when they cannot be written in time the oldest are dropped and counted. */
  append(slices: readonly HistorySlice[]): Promise<void>;
  /** Points that reach past `sinceMs` in time order: at `resolution`, or as coarse as they are kept by now. */
  query(range: HistoryRange): Promise<readonly HistoryPoint[]>;
  /** Merges what is old into coarser points; call it every minute. Doing it twice, or after a crash, changes no sum. */
  rollUp(at: { readonly nowMs: number }): Promise<void>;
};

/** Named numbers that add up over time, nested at will (a histogram: count by bin). Only finite numbers are kept. */
export type Sums = { readonly [name: string]: number | Sums };

/** What happened (`sums`) and what was in force at the end (`lasts`: percent, evidence). Names may come and go over releases. */
export type Figures = { readonly sums: Sums; readonly lasts: Readonly<Record<string, number>> };

/** Figures of one slice, which may be shorter than a second: slices that start in the same second add up. */
export type HistorySlice = Figures & { readonly rollout: string; readonly version: string; readonly startMs: number };

export type HistoryResolution = 'second' | 'minute' | 'hour';

export type HistoryRange = {
  readonly rollout: string;
  readonly sinceMs: number;
  readonly resolution: HistoryResolution;
};

export type HistoryPoint = Figures & {
  readonly version: string;
  readonly startMs: number;
  readonly resolution: HistoryResolution;
};

/** The texts that were in force; the caller masks secrets before they get here. */
export type PolicyVersions = {
  /** Records that this text is in force from now on; nothing changes when the newest has the same fingerprint. */
  append(version: PolicyVersion): Promise<void>;
  /** The newest `limit`, newest first. */
  list(page: { readonly limit: number }): Promise<readonly Omit<PolicyVersion, 'text'>[]>;
  /** The text with this fingerprint, or null. */
  text(fingerprint: string): Promise<string | null>;
};

export type PolicyVersion = { readonly fingerprint: string; readonly atMs: number; readonly text: string };

/** Alerts until they are delivered: at least once, over restarts. */
export type AlertOutbox<Alert> = {
  /**
   * The alerts that are due, oldest first, each left alone for `leaseMs` so that no one else sends it meanwhile.
   * One that is neither delivered nor failed by then (a crash) is due again.
   */
  take(due: {
    readonly nowMs: number;
    readonly leaseMs: number;
    readonly limit: number;
  }): Promise<readonly DueAlert<Alert>[]>;
  /** It arrived: forget it. */
  delivered(id: string): Promise<void>;
  /** It did not: due again at `nextAttemptMs`; null gives up and forgets it. */
  failed(outcome: { readonly id: string; readonly nextAttemptMs: number | null }): Promise<void>;
};

export type DueAlert<Alert> = {
  readonly id: string;
  readonly rollout: string;
  readonly createdMs: number;
  /** 1 for the first time it is taken. */
  readonly attempt: number;
  readonly alert: Document<Alert>;
};

/** Remembers which signed links were used, until they expire anyway. */
export type SingleUseTokens = {
  /** True for the first caller with this `id`, false for every other and for a token that has expired. */
  consume(token: { readonly id: string; readonly nowMs: number; readonly expiresMs: number }): Promise<boolean>;
};

/** Answers to actions by their idempotency key. */
export type IdempotentResponses<Response> = {
  find(key: { readonly key: string; readonly nowMs: number }): Promise<Document<Response> | null>;
  /** Keeps the answer until `expiresMs` and returns the one in force: the first that was kept wins. */
  remember(answer: {
    readonly key: string;
    readonly response: Document<Response>;
    readonly nowMs: number;
    readonly expiresMs: number;
  }): Promise<Document<Response>>;
};

/** Single documents by name, such as a snapshot of the risk set. */
export type NamedValues = {
  get(key: string): Promise<Document | null>;
  /** The last one wins. */
  put(key: string, document: Document): Promise<void>;
  /** Keeps the document unless there is one, whoever wrote it; resolves with the one that is kept. */
  putFirst(key: string, document: Document): Promise<Document>;
  remove(key: string): Promise<void>;
};

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
  /** Does a small part of what time brings: cohorts that settle, days that end, what is too old. Call it again until `isDone`. */
  tend(at: { readonly nowMs: number }): Promise<{ readonly isDone: boolean }>;
  /** How it is, apart from the rest of the store; null as long as nobody asked it for anything. */
  health(): Health | null;
  /** Calls `listener` at each change of the health; returns the way to stop that. */
  onHealthChange(listener: () => void): () => void;
};
