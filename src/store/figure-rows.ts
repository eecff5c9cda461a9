// The rows of the table of figures: how one is read, and how figures are added to what is there.

import type { DatabaseSync } from 'node:sqlite';
import { type DatedFigures, mergeFigures } from './figures.ts';
import type { Figures } from './history-store.ts';
import type { Place, PlacedFigures } from './placed-figures.ts';
import { allRows } from './sqlite-file.ts';

export type FigureRow = Place & { readonly id: number; readonly lastsMs: number; readonly figures: string };

/** What to select for a `FigureRow`. */
export const figureColumns =
  'id, rollout, version, start_ms AS startMs, width_ms AS widthMs, lasts_ms AS lastsMs, figures';

/** What a row holds. */
export function parseFigures(row: FigureRow): DatedFigures {
  const figures: Figures = JSON.parse(row.figures);
  return { ...figures, lastsMs: row.lastsMs };
}

/** Adds figures to what the file already has in their places. */
export function figureWriter(database: DatabaseSync): (places: PlacedFigures) => void {
  const selectOne = database.prepare(
    `SELECT ${figureColumns} FROM figure WHERE rollout = ? AND start_ms = ? AND width_ms = ? AND version = ?`,
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
