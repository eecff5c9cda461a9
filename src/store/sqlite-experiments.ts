// `ExperimentStore` on a file and a thread of its own, both opened when the first question comes: without experiments there are none,
// but what earlier ones have left is tended.

import { access } from 'node:fs/promises';
import { createHealthRecord } from './health-record.ts';
import type { ExperimentStore } from './store.ts';
import { type BackOff, createStorePart, type StorePart } from './store-part.ts';
import type { ExperimentVerbs } from './experiment-verbs.ts';
import type { WorkerLink } from './worker-link.ts';

export type SqliteExperimentsOptions = {
  /** Of the file. */
  readonly path: string;
  /** To the thread of the experiments, not started yet. */
  readonly link: WorkerLink;
  readonly nowMs: () => number;
  readonly backOff: BackOff;
};

export type SqliteExperiments = { readonly store: ExperimentStore; close(): Promise<void> };

/** The verbs; nothing runs until one is asked. */
export function sqliteExperiments({ path, link, nowMs, backOff }: SqliteExperimentsOptions): SqliteExperiments {
  const listeners = new Set<() => void>();
  const health = createHealthRecord({
    firstReason: 'the store of experiments is being opened',
    nowMs,
    onChange() {
      for (const listener of listeners) listener();
    },
  });
  let opened: StorePart<ExperimentVerbs> | null = null;
  let isClosed = false;

  function part(): StorePart<ExperimentVerbs> {
    opened ??= createStorePart<ExperimentVerbs>({ name: 'experiments', link, health, backOff });
    if (isClosed) opened.stop();
    return opened;
  }

  return {
    store: {
      apply: (batch) => part().call('applyEntries', batch),
      figures: (question) => part().call('readFigures', question),
      forget: (who) => part().call('forgetUser', who),
      totals: () => part().call('eventTotals'),
      async tend({ nowMs: atMs }) {
        if (opened === null && !(await isThere(path))) return { isDone: true };
        return part().call('tendStep', atMs);
      },
      health: () => (opened === null ? null : health.current()),
      onHealthChange(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    async close() {
      isClosed = true;
      opened?.stop();
      await link.close();
    },
  };
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
