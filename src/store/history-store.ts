// Figures over time, as the store promises to keep them. Types only.

/** Figures over time: seconds for an hour, minutes for a week, then hours for a year. */
export type HistoryStore = {
  /** Takes slices in and never waits for the disk: when they cannot be written in time the oldest are dropped and counted. */
  append(slices: readonly HistorySlice[]): Promise<void>;
  /** Points that reach past `sinceMs` in time order: at `resolution`, or as coarse as they are kept by now. */
  query(range: HistoryRange): Promise<readonly HistoryPoint[]>;
  /** Merges what is old into coarser points; call it every minute. Doing it twice, or after a crash, changes no sum. */
  rollUp(at: { readonly nowMs: number }): Promise<void>;
};

/** Named numbers that add up over time, nested at will (a histogram: count by bin). Only finite numbers are kept. */
export type Sums = { readonly [name: string]: number | Sums };

/** What happened (`sums`) and what was in force at the end (`lasts`: percent, evidence). Names may come and go over releases. */
export type Figures = { readonly sums: Sums; readonly lasts: Readonly<Record<string, number>> };

/** Figures of one slice, which may be shorter than a second: slices that start in the same second add up. */
export type HistorySlice = Figures & { readonly rollout: string; readonly version: string; readonly startMs: number };

export type HistoryResolution = 'second' | 'minute' | 'hour';

export type HistoryRange = {
  readonly rollout: string;
  readonly sinceMs: number;
  readonly resolution: HistoryResolution;
};

export type HistoryPoint = Figures & {
  readonly version: string;
  readonly startMs: number;
  readonly resolution: HistoryResolution;
};
