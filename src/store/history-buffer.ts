// Slices on their way to the disk: gathered into one transaction after another, bounded, the oldest dropped when it cannot keep up.
// Knows nothing of SQLite; who appends never waits and never fails.

import type { HistorySlice } from './history-store.ts';

/** `refused`: not written, to be tried again. `lost`: perhaps written, so never again, lest it count twice. */
export type WriteOutcome = 'written' | 'refused' | 'lost';

export type HistoryBuffer = {
  append(slices: readonly HistorySlice[]): void;
  /** Writes all that waits, as far as it can be written now. */
  flush(): Promise<void>;
  /** Slices lost since the start. */
  droppedCount(): number;
};

export type HistoryBufferOptions = {
  readonly write: (slices: readonly HistorySlice[]) => Promise<WriteOutcome>;
  /** Whether a write has a chance; while not, slices only gather. */
  readonly canWrite: () => boolean;
  readonly capacityCount: number;
  /** Slices in one transaction. */
  readonly batchCount: number;
  /** How long slices gather before they are written. */
  readonly delayMs: number;
};

/** An empty buffer. */
export function createHistoryBuffer(options: HistoryBufferOptions): HistoryBuffer {
  let waiting: HistorySlice[] = [];
  let droppedCount = 0;
  let timer: NodeJS.Timeout | null = null;
  let draining: Promise<void> | null = null;

  function put(slices: HistorySlice[]): void {
    const excessCount = Math.max(0, slices.length - options.capacityCount);
    droppedCount += excessCount;
    waiting = excessCount > 0 ? slices.slice(excessCount) : slices;
  }

  async function drain(): Promise<void> {
    while (waiting.length > 0 && options.canWrite()) {
      const batch = waiting.slice(0, options.batchCount);
      waiting = waiting.slice(batch.length);
      const outcome = await options.write(batch);
      if (outcome === 'lost') droppedCount += batch.length;
      if (outcome === 'refused') put([...batch, ...waiting]);
      if (outcome !== 'written') return;
    }
  }

  async function flush(): Promise<void> {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    draining ??= drain().finally(() => {
      draining = null;
    });
    await draining;
  }

  return {
    append(slices) {
      put([...waiting, ...slices]);
      timer ??= setTimeout(() => void flush(), options.delayMs).unref();
    },
    flush,
    droppedCount: () => droppedCount,
  };
}
