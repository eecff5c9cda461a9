// What a tally took down since somebody last asked, as plain data: one process hands it on, another adds it up.
import type { Pulse, Tally } from './tally.ts';

/** Counts are since the last time, gauges are as they are now. */
export type TallyDelta = {
  readonly rollout: string;
  readonly version: string;
  readonly counts: { readonly [Key in CounterKey]: Tally[Key] };
  readonly gauges: Gauges;
  readonly pulse: Readonly<Pulse>;
};

export type Gauges = { readonly [Key in (typeof gaugeKeys)[number]]: number };

const gaugeKeys = ['inFlightCount', 'openStreamCount', 'awaitedCount'] as const satisfies readonly (keyof Tally)[];

/** What a tally holds, but for its verbs. */
type DataKey = { [Key in keyof Tally]: Tally[Key] extends (...given: never[]) => unknown ? never : Key }[keyof Tally];
type CounterKey = Exclude<DataKey, keyof Gauges | 'rollout' | 'version' | 'pulse'>;

/** Every counter; one that is missing does not compile. */
const counterKeys = Object.keys({
  durationCount: 1,
  durationSumSeconds: 1,
  durationCounts: 1,
  decisions: 1,
  retries: 1,
  fallbacks: 1,
  faults: 1,
  requests: 1,
} satisfies Record<CounterKey, 1>) as readonly CounterKey[];

/** A count, or counts by bucket or by label. */
type Counts = number | Float64Array | Map<unknown, unknown>;
type Writable = Record<CounterKey, Counts>;

/** Takes the counts out of a tally; null where nothing happened since the last time. `last`: what the gauges were then. */
export function takeDelta(tally: Tally, last: Gauges | undefined): TallyDelta | null {
  const { rollout, version, pulse } = tally;
  const gauges = Object.fromEntries(gaugeKeys.map((key) => [key, tally[key]])) as Gauges;
  const isSame = gaugeKeys.every((key) => last?.[key] === gauges[key]);
  if (isSame && !hasNews(tally)) return null;
  const counts = Object.fromEntries(counterKeys.map((key) => [key, takeCounts(tally, key)])) as TallyDelta['counts'];
  const delta = { rollout, version, counts, gauges, pulse: { ...pulse } };
  Object.assign(pulse, { refusedSinceMs: null, unansweredSinceMs: null, hasAnswered: false, hasConnected: false });
  return delta;
}

/** Adds the counts of a delta to the tally of all; gauges are the caller's, who knows what is to be taken off when their owner dies. */
export function addCounts(tally: Tally, { counts }: TallyDelta): void {
  const all = tally as unknown as Writable;
  for (const key of counterKeys) all[key] = sumOf(all[key], counts[key]);
}

/**
 * What one more process has seen of a version. Who was answered speaks for all: a version is down only as long as everyone who
 * asks it says so.
 */
export function addPulse(pulse: Pulse, news: Readonly<Pulse>): void {
  if (news.hasAnswered) pulse.unansweredSinceMs = null;
  if (news.hasAnswered || news.hasConnected) pulse.refusedSinceMs = null;
  if (news.refusedSinceMs !== null) {
    pulse.refusedSinceMs ??= news.refusedSinceMs;
    pulse.lastRefusedMs = Math.max(pulse.lastRefusedMs, news.lastRefusedMs);
  }
  if (news.unansweredSinceMs !== null) pulse.unansweredSinceMs ??= news.unansweredSinceMs;
}

function hasNews(tally: Tally): boolean {
  const { pulse, requests, durationCount, faults, retries, fallbacks } = tally;
  if (requests.size > 0 || durationCount > 0 || faults.size > 0 || retries.size > 0 || fallbacks.size > 0) return true;
  return pulse.hasAnswered || pulse.hasConnected || pulse.refusedSinceMs !== null || pulse.unansweredSinceMs !== null;
}

function takeCounts(tally: Tally, key: CounterKey): Counts {
  const counts = tally[key];
  if (typeof counts === 'number') {
    (tally as unknown as Writable)[key] = 0;
    return counts;
  }
  if (counts instanceof Map) {
    const taken = new Map<unknown, unknown>(counts);
    counts.clear();
    return taken;
  }
  const taken = counts.slice();
  counts.fill(0);
  return taken;
}

/** The first one with the second one added; counts by bucket or label are changed in place. */
function sumOf(total: Counts, more: Counts): Counts {
  if (typeof total === 'number') return total + (more as number);
  if (total instanceof Map) {
    for (const [label, count] of more as Map<unknown, Counts>) {
      const known = total.get(label) as Counts | undefined;
      total.set(label, known === undefined ? count : sumOf(known, count));
    }
    return total;
  }
  for (const [index, count] of (more as Float64Array).entries()) total[index]! += count;
  return total;
}
