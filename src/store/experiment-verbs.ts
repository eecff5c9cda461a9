// The verbs on the file of experiments: a batch of what happened, figures, forgetting, and what time brings. Runs in the thread of the
// experiments only; a batch is one transaction with the ids, records and sums that it changes.

import type { DatabaseSync } from 'node:sqlite';
import type { BusinessEvent, ExperimentFigures, Exposure } from '../rollout/experiment.ts';
import type {
  CountedEvents,
  EventOutcome,
  ExperimentBatch,
  ExperimentEntry,
  Observation,
  SplitChange,
} from '../rollout/experiment/entries.ts';
import { beganMsOf } from '../rollout/experiment/live-experiment.ts';
import { countTotal, ExperimentShelf, type OpenExperiment } from './experiment-shelf.ts';
import type { ExperimentRow } from './experiment-rows.ts';
import { saltedHash } from './salted-hash.ts';
import { openSeenIds } from './seen-ids.ts';
import { inTransaction } from './sqlite-file.ts';
import { openUserRecords, type RecordPlace } from './user-records.ts';

const minuteMs = 60_000;
const sweepEveryMs = 6 * 60 * minuteMs;
/** How long the figures of a release stay after something was last heard of it: of its users, its split, or the next release. */
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
  type Held = ReturnType<typeof opened>;
  const selectDataVersion = database.prepare('PRAGMA data_version');
  /** What is in memory of the file as it was at `version`; null: nothing that is right. */
  let known: { readonly held: Held; readonly version: number } | null = null;
  const done: { settledMs: number; sweptMs: number; sweptTo: RecordPlace | null } = {
    settledMs: -Infinity,
    sweptMs: -Infinity,
    sweptTo: null,
  };

  /** What is held in memory is let go of when the file takes nothing of it, and when another process has written to the file. */
  function transact<T>(work: (held: Held) => T): T {
    try {
      return inTransaction(database, () => {
        const version = Number(selectDataVersion.get()!['data_version']);
        if (known?.version !== version) known = { held: opened(), version };
        const { held } = known;
        const result = work(held);
        held.users.write();
        held.shelf.write();
        return result;
      });
    } catch (error) {
      known = null;
      throw error;
    }
  }

  function publish({ seen, shelf }: Held, change: SplitChange, observation: Observation, nowMs: number): void {
    const { rollout, release, percents, atMs } = change;
    // A batch that comes again must not begin its phases again.
    if (!seen.take(hashed(`split ${rollout} ${release} ${percents.join(' ')} ${atMs}`), nowMs)) return;
    shelf.ofSplit(change, observation, nowMs)?.live.splitChanged(change);
  }

  function expose({ shelf, users }: Held, exposure: Exposure, observation: Observation, nowMs: number): void {
    const open = shelf.ofExposure(exposure, observation, nowMs);
    if (open === null) return;
    const hash = userHash(exposure.rollout, exposure.user);
    users.set(open.row.id, hash, open.live.exposed(users.get(open.row.id, hash), exposure, nowMs));
  }

  function count(
    { shelf, seen, users }: Held,
    event: BusinessEvent,
    observation: Observation,
    nowMs: number,
  ): EventOutcome {
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
  }

  /** The next of what time brings; false: nothing. */
  function tendStep({ shelf, seen, users }: Held, nowMs: number): boolean {
    if (Math.abs(nowMs - done.settledMs) >= minuteMs) {
      done.settledMs = nowMs;
      for (const row of shelf.known()) if (row.supersededMs === null) shelf.touch(row, nowMs).live.settle(nowMs);
      return true;
    }
    if (seen.forgetStep(nowMs)) return true;
    if (Math.abs(nowMs - done.sweptMs) < sweepEveryMs) return false;
    const rows = new Map(shelf.known().map((row) => [row.id, row]));
    /** Null for an experiment that is gone. */
    const oldestMs = (row: ExperimentRow | undefined): number | null =>
      row === undefined ? null : nowMs - shelf.look(row).live.keepMs;
    done.sweptTo = users.sweepStep((id) => oldestMs(rows.get(id)), done.sweptTo);
    if (done.sweptTo !== null) return true;
    done.sweptMs = nowMs;
    for (const row of rows.values()) if (row.heardMs < nowMs - keepFiguresMs) shelf.remove(row);
    return false;
  }

  return {
    applyEntries({ nowMs, observations, entries }: ExperimentBatch): EventOutcome[] {
      return transact((held) => {
        const outcomes: EventOutcome[] = [];
        for (const entry of entries) {
          const observation = observations[rolloutOf(entry)];
          if (entry.kind === 'event')
            outcomes.push(observation === undefined ? null : count(held, entry.event, observation, nowMs));
          else if (observation === undefined) continue;
          else if (entry.kind === 'exposure') expose(held, entry.exposure, observation, nowMs);
          else publish(held, entry.change, observation, nowMs);
        }
        return outcomes;
      });
    },
    readFigures({ rollout, release, nowMs }: FiguresQuestion): ExperimentFigures | null {
      return transact(({ shelf }) => {
        const row = shelf.find(rollout, release);
        return row === null ? null : figuresOf(shelf.touch(row, nowMs), shelf, nowMs);
      });
    },
    forgetUser({ user, rollout }: { readonly user: string; readonly rollout: string | null }): number {
      return transact(({ shelf, users }) => {
        const rows = shelf.known().filter((row) => rollout === null || row.rollout === rollout);
        return rows.filter((row) => users.remove(row.id, userHash(row.rollout, user))).length;
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

function rolloutOf(entry: ExperimentEntry): string {
  if (entry.kind === 'exposure') return entry.exposure.rollout;
  return entry.kind === 'event' ? entry.event.rollout : entry.change.rollout;
}

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
