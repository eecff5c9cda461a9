// The verbs on the file of experiments: a batch of what happened, figures, forgetting, and what time brings. Runs in the thread of the
// experiments only; a batch is one transaction with the ids, records and sums that it changes.

import type { DatabaseSync } from 'node:sqlite';
import type { BusinessEvent, ExperimentFigures, Exposure } from '../rollout/experiment.ts';
import type { CountedEvents, EventOutcome, ExperimentBatch, Observation } from '../rollout/experiment/entries.ts';
import { beganMsOf } from '../rollout/experiment/live-experiment.ts';
import { countTotal, ExperimentShelf, type OpenExperiment } from './experiment-shelf.ts';
import type { ExperimentRow } from './experiment-rows.ts';
import { saltedHash } from './salted-hash.ts';
import { openSeenIds } from './seen-ids.ts';
import { inTransaction } from './sqlite-file.ts';
import { openUserRecords } from './user-records.ts';

const minuteMs = 60_000;
const sweepEveryMs = 6 * 60 * minuteMs;
/** How long the figures of a release stay after the next one began. */
const keepFiguresMs = 366 * 24 * 60 * minuteMs;

export type FiguresQuestion = { readonly rollout: string; readonly release: string | null; readonly nowMs: number };

/** The verbs. */
export function experimentVerbs(database: DatabaseSync) {
  const salt = database.prepare('SELECT salt FROM secret').get()!['salt'] as Uint8Array;
  const hashed = saltedHash(salt);
  const userHash = (rollout: string, user: string): Uint8Array => hashed(`user ${rollout} ${user}`);
  const opened = () => ({
    shelf: new ExperimentShelf(database),
    seen: openSeenIds(database),
    users: openUserRecords(database),
  });
  let held = opened();
  const selectDataVersion = database.prepare('PRAGMA data_version');
  const dataVersion = (): number => Number(selectDataVersion.get()!['data_version']);
  let knownVersion = dataVersion();
  const done = { settledMs: -Infinity, sweptMs: -Infinity };

  /** What is held in memory is right again when the file takes nothing of it. */
  function transact<T>(work: () => T): T {
    try {
      return inTransaction(database, () => {
        const version = dataVersion();
        // Another process has written to the file: what is held in memory may be wrong.
        if (version !== knownVersion) held = opened();
        knownVersion = version;
        const result = work();
        held.users.write();
        held.shelf.write();
        return result;
      });
    } catch (error) {
      held = opened();
      throw error;
    }
  }

  function expose(exposure: Exposure, observation: Observation, nowMs: number): void {
    const { rollout, release, user, atMs } = exposure;
    const { row, live } = held.shelf.ofExposure(rollout, { ...observation, release }, atMs, nowMs);
    const hash = userHash(rollout, user);
    held.users.set(row.id, hash, live.exposed(held.users.get(row.id, hash), exposure, nowMs));
  }

  function count(event: BusinessEvent, observation: Observation, nowMs: number): EventOutcome {
    const { id, rollout, user, value, atMs } = event;
    if (!held.seen.take(hashed(`event ${rollout} ${id}`), nowMs)) return null;
    const open = held.shelf.ofEvent(rollout, observation, atMs, nowMs);
    const { row, live } = open;
    const hash = userHash(rollout, user);
    const record = live.happened(held.users.get(row.id, hash), { event: event.event, value, atMs }, nowMs);
    held.users.set(row.id, hash, record);
    const version = record.entry === null ? null : (live.plan.versions[record.entry.version] ?? null);
    countTotal(open, event.event, version ?? '', value);
    return { version };
  }

  /** The next of what time brings; false: nothing. */
  function tendStep(nowMs: number): boolean {
    const { shelf, seen, users } = held;
    if (Math.abs(nowMs - done.settledMs) >= minuteMs) {
      done.settledMs = nowMs;
      for (const row of shelf.known()) if (row.supersededMs === null) shelf.touch(row, nowMs).live.settle(nowMs);
      return true;
    }
    if (seen.forgetStep(nowMs)) return true;
    if (Math.abs(nowMs - done.sweptMs) < sweepEveryMs) return false;
    const rows = new Map(shelf.known().map((row) => [row.id, row]));
    const hasMore = users.sweepStep((id) => oldestSeenMs(rows.get(id), nowMs));
    if (hasMore) return true;
    done.sweptMs = nowMs;
    for (const row of rows.values()) if ((row.supersededMs ?? nowMs) < nowMs - keepFiguresMs) shelf.remove(row);
    return false;
  }

  /** Null for an experiment that is gone. */
  function oldestSeenMs(row: ExperimentRow | undefined, nowMs: number): number | null {
    return row === undefined ? null : nowMs - held.shelf.look(row).live.keepMs;
  }

  return {
    applyEntries({ nowMs, observations, entries }: ExperimentBatch): EventOutcome[] {
      return transact(() => {
        const outcomes: EventOutcome[] = [];
        for (const entry of entries) {
          const { rollout } =
            entry.kind === 'exposure' ? entry.exposure : entry.kind === 'event' ? entry.event : entry.change;
          const observation = observations[rollout];
          if (entry.kind === 'event')
            outcomes.push(observation === undefined ? null : count(entry.event, observation, nowMs));
          else if (observation === undefined) continue;
          else if (entry.kind === 'exposure') expose(entry.exposure, observation, nowMs);
          else {
            const { release, atMs } = entry.change;
            held.shelf.ofRelease(rollout, { ...observation, release }, atMs, nowMs).live.splitChanged(entry.change);
          }
        }
        return outcomes;
      });
    },
    readFigures({ rollout, release, nowMs }: FiguresQuestion): ExperimentFigures | null {
      const row = held.shelf.find(rollout, release);
      return row === null ? null : transact(() => figuresOf(held.shelf.touch(row, nowMs), held.shelf, nowMs));
    },
    forgetUser({ user, rollout }: { readonly user: string; readonly rollout: string | null }): number {
      return transact(() => {
        const rows = held.shelf.known().filter((row) => rollout === null || row.rollout === rollout);
        return rows.filter((row) => held.users.remove(row.id, userHash(row.rollout, user))).length;
      });
    },
    eventTotals: (): CountedEvents[] => held.shelf.rows.allTotals(),
    /** Does a bounded part of what time brings; call it again until it is done. */
    tendStep: (nowMs: number): { readonly isDone: boolean } => ({ isDone: !transact(() => tendStep(nowMs)) }),
  };
}

export type ExperimentVerbs = ReturnType<typeof experimentVerbs>;

function figuresOf({ row, live }: OpenExperiment, shelf: ExperimentShelf, nowMs: number): ExperimentFigures {
  const summed = live.summed(nowMs);
  const today = live.today(summed);
  const events = new Map<string, { event: string; count: number; valueSum: number }>();
  for (const { event, count, valueSum } of shelf.rows.totals(row.id)) {
    const total = events.get(event) ?? { event, count: 0, valueSum: 0 };
    events.set(event, { event, count: total.count + count, valueSum: total.valueSum + valueSum });
  }
  return {
    rollout: row.rollout,
    release: row.release,
    beganMs: beganMsOf(live.plan, row.createdMs),
    atMs: nowMs,
    versions: live.plan.versions,
    ...summed,
    days: [...shelf.rows.days(row.id), ...(today === null ? [] : [today])],
    events: [...events.values()],
  };
}
