// `ExperimentStore` on a file and a thread of its own, both opened when the first question comes: without experiments there are none,
// but what earlier ones have left is tended. Figures are read by another thread, which begins with the first report.

import { access } from 'node:fs/promises';
import { GraygateError } from '../errors.ts';
import type { ExperimentFigures } from '../rollout/experiment.ts';
import { createHealthRecord } from './health-record.ts';
import type { ExperimentStore } from './store.ts';
import { type BackOff, createStorePart, type StorePart } from './store-part.ts';
import type { FiguresQuestion } from './experiment-reading.ts';
import type { ExperimentVerbs } from './experiment-verbs.ts';
import type { WorkerAnswer, WorkerLink } from './worker-link.ts';

export type SqliteExperimentsOptions = {
  /** Of the file. */
  readonly path: string;
  /** To the thread of the experiments, not started yet. */
  readonly link: WorkerLink;
  /** To the thread that reads figures, not started yet. */
  readonly reader: WorkerLink;
  readonly nowMs: () => number;
  readonly backOff: BackOff;
};

export type SqliteExperiments = { readonly store: ExperimentStore; close(): Promise<void> };

/** The verbs; nothing runs until one is asked. */
export function sqliteExperiments({ path, link, reader, nowMs, backOff }: SqliteExperimentsOptions): SqliteExperiments {
  const { health, listen } = heardHealth(nowMs);
  let opened: StorePart<ExperimentVerbs> | null = null;
  let isClosed = false;

  function part(): StorePart<ExperimentVerbs> {
    if (isClosed) throw new GraygateError('store-unavailable', 'the store is closed');
    opened ??= createStorePart<ExperimentVerbs>({ name: 'experiments', link, health, backOff });
    return opened;
  }

  async function askReader(question: FiguresQuestion): Promise<WorkerAnswer> {
    reader.start();
    return reader.ask({ part: 'experiments', verb: 'readFigures', input: question });
  }

  return {
    store: {
      apply: async (batch) => part().call('applyEntries', batch),
      async figures(question) {
        const writer = part();
        const answer = health.current().ok ? await askReader(question) : null;
        if (answer?.kind === 'done') return answer.output as ExperimentFigures | null;
        // What ails the file, only the thread that writes can say, and make well.
        return writer.call('readFigures', question);
      },
      forget: async (who) => part().call('forgetUser', who),
      totals: async () => part().call('eventTotals'),
      async tend({ nowMs: atMs }) {
        if (opened === null && !(await isThere(path))) return { isDone: true };
        return part().call('tendStep', atMs);
      },
      health: () => (opened === null ? null : health.current()),
      onHealthChange: listen,
    },
    async close() {
      isClosed = true;
      opened?.stop();
      // Whoever closes the file last cleans up behind it, and a reader may not.
      await reader.close();
      await link.close();
    },
  };
}

/** The health of the file, and who wants to hear of its changes. */
function heardHealth(nowMs: () => number) {
  const listeners = new Set<() => void>();
  const health = createHealthRecord({
    firstReason: 'the store of experiments is being opened',
    nowMs,
    onChange() {
      for (const listener of listeners) listener();
    },
  });
  const listen = (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return { health, listen };
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
