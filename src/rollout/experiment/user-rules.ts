// The rules of an experiment for one user: what an exposure and an event make of the record. Every change of the sums follows from
// the record before and the record after.
import type { Metric } from '../experiment.ts';
import type { DayClock } from './day-clock.ts';
import { afterSight, countingOf } from './metric-counting.ts';
import type { SplitPhase } from './split-phases.ts';
import type { MetricCount, PendingEvent, UserEntry, UserRecord } from './user-record.ts';

/** By what a user's record changes. */
export type Frame = {
  readonly columns: MetricColumns;
  readonly phases: readonly SplitPhase[];
  readonly clock: DayClock;
  readonly nowMs: number;
};

/** The metrics of an experiment in the order in which records keep them; null: one that is not counted any more. */
export type MetricColumns = {
  readonly metrics: readonly (Metric | null)[];
  /** The columns that an event changes, by its name. */
  readonly caring: ReadonlyMap<string, readonly number[]>;
};

/** `phase` null: decided by a split that has all users on one version. */
export type Sight = {
  readonly version: number;
  readonly bucket: number;
  readonly phase: number | null;
  readonly atMs: number;
};

/** Events of one user that wait for the exposure; the oldest of more is taken for one from before it. */
const pendingCount = 16;
/** An event that waited for so long came before the exposure. */
const pendingMs = 3_600_000;

/** Prepares the columns; `events` are all names that an event may have. */
export function columnsOf(metrics: readonly (Metric | null)[]): MetricColumns {
  const caring = new Map<string, number[]>();
  const names = new Set(metrics.flatMap((metric) => (metric === null ? [] : eventsOf(metric))));
  for (const event of names) {
    const caresFor = (metric: Metric | null): boolean => metric !== null && countingOf(metric).cares(metric, event);
    caring.set(
      event,
      metrics.flatMap((metric, column) => (caresFor(metric) ? [column] : [])),
    );
  }
  return { metrics, caring };
}

/** Names of the events that a metric is made from. */
export function eventsOf(metric: Metric): string[] {
  if (metric.kind === 'retention') return [];
  return metric.kind === 'conversion' && metric.of !== null ? [metric.event, metric.of] : [metric.event];
}

/** After the gateway saw the user. The first exposure that comes decides the version and the phase; another version leaves the user out. */
export function afterExposure(record: UserRecord, sight: Sight, frame: Frame): UserRecord {
  const seen = { ...record, seenMs: Math.max(record.seenMs, sight.atMs) };
  const { entry } = record;
  // Where all users get one version nobody was given it by chance, so nobody crosses over to it either.
  if (sight.phase === null) return seen;
  if (entry === null) return enter(seen, { ...sight, phase: sight.phase }, frame);
  if (record.isCrossed || isOver(entry, sight.atMs, frame)) return seen;
  if (entry.version !== sight.version) return { ...seen, isCrossed: true, counts: [], pending: [] };
  const happened = { atMs: sight.atMs, nowMs: frame.nowMs, enteredMs: entry.atMs, clock: frame.clock };
  return {
    ...seen,
    counts: record.counts.map((count, column) => {
      const metric = frame.columns.metrics[column];
      return count !== null && metric?.kind === 'retention' ? afterSight(metric, count, happened) : count;
    }),
  };
}

/** After an event that was not counted before. One from before the exposure is part of the user's past. */
export function afterEvent(record: UserRecord, event: PendingEvent, frame: Frame): UserRecord {
  const seen = { ...record, seenMs: Math.max(record.seenMs, event.atMs) };
  if (record.isCrossed || !frame.columns.caring.has(event.event)) return seen;
  return record.entry === null ? setAside(seen, event, frame) : counted(seen, record.entry, event, frame);
}

function enter(record: UserRecord, entry: UserEntry, frame: Frame): UserRecord {
  const { atMs, phase, version, bucket } = entry;
  const entered: UserRecord = {
    ...record,
    entry: { atMs, phase, version, bucket },
    counts: frame.columns.metrics.map((metric, column) =>
      metric === null ? null : (record.counts[column] ?? countingOf(metric).start),
    ),
    pending: [],
  };
  return record.pending.reduce<UserRecord>((next, event) => counted(next, entry, event, frame), entered);
}

function counted(record: UserRecord, entry: UserEntry, event: PendingEvent, frame: Frame): UserRecord {
  if (event.atMs < entry.atMs) return inThePast(record, event, frame);
  if (isOver(entry, event.atMs, frame)) return record;
  const happened = { ...event, nowMs: frame.nowMs, enteredMs: entry.atMs, clock: frame.clock };
  return changed(record, event.event, frame, (metric, column) => {
    const count = record.counts[column] ?? null;
    return count === null ? null : countingOf(metric).after(metric, count, happened);
  });
}

/** A metric that is newer than the exposure has no past of the user either. */
function inThePast(record: UserRecord, event: PendingEvent, frame: Frame): UserRecord {
  return changed(record, event.event, frame, (metric, column) => {
    const counting = countingOf(metric);
    const count = record.counts[column] ?? (record.entry === null ? counting.start : null);
    return count === null ? null : counting.past(metric, count, event.value);
  });
}

function setAside(record: UserRecord, event: PendingEvent, frame: Frame): UserRecord {
  const waiting = [...record.pending, event].toSorted((a, b) => a.atMs - b.atMs);
  const isRecent = ({ atMs }: PendingEvent): boolean => atMs > frame.nowMs - pendingMs;
  const kept = waiting.slice(-pendingCount).filter(isRecent);
  const past = waiting.slice(0, waiting.length - kept.length);
  return past.reduce<UserRecord>((next, each) => inThePast(next, each, frame), { ...record, pending: kept });
}

function changed(
  record: UserRecord,
  event: string,
  { columns }: Frame,
  change: (metric: Metric, column: number) => MetricCount | null,
): UserRecord {
  const counts = [...record.counts];
  for (const column of columns.caring.get(event) ?? []) {
    while (counts.length < column) counts.push(null);
    counts[column] = change(columns.metrics[column]!, column);
  }
  return { ...record, counts };
}

function isOver({ phase }: UserEntry, atMs: number, { phases }: Frame): boolean {
  const { overMs } = phases[phase]!;
  return overMs !== null && atMs >= overMs;
}
