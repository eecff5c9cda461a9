// How figures of several slices become one: sums add up, of the lasts the newest stays.
// Pure; the order of merging never changes a sum of whole numbers.

import type { Figures, HistoryResolution, Sums } from './history-store.ts';

/** How long the interval of a point is. */
export const resolutionMs: Readonly<Record<HistoryResolution, number>> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
};

/** Figures with the time of the newest slice in them, which decides whose `lasts` stay. */
export type DatedFigures = Figures & { readonly lastsMs: number };

/** Figures of nothing: merged with others it leaves what of them can be kept. */
export const noFigures: DatedFigures = { sums: {}, lasts: {}, lastsMs: -Infinity };

/** Both as one. Numbers that are not finite, and what JSON made of them, are left out. */
export function mergeFigures(a: DatedFigures, b: DatedFigures): DatedFigures {
  const [older, newer] = a.lastsMs <= b.lastsMs ? [a, b] : [b, a];
  return {
    sums: addSums(older.sums, newer.sums),
    lasts: onlyFinite({ ...older.lasts, ...onlyFinite(newer.lasts) }),
    lastsMs: newer.lastsMs,
  };
}

/** Start of the interval of `widthMs` that a time falls into. */
export function floorTo(timeMs: number, widthMs: number): number {
  return Math.floor(timeMs / widthMs) * widthMs;
}

function addSums(a: Sums, b: Sums): Sums {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  const added = [...names].flatMap((name) => {
    const sum = addOne(a[name], b[name]);
    return sum === null ? [] : [[name, sum] as const];
  });
  return Object.fromEntries(added);
}

/** A name that was a number in one release and is a nest in another keeps what `b` says. */
function addOne(a: number | Sums | undefined, b: number | Sums | undefined): number | Sums | null {
  const first = usable(a);
  const second = usable(b);
  if (typeof first === 'number' && typeof second === 'number') return first + second;
  if (isNest(second)) return addSums(isNest(first) ? first : {}, second);
  if (second !== null) return second;
  return isNest(first) ? addSums(first, {}) : first;
}

function isNest(sum: number | Sums | null): sum is Sums {
  return typeof sum === 'object' && sum !== null;
}

function usable(sum: number | Sums | null | undefined): number | Sums | null {
  if (typeof sum === 'object') return sum;
  return sum !== undefined && Number.isFinite(sum) ? sum : null;
}

function onlyFinite(lasts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(lasts).filter(([, value]) => Number.isFinite(value)));
}
