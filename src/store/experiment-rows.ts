// One experiment in SQLite besides its users: plan, sums, totals of events and days. Statements only; runs in the thread of the
// experiments.

import type { DatabaseSync } from 'node:sqlite';
import type { DayFigures, ExperimentFigures } from '../rollout/experiment.ts';
import { addTo, type CompensatedSum } from '../rollout/experiment/compensated-sum.ts';
import type { CountedEvents } from '../rollout/experiment/entries.ts';
import type { BlockPlace, SumBlock } from '../rollout/experiment/experiment-sums.ts';
import type { ExperimentPlan } from '../rollout/experiment/live-experiment.ts';
import { allRows } from './sqlite-file.ts';

export type ExperimentRow = {
  readonly id: number;
  readonly rollout: string;
  readonly release: string;
  readonly createdMs: number;
  /** When the next release of the rollout began; null: this is the newest. */
  readonly supersededMs: number | null;
  /** When something was last heard of it, to a day. */
  heardMs: number;
};

/** Events that a batch has counted. `version` is empty for users whom no split has exposed yet. */
export type EventTotal = {
  readonly event: string;
  readonly version: string;
  count: number;
  readonly value: CompensatedSum;
};

/** Of the plans that this release writes; a later one raises it and reads both. */
const planFormat = 1;

type SumRow = {
  readonly metric: number;
  readonly phase: number;
  readonly version: number;
  readonly cohort: number;
  readonly sums: Uint8Array;
  readonly rests: Uint8Array | null;
};

/** The statements on experiments. */
export function experimentRows(database: DatabaseSync) {
  const select = `SELECT id, rollout, release, created_ms AS createdMs, superseded_ms AS supersededMs, heard_ms AS heardMs
    FROM experiment`;
  const selectAll = database.prepare(`${select} ORDER BY id`);
  const selectNewest = database.prepare(
    `${select} WHERE rollout = ?1 AND (?2 IS NULL OR release = ?2) ORDER BY id DESC LIMIT 1`,
  );
  const insert = database.prepare(
    'INSERT INTO experiment (rollout, release, created_ms, heard_ms, format, json) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const hear = database.prepare('UPDATE experiment SET heard_ms = ? WHERE id = ?');
  const supersede = database.prepare('UPDATE experiment SET superseded_ms = ? WHERE id = ?');
  const selectPlan = database.prepare('SELECT json FROM experiment WHERE id = ?');
  const updatePlan = database.prepare('UPDATE experiment SET format = ?, json = ? WHERE id = ?');
  return {
    ...sumRows(database),
    ...totalRows(database),
    ...dayRows(database),
    all: (): ExperimentRow[] => allRows(selectAll),
    /** Of a release, or of all (`release` null); null where there is none. */
    newest: (rollout: string, release: string | null): ExperimentRow | null =>
      allRows<ExperimentRow>(selectNewest, rollout, release)[0] ?? null,
    /** Returns the new experiment's number. */
    insert: (
      { rollout, release, createdMs, heardMs }: Omit<ExperimentRow, 'id' | 'supersededMs'>,
      plan: ExperimentPlan,
    ): number =>
      Number(insert.run(rollout, release, createdMs, heardMs, planFormat, JSON.stringify(plan)).lastInsertRowid),
    hear(row: ExperimentRow, atMs: number): void {
      row.heardMs = atMs;
      hear.run(atMs, row.id);
    },
    supersede(id: number, atMs: number): void {
      supersede.run(atMs, id);
    },
    plan(id: number): ExperimentPlan {
      const plan: ExperimentPlan = JSON.parse(String(selectPlan.get(id)?.['json']));
      return plan;
    },
    savePlan(id: number, plan: ExperimentPlan): void {
      updatePlan.run(planFormat, JSON.stringify(plan), id);
    },
    remove(id: number): void {
      for (const table of ['experiment_sum', 'event_total', 'experiment_day']) {
        database.prepare(`DELETE FROM ${table} WHERE experiment = ?`).run(id);
      }
      database.prepare('DELETE FROM experiment WHERE id = ?').run(id);
    },
  };
}

const keyOf = ({ column, phase, version, cohort }: BlockPlace) => [column, phase, version, cohort] as const;

function sumRows(database: DatabaseSync) {
  const select = database.prepare(
    'SELECT metric, phase, version, cohort, sums, rests FROM experiment_sum WHERE experiment = ?',
  );
  const upsert = database.prepare(
    `INSERT OR REPLACE INTO experiment_sum (experiment, metric, phase, version, cohort, sums, rests)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const remove = database.prepare(
    'DELETE FROM experiment_sum WHERE experiment = ? AND metric = ? AND phase = ? AND version = ? AND cohort = ?',
  );
  return {
    blocks: (experiment: number): SumBlock[] =>
      allRows<SumRow>(select, experiment).map(({ metric, phase, version, cohort, sums, rests }) => ({
        place: { column: metric, phase, version, cohort },
        sums: doublesOf(sums),
        rests: rests === null ? null : doublesOf(rests),
      })),
    saveBlock(experiment: number, { place, sums, rests }: SumBlock): void {
      upsert.run(experiment, ...keyOf(place), bytesOf(sums), rests === null ? null : bytesOf(rests));
    },
    removeBlock(experiment: number, place: BlockPlace): void {
      remove.run(experiment, ...keyOf(place));
    },
  };
}

/** A copy, because doubles lie on borders of eight bytes. */
function doublesOf(bytes: Uint8Array): Float64Array {
  return new Float64Array(bytes.slice().buffer);
}

function bytesOf(doubles: Float64Array): Uint8Array {
  return new Uint8Array(doubles.buffer);
}

function totalRows(database: DatabaseSync) {
  const select = database.prepare(
    `SELECT event, sum(count) AS count, sum(value_sum) + sum(value_rest) AS valueSum
     FROM event_total WHERE experiment = ? GROUP BY event ORDER BY event`,
  );
  const selectValue = database.prepare(
    'SELECT value_sum AS sum, value_rest AS rest FROM event_total WHERE experiment = ? AND event = ? AND version = ?',
  );
  const add = database.prepare(
    `INSERT INTO event_total (experiment, event, version, count, value_sum, value_rest) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (experiment, event, version) DO UPDATE SET
       count = count + excluded.count, value_sum = excluded.value_sum, value_rest = excluded.value_rest`,
  );
  const selectAll = database.prepare(
    `SELECT rollout, nullif(version, '') AS version, event, sum(count) AS count,
       sum(value_sum) + sum(value_rest) AS valueSum
     FROM event_total JOIN experiment ON experiment.id = event_total.experiment GROUP BY rollout, event, version`,
  );
  return {
    /** Of all versions together. */
    totals: (experiment: number): ExperimentFigures['events'] =>
      allRows<ExperimentFigures['events'][number]>(select, experiment).map((row) => ({ ...row })),
    addTotal(experiment: number, { event, version, count, value }: EventTotal): void {
      const [known] = allRows<CompensatedSum>(selectValue, experiment, event, version);
      const total = { sum: known?.sum ?? 0, rest: (known?.rest ?? 0) + value.rest };
      addTo(total, value.sum);
      add.run(experiment, event, version, count, total.sum, total.rest);
    },
    allTotals: (): CountedEvents[] => allRows<CountedEvents>(selectAll).map((row) => ({ ...row })),
  };
}

function dayRows(database: DatabaseSync) {
  const select = database.prepare('SELECT json FROM experiment_day WHERE experiment = ? ORDER BY start_ms');
  const upsert = database.prepare(
    'INSERT OR REPLACE INTO experiment_day (experiment, start_ms, json) VALUES (?, ?, ?)',
  );
  return {
    days: (experiment: number): DayFigures[] =>
      allRows<{ json: string }>(select, experiment).map(({ json }): DayFigures => JSON.parse(json)),
    saveDay(experiment: number, day: DayFigures): void {
      upsert.run(experiment, day.startMs, JSON.stringify(day));
    },
  };
}
