// The figures of an experiment, read from its file as it is at one moment, whoever else writes to it. Writes nothing: what time has
// brought meanwhile is reckoned anew at each reading.

import type { DatabaseSync } from 'node:sqlite';
import type { ExperimentFigures } from '../rollout/experiment.ts';
import { beganMsOf, LiveExperiment } from '../rollout/experiment/live-experiment.ts';
import { experimentRows } from './experiment-rows.ts';
import { inSnapshot } from './sqlite-file.ts';

export type FiguresQuestion = { readonly rollout: string; readonly release: string | null; readonly nowMs: number };

/** The verb that reads; null where nothing is known. Cost: linear in the blocks of sums, never in users. */
export function experimentReading(database: DatabaseSync) {
  const rows = experimentRows(database);
  return {
    readFigures: (question: FiguresQuestion): ExperimentFigures | null =>
      inSnapshot(database, () => figuresFrom(rows, question)),
  };
}

function figuresFrom(
  rows: ReturnType<typeof experimentRows>,
  { rollout, release, nowMs }: FiguresQuestion,
): ExperimentFigures | null {
  const row = rows.newest(rollout, release);
  if (row === null) return null;
  const live = new LiveExperiment(rows.plan(row.id), rows.blocks(row.id));
  // Those that are over and that no batch has written down yet.
  const ended = live.endDays(nowMs);
  const summed = live.summed(nowMs);
  const today = live.today(summed);
  return {
    rollout: row.rollout,
    release: row.release,
    beganMs: beganMsOf(live.plan, row.createdMs),
    atMs: nowMs,
    versions: live.plan.versions,
    ...summed,
    days: [...rows.days(row.id), ...ended, ...(today === null ? [] : [today])],
    events: rows.totals(row.id),
  };
}
