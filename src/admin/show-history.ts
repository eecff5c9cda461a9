// What was, as the API shows it: the audit log as it is, figures as rates and latencies.
import { summarizeBuckets } from '../rollout/summary.ts';
import type { ShownHistory } from './contract.ts';
import type { HistoryPoint, HistoryResolution, Sums } from './history-parts.ts';

const durationMs: Readonly<Record<HistoryResolution, number>> = { second: 1_000, minute: 60_000, hour: 3_600_000 };
const harmPrefix = 'harm:';

/** One point of the history. */
export function showPoint(point: HistoryPoint): ShownHistory['figures'][number] {
  const { version, startMs, resolution, sums, lasts } = point;
  const { latencies } = sums;
  const counts = { requests: numberOf(sums, 'requests'), failures: numberOf(sums, 'failures') };
  const harm = Object.entries(lasts).flatMap(([name, value]) =>
    name.startsWith(harmPrefix) ? [[name.slice(harmPrefix.length), value] as const] : [],
  );
  return {
    version,
    startMs,
    resolution,
    users: numberOf(sums, 'users'),
    percent: lasts['percent'] ?? null,
    harm: Object.fromEntries(harm),
    ...summarizeBuckets(counts, typeof latencies === 'object' ? latencies : {}, durationMs[resolution]),
  };
}

/** What a range is shown in where nobody asks for more: some hundred points a version. */
export function fittingResolution(spanMs: number): HistoryResolution {
  if (spanMs <= 10 * 60_000) return 'second';
  return spanMs <= 24 * 3_600_000 ? 'minute' : 'hour';
}

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A point in time from an ISO time or a duration before now (`1h`); null for anything else. */
export function timeOf(since: string, nowMs: number): number | null {
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(since) ?? [];
  if (amount !== undefined) return Math.max(0, nowMs - Number(amount) * unitMs[unit as keyof typeof unitMs]);
  if (!/^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(since)) return null;
  const atMs = Date.parse(since);
  return Number.isFinite(atMs) && atMs >= 0 ? atMs : null;
}

function numberOf(sums: Sums, name: string): number {
  const sum = sums[name];
  return typeof sum === 'number' ? sum : 0;
}
