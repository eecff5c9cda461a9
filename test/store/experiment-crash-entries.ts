// What the batches of the crash test hold: each a new user and ten purchases, by the new user and by users before.

import type { ExperimentEntry } from '../../src/rollout/experiment/entries.ts';
import { exposureEntry, purchaseEntry } from './experiment-entries.ts';
import { T0 } from './samples.ts';

export const eventsInBatch = 10;

/** The batch of a number; the same for the same number. */
export function crashEntries(number: number): ExperimentEntry[] {
  const atMs = T0 + number;
  const purchases = Array.from({ length: eventsInBatch }, (_, i) =>
    purchaseEntry(`e-${number}-${i}`, `u-${Math.max(0, number - i * i)}`, atMs),
  );
  return [exposureEntry(`u-${number}`, atMs, { version: number % 2 === 0 ? 'canary' : 'stable' }), ...purchases];
}
