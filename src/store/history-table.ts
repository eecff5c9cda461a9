// Figures over time in SQLite: appended by second, read at any width, rolled up to coarser points as they age.
// Runs in the store's thread only, in steps small enough that a state to be saved never waits long behind one.

import type { DatabaseSync } from 'node:sqlite';
import { figureColumns, type FigureRow, figureWriter, parseFigures } from './figure-rows.ts';
import { floorTo, resolutionMs } from './figures.ts';
import type { HistorySlice } from './history-store.ts';
import { PlacedFigures, type StoredPoint } from './placed-figures.ts';
import { allRows, asRow, inTransaction } from './sqlite-file.ts';

const { second: SECOND_MS, minute: MINUTE_MS, hour: HOUR_MS } = resolutionMs;
const DAY_MS = 24 * HOUR_MS;
const KEEP_HOURS_MS = 366 * DAY_MS;
const ROLL_UP_STEP_COUNT = 500;

const levels = [
  { widthMs: SECOND_MS, intoMs: MINUTE_MS, keepMs: HOUR_MS },
  { widthMs: MINUTE_MS, intoMs: HOUR_MS, keepMs: 7 * DAY_MS },
] as const;

export type HistoryRead = {
  readonly rollout: string;
  readonly sinceMs: number;
  readonly widthMs: number;
  /** Where the page begins; null for the first. */
  readonly fromMs: number | null;
  readonly maxPointCount: number;
};

/** `nextMs` is where the next page begins; null: this was the last. */
export type HistoryPage = { readonly points: StoredPoint[]; readonly nextMs: number | null };

/** The verbs on figures over time. */
export function historyTable(database: DatabaseSync) {
  return { ...appending(database), ...paging(database), ...ageing(database) };
}

function appending(database: DatabaseSync) {
  const addTo = figureWriter(database);
  return {
    appendSlices(slices: readonly HistorySlice[]): void {
      const places = new PlacedFigures();
      for (const { rollout, version, startMs, sums, lasts } of slices) {
        places.add({ rollout, version, startMs, widthMs: SECOND_MS }, { sums, lasts, lastsMs: startMs });
      }
      inTransaction(database, () => addTo(places));
    },
  };
}

function paging(database: DatabaseSync) {
  const selectFrom = database.prepare(
    `SELECT ${figureColumns} FROM figure WHERE rollout = ? AND start_ms >= ? ORDER BY start_ms, width_ms`,
  );
  return {
    queryPage({ rollout, sinceMs, widthMs, fromMs, maxPointCount }: HistoryRead): HistoryPage {
      const visibleMs = floorTo(sinceMs, widthMs);
      const points = new PlacedFigures();
      let bucketMs = 0;
      for (const found of selectFrom.iterate(rollout, fromMs ?? floorTo(sinceMs, HOUR_MS))) {
        const row = asRow<FigureRow>(found);
        if (row.startMs + row.widthMs <= visibleMs) continue;
        const rowBucketMs = floorTo(row.startMs, widthMs);
        if (rowBucketMs > bucketMs && points.count >= maxPointCount) {
          return { points: points.toPoints(), nextMs: rowBucketMs };
        }
        bucketMs = rowBucketMs;
        points.add({ ...row, widthMs: Math.max(widthMs, row.widthMs) }, parseFigures(row));
      }
      return { points: points.toPoints(), nextMs: null };
    },
  };
}

function ageing(database: DatabaseSync) {
  const addTo = figureWriter(database);
  const selectOld = database.prepare(
    `SELECT ${figureColumns} FROM figure WHERE width_ms = ? AND start_ms < ? ORDER BY start_ms LIMIT ${ROLL_UP_STEP_COUNT}`,
  );
  const removeRow = database.prepare('DELETE FROM figure WHERE id = ?');
  const removeOld = database.prepare('DELETE FROM figure WHERE width_ms = ? AND start_ms < ?');
  return {
    /** Does a bounded part of the roll-up; call it again until it is done. */
    rollUpStep(nowMs: number): { readonly isDone: boolean } {
      return inTransaction(database, () => {
        removeOld.run(HOUR_MS, nowMs - KEEP_HOURS_MS);
        let isDone = true;
        for (const { widthMs, intoMs, keepMs } of levels) {
          const rows = allRows<FigureRow>(selectOld, widthMs, floorTo(nowMs - keepMs, intoMs));
          const places = new PlacedFigures();
          for (const row of rows) {
            places.add({ ...row, widthMs: intoMs }, parseFigures(row));
            removeRow.run(row.id);
          }
          addTo(places);
          isDone &&= rows.length < ROLL_UP_STEP_COUNT;
        }
        return { isDone };
      });
    },
  };
}
