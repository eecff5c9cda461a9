// The verbs on the file of experiments: a batch of what happened, figures, forgetting, and what time brings. Runs in the thread of the
// experiments only; a batch is one transaction with the ids, records and sums that it changes.

import type { DatabaseSync } from 'node:sqlite';
import {
  type CountedEvents,
  type EventOutcome,
  type ExperimentBatch,
  rolloutOf,
} from '../rollout/experiment/entries.ts';
import { openExperimentMemory } from './experiment-memory.ts';
import { experimentReading } from './experiment-reading.ts';
import { experimentTending } from './experiment-tending.ts';
import { entryWriting } from './experiment-writing.ts';
import { saltedHash } from './salted-hash.ts';

/** The verbs. */
export function experimentVerbs(database: DatabaseSync) {
  const salt = database.prepare('SELECT salt FROM secret').get()!['salt'] as Uint8Array;
  const writing = entryWriting(saltedHash(salt));
  const transact = openExperimentMemory(database);
  const tendStep = experimentTending();
  return {
    ...experimentReading(database),
    applyEntries({ nowMs, observations, entries }: ExperimentBatch): EventOutcome[] {
      return transact((held) => {
        const outcomes: EventOutcome[] = [];
        for (const entry of entries) {
          const observation = observations[rolloutOf(entry)];
          const place = observation === undefined ? null : { held, observation, nowMs };
          if (entry.kind === 'event') outcomes.push(place === null ? null : writing.count(entry.event, place));
          else if (place === null) continue;
          else if (entry.kind === 'exposure') writing.expose(entry.exposure, place);
          else writing.publish(entry.change, place);
        }
        return outcomes;
      });
    },
    forgetUser({ user, rollout }: { readonly user: string; readonly rollout: string | null }): number {
      return transact(({ shelf, users }) => {
        const rows = shelf.known().filter((row) => rollout === null || row.rollout === rollout);
        return rows.filter((row) => users.remove(row.id, writing.userHash(row.rollout, user))).length;
      });
    },
    eventTotals: (): CountedEvents[] => transact(({ shelf }) => shelf.rows.allTotals()),
    /** Does a bounded part of what time brings; call it again until it is done. */
    tendStep: (nowMs: number): { readonly isDone: boolean } => ({
      isDone: !transact((held) => tendStep(held, nowMs)),
    }),
  };
}

export type ExperimentVerbs = ReturnType<typeof experimentVerbs>;
