// What a decision leaves behind, as the store promises to keep it: states, audit log and alerts, saved together. Types only.
import type { Document } from './stored-document.ts';

/** The callers' types of what they keep; the store looks into none of them. */
export type StoredTypes = {
  readonly state: unknown;
  readonly entry: unknown;
  readonly alert: unknown;
  readonly response: unknown;
};

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

/**
 * An alert to be sent from now on; a second one with the same `id` is ignored. Those of one `queue` are given one after the other, in
 * the order in which they were saved.
 */
export type NewAlert<Alert> = { readonly id: string; readonly queue: string; readonly alert: Document<Alert> };

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

/** Alerts until they are delivered: at least once and in the order of their queue, over restarts. */
export type AlertOutbox<Alert> = {
  /**
   * The first alert of each queue, where it is due, oldest first; each left alone for `leaseMs` so that no one else sends it
   * meanwhile. One that is neither delivered nor failed by then (a crash) is due again. Nothing is given before an earlier one of
   * its queue is gone, or has stepped aside.
   */
  take(due: {
    readonly nowMs: number;
    readonly leaseMs: number;
    readonly limit: number;
  }): Promise<readonly DueAlert<Alert>[]>;
  /** It arrived: forget it. */
  delivered(id: string): Promise<void>;
  failed(outcome: FailedAttempt): Promise<void>;
};

/** An alert did not arrive. */
export type FailedAttempt = {
  readonly id: string;
  /** null gives up and forgets it. */
  readonly nextAttemptMs: number | null;
  /** Later ones of its queue need not wait for it. */
  readonly stepsAside: boolean;
};

export type DueAlert<Alert> = {
  readonly id: string;
  readonly rollout: string;
  readonly createdMs: number;
  /** 1 for the first time it is taken. */
  readonly attempt: number;
  readonly alert: Document<Alert>;
};
