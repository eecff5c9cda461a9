// Values that the store's tests save, with only the parts named that a test cares about.

import type { HistorySlice } from '../../src/store/history-store.ts';
import type { StateChange } from '../../src/store/state-stores.ts';
import type { Store } from '../../src/store/store.ts';

/** Adds a test of one behaviour; `reopen` closes the store and opens it again in its place. */
export type WithStore = (sentence: string, body: (store: Store, reopen: () => Promise<Store>) => Promise<void>) => void;

/** An hour's start; the figures of the tests lie around it. */
export const T0 = Date.UTC(2026, 10, 22, 12);

/** A change of `rollout` from a revision, with the parts a test cares about. */
export function stateChange(rollout: string, expectedRevision: number, parts: Partial<StateChange> = {}): StateChange {
  return {
    rollout,
    expectedRevision,
    atMs: T0,
    state: { format: 1, value: { phase: 'progressing', from: expectedRevision } },
    entries: [],
    alerts: [],
    ...parts,
  };
}

/** A slice of the canary with so many requests. */
export function historySlice(startMs: number, requests: number, parts: Partial<HistorySlice> = {}): HistorySlice {
  return { rollout: 'shop', version: 'canary', startMs, sums: { requests }, lasts: { percent: requests }, ...parts };
}
