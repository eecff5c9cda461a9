// Slows down whoever guesses tokens. Counts different wrong tokens by address; one that is wrong again and again (a page
// left open after the token was changed) is no guess and counts once. Right ones are nobody's business here.
import { failureSource } from './peer.ts';

/** Wrong tokens an address may try at once. */
const mostFailures = 10;
/** How long until one of them is forgiven. */
const forgivenEveryMs = 6_000;
/** Addresses remembered; the one that failed longest ago is forgotten first. */
const mostSources = 10_000;

type Record = { count: number; atMs: number; readonly seen: Set<string> };

export class FailureLimit {
  readonly #sources = new Map<string, Record>();

  /** Milliseconds until an address may be wrong again; 0: now. */
  waitMs(address: string, nowMs: number): number {
    const record = this.#sources.get(failureSource(address));
    if (record === undefined) return 0;
    forgive(record, nowMs);
    return record.count < mostFailures ? 0 : Math.max(1, record.atMs + forgivenEveryMs - nowMs);
  }

  /** A wrong token came; `digest` tells one from another. Returns whether it was the last one that the address may try now. */
  failed(address: string, digest: string, nowMs: number): boolean {
    const source = failureSource(address);
    const record = this.#sources.get(source) ?? { count: 0, atMs: nowMs, seen: new Set<string>() };
    forgive(record, nowMs);
    const isNew = !record.seen.has(digest);
    if (isNew) record.count += 1;
    record.seen.add(digest);
    for (const oldest of record.seen) {
      if (record.seen.size <= mostFailures) break;
      record.seen.delete(oldest);
    }
    this.#sources.delete(source);
    this.#sources.set(source, record);
    for (const oldest of this.#sources.keys()) {
      if (this.#sources.size <= mostSources) break;
      this.#sources.delete(oldest);
    }
    return isNew && record.count === mostFailures;
  }
}

function forgive(record: Record, nowMs: number): void {
  if (nowMs < record.atMs) record.atMs = nowMs;
  const forgiven = Math.floor((nowMs - record.atMs) / forgivenEveryMs);
  record.count = Math.max(0, record.count - forgiven);
  record.atMs = record.count === 0 ? nowMs : record.atMs + forgiven * forgivenEveryMs;
}
