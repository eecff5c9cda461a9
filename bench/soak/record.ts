// What happened in a soak, as plain records: every request, everything that was done to the system, and how it looked meanwhile.

/** What a client does. `safe` kinds can be sent again by the gateway, so that one healthy server is enough for them. */
export type RequestKind = 'get' | 'download' | 'post' | 'events' | 'websocket' | 'leave';

export const safeKinds: ReadonlySet<RequestKind> = new Set(['get']);

export type RequestRecord = {
  readonly kind: RequestKind;
  readonly beganMs: number;
  readonly endedMs: number;
  /** The status that came; null where none did. */
  readonly status: number | null;
  /** What went wrong, in a few words; null where nothing did. */
  readonly failure: string | null;
};

export type Trouble =
  | 'server killed'
  | 'server stalled'
  | 'server back'
  | 'worker killed'
  | 'policy changed'
  | 'bad policy';

export type TroubleRecord = { readonly atMs: number; readonly trouble: Trouble; readonly what: string };

/** Resident bytes of all processes of the gateway. */
export type MemoryRecord = { readonly atMs: number; readonly residentBytes: number };
