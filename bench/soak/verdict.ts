// Whether a soak was passed, from its records: pure. A failure is excused only by a trouble that makes it unavoidable.
import { type MemoryRecord, type RequestRecord, safeKinds, type Trouble, type TroubleRecord } from './record.ts';

/** Troubles that can break a request whose answer has begun, or whose body a server has taken. */
const breaksUnsafe: readonly Trouble[] = ['server killed', 'server stalled', 'worker killed'];
/** A killed worker takes its connections with it, whatever is on them. */
const breaksSafe: readonly Trouble[] = ['worker killed'];
/** What was broken shows a little later: a reset travels, a stall is noticed after the timeouts. */
const showsWithinMs = 6_000;
const excusedGrowth = 1.2;
const excusedGrowthBytes = 64 * 2 ** 20;
/** A shorter run says nothing of leaks. */
export const leastLeakMinutes = 4;

export type FailureCount = { readonly failure: string; readonly excused: number; readonly unexcused: number };

/** Failures by cause, the unexcused first. */
export function countFailures(
  requests: readonly RequestRecord[],
  troubles: readonly TroubleRecord[],
): readonly FailureCount[] {
  const counts = new Map<string, { failure: string; excused: number; unexcused: number }>();
  for (const request of requests) {
    if (request.failure === null) continue;
    const failure = `${request.kind}: ${request.failure}`;
    const count = counts.get(failure) ?? { failure, excused: 0, unexcused: 0 };
    counts.set(failure, count);
    if (isExcused(request, troubles)) count.excused += 1;
    else count.unexcused += 1;
  }
  return [...counts.values()].toSorted((a, b) => b.unexcused - a.unexcused || b.excused - a.excused);
}

function isExcused({ kind, status, beganMs, endedMs }: RequestRecord, troubles: readonly TroubleRecord[]): boolean {
  // An error that graygate answers is its own word: a dead worker says nothing.
  const excuses = safeKinds.has(kind) ? (status === null ? breaksSafe : []) : breaksUnsafe;
  return troubles.some(
    ({ trouble, atMs }) => excuses.includes(trouble) && atMs <= endedMs && atMs >= beganMs - showsWithinMs,
  );
}

/** What memory did, in a sentence; `leaks` where the last quarter needs clearly more than the second. */
export function judgeMemory(memory: readonly MemoryRecord[]): { readonly leaks: boolean; readonly text: string } {
  const minutes = memory.length < 2 ? 0 : (memory.at(-1)!.atMs - memory[0]!.atMs) / 60_000;
  if (minutes < leastLeakMinutes) return { leaks: false, text: `not judged: needs ${leastLeakMinutes} minutes` };
  const quarter = Math.floor(memory.length / 4);
  const early = median(memory.slice(quarter, 2 * quarter));
  const late = median(memory.slice(3 * quarter));
  const leaks = late > early * excusedGrowth && late - early > excusedGrowthBytes;
  return { leaks, text: `${mebibytes(early)} MiB in the second quarter, ${mebibytes(late)} MiB in the last` };
}

function median(records: readonly MemoryRecord[]): number {
  const sorted = records.map(({ residentBytes }) => residentBytes).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

/** Samples of one scrape by series, names and labels as written. */
export type Scrape = ReadonlyMap<string, number>;

/** Counters that fell between two scrapes; empty is right. */
export function fallenCounters(before: Scrape, after: Scrape): string[] {
  return [...before].flatMap(([series, value]) => {
    const now = after.get(series);
    if (!/^\w+_(?:total|count|sum|bucket)\b/.test(series) || !series.startsWith('graygate_')) return [];
    return now !== undefined && now < value ? [`${series} fell from ${value} to ${now}`] : [];
  });
}

export type Expected = {
  /** Requests that got an answer, by clients' own count. */
  readonly answered: number;
  /** Requests that clients began. */
  readonly begun: number;
  /** Whether workers were killed: what they had not reported yet is lost. */
  readonly workersKilled: number;
};

/** Requests that a killed worker may take with it uncounted: those under way and a report of a moment. */
const lostWithWorker = 200;

/** Where the figures at rest do not add up; empty is right. */
export function wrongSums(scrape: Scrape, { answered, begun, workersKilled }: Expected): string[] {
  // What never became a request (a connection that broke off in its first line) is counted without a rollout, and decided by nobody.
  const total = (name: string): number =>
    [...scrape]
      .filter(([series]) => series.startsWith(`${name}{`) && !series.includes('rollout=""'))
      .reduce((sum, [, value]) => sum + value, 0);
  const requests = total('graygate_requests_total');
  const wrong: string[] = [];
  if (requests > begun) wrong.push(`graygate counted ${requests} requests, clients began ${begun}`);
  if (requests < answered - workersKilled * lostWithWorker) {
    wrong.push(`graygate counted ${requests} requests, clients had ${answered} answers`);
  }
  for (const name of ['graygate_decisions_total', 'graygate_request_duration_seconds_count']) {
    if (total(name) !== requests) wrong.push(`${name} is ${total(name)}, graygate_requests_total is ${requests}`);
  }
  const inFlight = total('graygate_requests_in_flight');
  if (inFlight !== 0) wrong.push(`${inFlight} requests are still in flight`);
  return wrong;
}
