// What time brings to the file of experiments: outcomes settle, and ids, records and figures grow old. Runs in the thread of the
// experiments only.

import type { ExperimentMemory } from './experiment-memory.ts';
import type { ExperimentRow } from './experiment-rows.ts';
import type { RecordPlace } from './user-records.ts';

const minuteMs = 60_000;
const sweepEveryMs = 6 * 60 * minuteMs;
/** How long the figures of a release stay after something was last heard of it: of its users, its split, or the next release. */
const keepFiguresMs = 366 * 24 * 60 * minuteMs;

/** Does the next bounded part of what time brings; false: there was nothing more to do. */
export type TendStep = (held: ExperimentMemory, nowMs: number) => boolean;

/** The steps, one after another; knows which were taken, and when. */
export function experimentTending(): TendStep {
  let settledMs = -Infinity;
  let sweptMs = -Infinity;
  let sweptTo: RecordPlace | null = null;
  return ({ shelf, seen, users }, nowMs) => {
    if (Math.abs(nowMs - settledMs) >= minuteMs) {
      settledMs = nowMs;
      for (const row of shelf.known()) if (row.supersededMs === null) shelf.touch(row, nowMs).live.settle(nowMs);
      return true;
    }
    if (seen.forgetStep(nowMs)) return true;
    if (Math.abs(nowMs - sweptMs) < sweepEveryMs) return false;
    const rows = new Map(shelf.known().map((row) => [row.id, row]));
    /** Null for an experiment that is gone. */
    const oldestMs = (row: ExperimentRow | undefined): number | null =>
      row === undefined ? null : nowMs - shelf.look(row).live.keepMs;
    sweptTo = users.sweepStep((id) => oldestMs(rows.get(id)), sweptTo);
    if (sweptTo !== null) return true;
    sweptMs = nowMs;
    for (const row of rows.values()) if (row.heardMs < nowMs - keepFiguresMs) shelf.remove(row);
    return false;
  };
}
