// The file of experiments against a model that looks at every user anew: whatever comes, however late, in whatever batches, sent
// again, refused half-way, by two processes, over restarts, edits, releases and users who are forgotten.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { array, assert as assertProperty, asyncProperty, constantFrom, integer, record } from 'fast-check';
import type { Experiment, Metric } from '../../src/rollout/experiment.ts';
import type { ExperimentEntry } from '../../src/rollout/experiment/entries.ts';
import { experimentVerbs } from '../../src/store/experiment-verbs.ts';
import { experimentMigrations } from '../../src/store/migrations.ts';
import { openSqliteFile } from '../../src/store/sqlite-file.ts';
import { experimentOf, metrics as all } from '../rollout/experiment/lives.ts';
import { ownerOf } from './experiment-model-entered.ts';
import { ExperimentModel, plainFigures, versions } from './experiment-model.ts';
import { withDirectory } from './places.ts';

const [secondMs, minuteMs, hourMs] = [1_000, 60_000, 3_600_000];
/** The evening before New York's clocks go back, and the morning of that day in Shanghai. */
const T0 = Date.UTC(2026, 9, 31, 23, 7);

const shorter: Metric = { kind: 'conversion', name: 'conversion', event: 'purchase', of: null, windowMs: hourMs };
const metricSets: readonly Experiment['metrics'][] = [all, [all[4]!, all[1]!, all[6]!], [shorter, ...all.slice(2)]];
const zones = ['Asia/Shanghai', 'America/New_York'];
const splitPlans: readonly (readonly number[])[] = [
  [50, 50, 0],
  [90, 10, 0],
  [66.67, 33.33, 0],
  [89.95, 0.05, 10],
  [40, 30, 30],
  [99.9, 0.1, 0],
  [100, 0, 0],
  [0, 100, 0],
];
/** Next to borders of splits and cells. */
const buckets = [4, 5, 9, 999, 1_000, 3_333, 3_399, 4_999, 5_000, 9_999];

const step = record({
  what: constantFrom(
    ...(['visit', 'visit', 'visit', 'visit', 'visit', 'visit', 'act', 'act', 'act', 'act', 'act', 'act'] as const),
    ...(['send', 'send', 'split', 'split', 'release', 'edit', 'forget', 'tend', 'reopen', 'look'] as const),
  ),
  /** Until this step, and what a step of its kind picks by. */
  afterMs: constantFrom(0, 7, 20 * secondMs, 2 * minuteMs, 11 * minuteMs, 50 * minuteMs, 5 * hourMs),
  pick: integer({ min: 0, max: 1_000 }),
  lateMs: constantFrom(0, 0, 3 * secondMs, 40 * secondMs, 30 * minuteMs, 90 * minuteMs, 7 * hourMs),
});
type Step = typeof step extends { generate: (...of: never) => { value: infer S } } ? S : never;

/** Whoever writes to the file; one is asked now, the other then. */
function openVerbs(path: string) {
  const spec = { path, applicationId: 1, synchronous: 'NORMAL', busyTimeoutMs: 1_000, checkWhole: false } as const;
  const database = openSqliteFile({ ...spec, migrations: experimentMigrations });
  return { verbs: experimentVerbs(database), close: () => database.close() };
}

/** A shop with its gateway: what happens becomes entries, which wait until they are sent. */
class Shop {
  readonly model = new ExperimentModel();
  readonly #path: string;
  #open: ReturnType<typeof openVerbs>[];
  #nowMs = T0;
  #eventCount = 0;
  #releaseCount = 1;
  #experiment: Experiment = experimentOf({ timeZone: zones[0]! });
  #waiting: ExperimentEntry[] = [];
  readonly #splits: { release: string; percents: readonly number[]; atMs: number }[] = [];

  constructor(path: string) {
    this.#path = path;
    this.#open = [openVerbs(path), openVerbs(path)];
    this.#split(splitPlans[0]!);
  }

  live({ what, afterMs, pick, lateMs }: Step): void {
    this.#nowMs += afterMs;
    if (what === 'visit') this.#visit(buckets[pick % buckets.length]!, lateMs <= 40 * secondMs ? lateMs : 0);
    else if (what === 'act') this.#act(buckets[pick % buckets.length]!, pick, lateMs);
    else if (what === 'send') this.#send(pick);
    else if (what === 'split') this.#split(splitPlans[pick % splitPlans.length]!);
    else if (what === 'release') this.#release(pick);
    else if (what === 'edit') this.#edit(pick);
    else this.#serve(what, pick);
  }

  close(): void {
    for (const { close } of this.#open) close();
  }

  /** Late enough for everything to be settled. */
  end(): void {
    this.#nowMs += 60 * hourMs;
    this.#serve('look', 0);
    this.#serve('tend', 1);
    this.#serve('look', 1);
  }

  #serve(what: 'look' | 'forget' | 'tend' | 'reopen', pick: number): void {
    this.#send(0);
    const { verbs } = this.#open[pick % 2]!;
    const user = `u${buckets[pick % buckets.length]!}`;
    if (what === 'look') this.#look(pick);
    else if (what === 'tend') while (!verbs.tendStep(this.#nowMs).isDone);
    else if (what === 'forget') {
      verbs.forgetUser({ user, rollout: 'shop' });
      this.model.forget(user);
    } else {
      this.close();
      this.#open = [openVerbs(this.#path), openVerbs(this.#path)];
    }
  }

  #look(pick: number): void {
    for (let release = 1; release <= this.#releaseCount; release += 1) {
      const asked = { rollout: 'shop', release: String(release), nowMs: this.#nowMs };
      const found = this.#open[pick % 2]!.verbs.readFigures(asked);
      assert.deepEqual(plainFigures(found!), this.model.figures(asked.release, this.#nowMs));
    }
  }

  #visit(bucket: number, lagMs: number): void {
    const { percents, release } = this.#splits.findLast(({ atMs }) => atMs <= this.#nowMs - lagMs) ?? this.#splits[0]!;
    const version = versions[ownerOf(percents, bucket)]!;
    const exposure = { rollout: 'shop', release, version, user: `u${bucket}`, bucket, percents, atMs: this.#nowMs };
    this.#waiting.push({ kind: 'exposure', exposure });
  }

  #act(bucket: number, pick: number, lateMs: number): void {
    const event = ['view', 'purchase', 'purchase', 'signup'][pick % 4]!;
    const id = `e${pick % 11 === 0 ? pick : (this.#eventCount += 1) + 10_000}`;
    const atMs = this.#nowMs - lateMs;
    this.#waiting.push({
      kind: 'event',
      event: { id, rollout: 'shop', user: `u${bucket}`, event, value: pick % 90, atMs },
    });
  }

  #split(percents: readonly number[]): void {
    // Two changes in less than a minute and back would leave it open by which a user was decided.
    this.#nowMs += 2 * minuteMs;
    const change = { rollout: 'shop', release: String(this.#releaseCount), percents, atMs: this.#nowMs };
    this.#splits.push(change);
    this.#waiting.push({ kind: 'split', change });
  }

  /** What waits was decided before; it is often sent afterwards. */
  #release(pick: number): void {
    if (pick % 3 === 0 || this.#waiting.some((entry) => entry.kind === 'split')) this.#send(pick);
    this.#releaseCount += 1;
    this.#experiment = { ...this.#experiment, metrics: metricSets[pick % metricSets.length]! };
    this.#split(splitPlans[pick % 5]!);
  }

  #edit(pick: number): void {
    this.#experiment = {
      ...this.#experiment,
      metrics: metricSets[pick % metricSets.length]!,
      timeZone: zones[pick % zones.length]!,
    };
    this.#split(this.#splits.at(-1)!.percents);
  }

  /** Once, twice, with one that is refused before, or by halves. */
  #send(pick: number): void {
    const { verbs } = this.#open[pick % 2]!;
    const observation = { release: String(this.#releaseCount), versions, experiment: this.#experiment };
    const batch = { nowMs: this.#nowMs, observations: { shop: observation }, entries: this.#waiting };
    if (pick % 5 === 1) {
      const poison = { kind: 'event', event: { id: 'x', rollout: 'shop', user: 'u0', event: 'purchase', value: {} } };
      const entries = [...this.#waiting, poison as unknown as ExperimentEntry];
      assert.throws(() => verbs.applyEntries({ ...batch, entries }));
    }
    const half = pick % 3 === 0 ? Math.floor(this.#waiting.length / 2) : this.#waiting.length;
    for (const entries of [this.#waiting.slice(0, half), this.#waiting.slice(half)]) {
      verbs.applyEntries({ ...batch, entries });
      this.model.apply({ ...batch, entries });
    }
    if (pick % 5 > 2) this.#open[1 - (pick % 2)]!.verbs.applyEntries(batch);
    this.#waiting = [];
  }
}

test('figures are at any time what looking at every user anew gives', async () => {
  await withDirectory(async (directory) => {
    let run = 0;
    await assertProperty(
      asyncProperty(array(step, { minLength: 40, maxLength: 150, size: 'max' }), async (steps) => {
        const shop = new Shop(join(directory, `run-${(run += 1)}`));
        try {
          for (const one of steps) shop.live(one);
          shop.end();
        } finally {
          shop.close();
        }
      }),
      { numRuns: 50, seed: 20_261_122 },
    );
  });
});
