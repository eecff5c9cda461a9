// How one part of the store is and since when; tells of changes, not of repetitions.

/** `reason` is null exactly when `ok`; `sinceMs` is when it became so. */
export type Health = { readonly ok: boolean; readonly reason: string | null; readonly sinceMs: number };

export type HealthRecord = {
  current(): Health;
  /** `null`: it works; else why it does not. */
  report(reason: string | null): void;
};

export type HealthRecordOptions = {
  readonly firstReason: string;
  readonly nowMs: () => number;
  readonly onChange: () => void;
};

/** Begins as not working, for `firstReason`. `sinceMs` is kept while only the reason changes. */
export function createHealthRecord({ firstReason, nowMs, onChange }: HealthRecordOptions): HealthRecord {
  let health: Health = { ok: false, reason: firstReason, sinceMs: nowMs() };
  return {
    current: () => health,
    report(reason) {
      if (reason === health.reason) return;
      const ok = reason === null;
      health = { ok, reason, sinceMs: ok === health.ok ? health.sinceMs : nowMs() };
      onChange();
    },
  };
}
