// What the traffic generator saw, by version: counted while it runs, read and emptied by whoever shows it.

/** `failureCount`: 5xx and requests without an answer. */
export type VersionTally = { readonly version: string; readonly requestCount: number; readonly failureCount: number };

/** Counts of one stretch of time. */
export class TrafficTally {
  readonly #byVersion = new Map<string, { requestCount: number; failureCount: number }>();

  count(version: string, isFailure: boolean): void {
    const counted = this.#byVersion.get(version) ?? { requestCount: 0, failureCount: 0 };
    counted.requestCount += 1;
    if (isFailure) counted.failureCount += 1;
    this.#byVersion.set(version, counted);
  }

  /** What was counted since the last call, by version name in alphabetic order. */
  take(): readonly VersionTally[] {
    const taken = [...this.#byVersion].map(([version, counted]) => ({ version, ...counted }));
    this.#byVersion.clear();
    return taken.toSorted((a, b) => (a.version < b.version ? -1 : 1));
  }
}
