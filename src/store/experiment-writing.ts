// How each kind of entry is written to what is held of the experiments. Runs in the thread of the experiments only, in a transaction.

import type { BusinessEvent, Exposure } from '../rollout/experiment.ts';
import type { EventOutcome, Observation, SplitChange } from '../rollout/experiment/entries.ts';
import type { ExperimentMemory } from './experiment-memory.ts';
import { countTotal } from './experiment-shelf.ts';
import type { SaltedHash } from './salted-hash.ts';

/** What an entry is written to, and how its rollout is observed now. */
export type EntryPlace = {
  readonly held: ExperimentMemory;
  readonly observation: Observation;
  readonly nowMs: number;
};

/** The kinds of entries; users and ids become hashes here. */
export function entryWriting(hashed: SaltedHash) {
  const userHash = (rollout: string, user: string): Uint8Array => hashed(`user ${rollout} ${user}`);
  return {
    userHash,
    publish(change: SplitChange, { held, observation, nowMs }: EntryPlace): void {
      const { rollout, release, percents, atMs } = change;
      // A batch that comes again must not begin its phases again.
      if (!held.seen.take(hashed(`split ${rollout} ${release} ${percents.join(' ')} ${atMs}`), nowMs)) return;
      held.shelf.ofSplit(change, observation, nowMs)?.live.splitChanged(change);
    },
    expose(exposure: Exposure, { held, observation, nowMs }: EntryPlace): void {
      const { shelf, users } = held;
      const open = shelf.ofExposure(exposure, observation, nowMs);
      if (open === null) return;
      const hash = userHash(exposure.rollout, exposure.user);
      users.set(open.row.id, hash, open.live.exposed(users.get(open.row.id, hash), exposure, nowMs));
    },
    /** Null for an event that was counted before. */
    count(event: BusinessEvent, { held, observation, nowMs }: EntryPlace): EventOutcome {
      const { shelf, seen, users } = held;
      const { id, rollout, user, value, atMs } = event;
      if (!seen.take(hashed(`event ${rollout} ${id}`), nowMs)) return null;
      const open = shelf.ofEvent(rollout, observation, atMs, nowMs);
      const { row, live } = open;
      const hash = userHash(rollout, user);
      const record = live.happened(users.get(row.id, hash), { event: event.event, value, atMs }, nowMs);
      users.set(row.id, hash, record);
      const version = record.entry === null ? null : (live.plan.versions[record.entry.version] ?? null);
      countTotal(open, event.event, version ?? '', value);
      return { version };
    },
  };
}
