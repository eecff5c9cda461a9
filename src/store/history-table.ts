// Figures over time in SQLite: appended by second, read at any width, rolled up to coarser points as they age.
// Runs in the store's thread only, in steps small enough that a state to be saved never waits long behind one.

import type { DatabaseSync } from 'node:sqlite';
import { type DatedFigures, floorTo, mergeFigures, noFigures, resolutionMs } from './figures.ts';
import { allRows, asRow, inTransaction } from './sqlite-file.ts';
import type { Figures, HistorySlice } from './history-store.ts';

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

export type StoredPoint = Figures & { readonly version: string; readonly startMs: number; readonly widthMs: number };

type Place = {
  readonly rollout: string;
  readonly version: string;
  readonly startMs: number;
  readonly widthMs: number;
};
type FigureRow = Place & { readonly id: number; readonly lastsMs: number; readonly figures: string };
type Placed = { readonly place: Place; figures: DatedFigures };

const COLUMNS = 'id, rollout, version, start_ms AS startMs, width_ms AS widthMs, lasts_ms AS lastsMs, figures';

/** The verbs on figures over time. */
export function historyTable(database: DatabaseSync) {
  const addTo = figureWriter(database);
  const selectFrom = database.prepare(
    `SELECT ${COLUMNS} FROM figure WHERE rollout = ? AND start_ms >= ? ORDER BY start_ms, width_ms`,
  );
  const selectOld = database.prepare(
    `SELECT ${COLUMNS} FROM figure WHERE width_ms = ? AND start_ms < ? ORDER BY start_ms LIMIT ${ROLL_UP_STEP_COUNT}`,
  );
  const removeRow = database.prepare('DELETE FROM figure WHERE id = ?');
  const removeOld = database.prepare('DELETE FROM figure WHERE width_ms = ? AND start_ms < ?');
  return {
    appendSlices(slices: readonly HistorySlice[]): void {
      const places = new PlacedFigures();
      for (const { rollout, version, startMs, sums, lasts } of slices) {
        places.add({ rollout, version, startMs, widthMs: SECOND_MS }, { sums, lasts, lastsMs: startMs });
      }
      inTransaction(database, () => addTo(places));
    },
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

/** Adds figures to what the file already has in their places. */
function figureWriter(database: DatabaseSync): (places: PlacedFigures) => void {
  const selectOne = database.prepare(
    `SELECT ${COLUMNS} FROM figure WHERE rollout = ? AND start_ms = ? AND width_ms = ? AND version = ?`,
  );
  const upsert = database.prepare(
    `INSERT INTO figure (rollout, start_ms, width_ms, version, lasts_ms, figures) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (rollout, start_ms, width_ms, version) DO UPDATE SET
       lasts_ms = excluded.lasts_ms, figures = excluded.figures`,
  );
  return (places) => {
    for (const { place, figures } of places.all()) {
      const where = [place.rollout, place.startMs, place.widthMs, place.version] as const;
      const found = allRows<FigureRow>(selectOne, ...where)[0];
      const { sums, lasts, lastsMs } = found === undefined ? figures : mergeFigures(parseFigures(found), figures);
      upsert.run(...where, lastsMs, JSON.stringify({ sums, lasts }));
    }
  };
}

/** Figures by place; what falls into one place is merged. Places are kept in the order in which they came. */
class PlacedFigures {
  readonly #byPlace = new Map<string, Placed>();

  get count(): number {
    return this.#byPlace.size;
  }

  add({ rollout, version, startMs, widthMs }: Place, figures: DatedFigures): void {
    const place = { rollout, version, startMs: floorTo(startMs, widthMs), widthMs };
    const key = JSON.stringify([rollout, version, place.startMs, widthMs]);
    const found = this.#byPlace.get(key);
    if (found === undefined) this.#byPlace.set(key, { place, figures: mergeFigures(noFigures, figures) });
    else found.figures = mergeFigures(found.figures, figures);
  }

  all(): Iterable<Placed> {
    return this.#byPlace.values();
  }

  toPoints(): StoredPoint[] {
    return [...this.#byPlace.values()].map(({ place, figures }) => ({
      version: place.version,
      startMs: place.startMs,
      widthMs: place.widthMs,
      sums: figures.sums,
      lasts: figures.lasts,
    }));
  }
}

function parseFigures(row: FigureRow): DatedFigures {
  const figures: Figures = JSON.parse(row.figures);
  return { ...figures, lastsMs: row.lastsMs };
}
