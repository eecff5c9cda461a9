// What is known of one user in one release: how the user came in, what was counted of it by metric, and what waits for an exposure.
// No ID and no list of events: numbers, as small as they can be, because there is one for every user.

export type UserRecord = {
  /** How the user was first exposed; null: not yet. */
  readonly entry: UserEntry | null;
  /** Seen on two versions: in no comparison any more. */
  readonly isCrossed: boolean;
  /** When something was last heard of the user. */
  readonly seenMs: number;
  /** By metric; null: the metric is newer than the user's exposure, or nothing was counted before it. */
  readonly counts: readonly (MetricCount | null)[];
  /** Events that came before the exposure did, oldest first; whether they happened after it is not known yet. */
  readonly pending: readonly PendingEvent[];
};

/** `phase` and `version` are indexes. */
export type UserEntry = {
  readonly atMs: number;
  readonly phase: number;
  readonly version: number;
  readonly bucket: number;
};

/** What a metric keeps of a user; `metric-counting.ts` says what its numbers mean. */
export type MetricCount = readonly number[];

export type PendingEvent = { readonly event: string; readonly value: number; readonly atMs: number };

type Packed = [
  entry: [atMs: number, phase: number, version: number, bucket: number] | 0,
  isCrossed: 0 | 1,
  seenMs: number,
  counts: (MetricCount | 0)[],
  pending: [event: string, value: number, atMs: number][],
];

/** Nothing is known. */
export const unknownUser: UserRecord = { entry: null, isCrossed: false, seenMs: 0, counts: [], pending: [] };

/** Whether nothing is known but when the user was seen: neither how the user came in nor what the user did. */
export function isEmptyRecord({ entry, counts, pending }: UserRecord): boolean {
  return entry === null && counts.length === 0 && pending.length === 0;
}

/** As text. */
export function packRecord({ entry, isCrossed, seenMs, counts, pending }: UserRecord): string {
  const packed: Packed = [
    entry === null ? 0 : [entry.atMs, entry.phase, entry.version, entry.bucket],
    isCrossed ? 1 : 0,
    seenMs,
    counts.map((count) => count ?? 0),
    pending.map(({ event, value, atMs }) => [event, value, atMs]),
  ];
  return JSON.stringify(packed);
}

/** What `packRecord` packed. */
export function unpackRecord(text: string): UserRecord {
  const [entry, isCrossed, seenMs, counts, pending] = JSON.parse(text) as Packed;
  return {
    entry: entry === 0 ? null : { atMs: entry[0], phase: entry[1], version: entry[2], bucket: entry[3] },
    isCrossed: isCrossed === 1,
    seenMs,
    counts: counts.map((count) => (count === 0 ? null : count)),
    pending: pending.map(([event, value, atMs]) => ({ event, value, atMs })),
  };
}
