// Figures on their way into the table or out of it: put into places of one width, where they merge.

import { type DatedFigures, floorTo, mergeFigures, noFigures } from './figures.ts';
import type { Figures } from './history-store.ts';

/** Where figures belong; `startMs` in a `widthMs` that begins at a multiple of itself. */
export type Place = {
  readonly rollout: string;
  readonly version: string;
  readonly startMs: number;
  readonly widthMs: number;
};

export type StoredPoint = Figures & { readonly version: string; readonly startMs: number; readonly widthMs: number };

type Placed = { readonly place: Place; figures: DatedFigures };

/** Figures by place; what falls into one place is merged. Places are kept in the order in which they came. */
export class PlacedFigures {
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
