// What the admin port needs of whoever keeps the past. Types only, as in admin-parts.ts.
import type { AuditEntry } from '../rollout/audit-entry.ts';

/** What was: the audit log, and figures over time. Both reject with a GraygateError when the store cannot be read. */
export interface History {
  /** The newest `limit` since `sinceMs` (and before the entry `beforeId`), oldest first. */
  entries(range: {
    readonly rollout: string;
    readonly sinceMs: number;
    readonly limit: number;
    readonly beforeId?: number;
  }): Promise<readonly HistoryEntry[]>;
  /** Points that reach past `sinceMs` in time order, as fine as asked for or as they are kept by now. */
  points(range: {
    readonly rollout: string;
    readonly sinceMs: number;
    readonly resolution: HistoryResolution;
  }): Promise<readonly HistoryPoint[]>;
}

export type HistoryEntry = { readonly id: number; readonly entry: { readonly value: AuditEntry } };

export type HistoryResolution = 'second' | 'minute' | 'hour';

/** `sums`: `requests`, `failures`, `users` and `latencies` (count by bucket index); `lasts`: `percent`, and `harm:CHECK`. */
export type HistoryPoint = {
  readonly version: string;
  readonly startMs: number;
  readonly resolution: HistoryResolution;
  readonly sums: Sums;
  readonly lasts: Readonly<Record<string, number>>;
};

export type Sums = { readonly [name: string]: number | Sums };
