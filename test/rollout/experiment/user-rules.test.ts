// One user at a time: what counts, what does not, and from when on an outcome is fixed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Metric } from '../../../src/rollout/experiment.ts';
import { LiveExperiment, planOf } from '../../../src/rollout/experiment/live-experiment.ts';
import { packRecord, unknownUser, unpackRecord, type UserRecord } from '../../../src/rollout/experiment/user-record.ts';
import { dayMs, experimentOf, hourMs, metrics, minuteMs, T0, versions } from './lives.ts';

const split = { percents: [50, 50, 0], atMs: T0 };

/** An experiment in which one user lives; times are counted from its begin. */
function life(kept: readonly [Metric, ...Metric[]] = metrics) {
  const live = new LiveExperiment(planOf(versions, experimentOf({ metrics: kept })));
  live.splitChanged(split);
  let record: UserRecord = unknownUser;
  const figureOf = (name: string, atMs: number) =>
    live.summed(T0 + atMs).metrics.find(({ metric }) => metric.name === name);
  return {
    live,
    record: () => record,
    comes(atMs: number, version = 'canary', nowMs = atMs) {
      const exposure = { rollout: 'shop', release: '2', version, user: 'u', bucket: 7, percents: split.percents };
      record = live.exposed(record, { ...exposure, atMs: T0 + atMs }, T0 + nowMs);
    },
    does(event: string, atMs: number, nowMs = atMs, value = 10) {
      record = live.happened(record, { event, value, atMs: T0 + atMs }, T0 + nowMs);
    },
    /** Users and hits of the canary, and those who wait, at a time. */
    proportion(name: string, atMs: number) {
      const figures = figureOf(name, atMs)!;
      const sample = figures.samples[0]![1]!;
      return sample.kind === 'proportion' ? [sample.userCount, sample.hits, figures.waiting[1]] : null;
    },
    sampleOf: (name: string, atMs = 0) => figureOf(name, atMs)?.samples[0]?.[1],
    pairedOf: (name: string, atMs = 0) => figureOf(name, atMs)?.paired?.[0]?.[1] ?? null,
  };
}

test('a conversion enters when its window and an hour for late events are over, and its outcome is fixed then', () => {
  const user = life();
  user.comes(0);
  user.does('purchase', 6 * hourMs - 1);
  // Users of one quarter of an hour enter together, here those who came from 12:00 to 12:10.
  const settledMs = 7 * hourMs + 10 * minuteMs;
  assert.deepEqual(user.proportion('conversion', settledMs - 1), [0, 0, 1]);
  assert.deepEqual(user.proportion('conversion', settledMs), [1, 1, 0]);
});

test('an event after the window is no conversion, and one that comes too late changes nothing', () => {
  const user = life();
  user.comes(0);
  user.does('purchase', 6 * hourMs);
  const settledMs = 7 * hourMs + 10 * minuteMs;
  assert.deepEqual(user.proportion('conversion', settledMs), [1, 0, 0]);
  user.does('purchase', hourMs, settledMs);
  assert.deepEqual(user.proportion('conversion', settledMs), [1, 0, 0]);
  const inTime = life();
  inTime.comes(0);
  inTime.does('purchase', hourMs, settledMs - 1);
  assert.deepEqual(inTime.proportion('conversion', settledMs), [1, 1, 0]);
});

test('a funnel begins with its first step, and is fixed once it is settled', () => {
  const user = life();
  user.comes(0);
  user.does('purchase', minuteMs);
  assert.deepEqual(user.proportion('funnel', 10 * hourMs), [0, 0, 0], 'who has not viewed has not entered');
  user.does('view', hourMs);
  user.does('purchase', 3 * hourMs - 1);
  const settledMs = 4 * hourMs + minuteMs;
  assert.deepEqual(user.proportion('funnel', settledMs - 1), [0, 0, 1]);
  assert.deepEqual(user.proportion('funnel', settledMs + 5 * minuteMs), [1, 1, 0]);
  const { record } = user;
  const before = record();
  user.does('view', minuteMs / 2, settledMs + 5 * minuteMs);
  user.does('purchase', hourMs + 1, settledMs + 5 * minuteMs);
  const funnel = metrics.findIndex(({ name }) => name === 'funnel');
  assert.equal(record().counts[funnel], before.counts[funnel]);
});

test('a step that comes late and was earlier moves the entry, and what was bought in between counts', () => {
  const user = life();
  user.comes(0);
  user.does('view', 50 * minuteMs);
  user.does('purchase', 30 * minuteMs, 51 * minuteMs);
  assert.deepEqual(user.proportion('funnel', 10 * hourMs), [1, 0, 0]);
  user.does('view', 20 * minuteMs, 52 * minuteMs);
  assert.deepEqual(user.proportion('funnel', 10 * hourMs), [1, 1, 0]);
});

test('a user who comes back on the next day of the zone is retained, and that day is over before it is known', () => {
  // 20:00 in Shanghai; the next day is from 4 to 28 hours later.
  const [settledMs, back] = [29 * hourMs, 4 * hourMs];
  const returning = life();
  returning.comes(0);
  returning.comes(back);
  assert.deepEqual(returning.proportion('day-1', settledMs - 1), [0, 0, 1]);
  assert.deepEqual(returning.proportion('day-1', settledMs), [1, 1, 0]);
  for (const atMs of [back - 1, 28 * hourMs]) {
    const other = life();
    other.comes(0);
    other.comes(atMs);
    assert.deepEqual(other.proportion('day-1', settledMs), [1, 0, 0]);
  }
  const late = life();
  late.comes(0);
  late.comes(back, 'canary', settledMs);
  assert.deepEqual(late.proportion('day-1', settledMs), [1, 0, 0]);
  const bought = life();
  bought.comes(0);
  bought.does('purchase', back);
  assert.deepEqual(bought.proportion('day-1', settledMs), [1, 0, 0], 'an event of a server is not a visit');
});

test('what a user did before the exposure is the past of the metric, whenever it comes in', () => {
  const user = life();
  user.does('purchase', 0, 0, 99);
  user.comes(minuteMs);
  user.does('purchase', 1, 2 * minuteMs, 20);
  user.does('purchase', 2 * minuteMs, 2 * minuteMs, 30);
  assert.deepEqual(user.pairedOf('revenue'), {
    userCount: 1,
    ySum: 30,
    ySquares: 900,
    xSum: 70,
    xSquares: 4_900,
    products: 2_100,
  });
  assert.deepEqual(user.sampleOf('order-value'), {
    kind: 'ratio',
    userCount: 1,
    valueSum: 30,
    unitSum: 1,
    valueSquares: 900,
    unitSquares: 1,
    products: 30,
  });
});

test('more events than can wait for the exposure, and older ones, are the past', () => {
  const user = life();
  for (let i = 0; i < 20; i += 1) user.does('view', hourMs + i, hourMs + i);
  assert.equal(user.record().pending.length, 16);
  user.does('view', 3 * hourMs, 3 * hourMs);
  assert.equal(user.record().pending.length, 1);
  user.comes(minuteMs, 'canary', 3 * hourMs);
  assert.deepEqual(user.sampleOf('views'), { kind: 'mean', userCount: 1, sum: 1, sumOfSquares: 1 });
  assert.equal(user.pairedOf('views')?.xSum, 20);
});

test('a user seen on two versions is out of every sample and stays so', () => {
  const user = life();
  user.comes(0);
  user.does('purchase', 1);
  user.comes(2, 'stable');
  user.comes(3);
  user.does('purchase', 4);
  const { leftOut, phases } = user.live.summed(T0 + 9 * dayMs);
  assert.deepEqual([leftOut, phases[0]?.exposed], [{ crossed: 1, moved: 0 }, [0, 1, 0]]);
  assert.equal(user.sampleOf('revenue')?.userCount, 0);
  assert.deepEqual(user.proportion('conversion', 9 * dayMs), [0, 0, 0]);
});

test('nothing that happens after everyone is on one version is counted, and no outcome that reaches beyond it', () => {
  const user = life();
  user.comes(0);
  user.does('purchase', hourMs);
  user.live.splitChanged({ percents: [100, 0, 0], atMs: T0 + 2 * hourMs });
  user.does('purchase', 2 * hourMs);
  user.does('purchase', 2 * hourMs - 1, 3 * hourMs);
  user.comes(2 * hourMs, 'stable');
  assert.equal(user.live.summed(T0 + 9 * dayMs).leftOut.crossed, 0);
  const sample = user.sampleOf('revenue');
  assert.deepEqual(sample, { kind: 'mean', userCount: 1, sum: 20, sumOfSquares: 400 });
  assert.deepEqual(user.proportion('conversion', 9 * dayMs), [0, 0, 0], 'six hours were not to be had');
  user.live.settle(T0 + 9 * dayMs);
  assert.deepEqual(user.proportion('conversion', 9 * dayMs), [0, 0, 0]);
});

test('a metric that is added counts users who are exposed from then on, and one that is taken away is gone', () => {
  const [conversion, , , value, revenue] = metrics;
  const live = life([conversion, revenue!]);
  live.comes(0);
  live.live.observe(experimentOf({ metrics: [revenue!, value!] }));
  live.does('purchase', 1);
  const names = live.live.summed(T0).metrics.map(({ metric }) => metric.name);
  assert.deepEqual(names, ['revenue', 'order-value']);
  assert.deepEqual(live.sampleOf('revenue'), { kind: 'mean', userCount: 1, sum: 10, sumOfSquares: 100 });
  assert.equal(live.sampleOf('order-value')?.userCount, 0);
  live.live.settle(T0 + 9 * dayMs);
  live.live.observe(experimentOf({ metrics: [revenue!, conversion] }));
  assert.deepEqual(live.proportion('conversion', 9 * dayMs), [0, 0, 0], 'what was missed in between is missing');
});

test('a record is the same after it was written and read', () => {
  const user = life();
  user.does('view', 0);
  const waiting = user.record();
  assert.deepEqual(unpackRecord(packRecord(waiting)), waiting);
  user.comes(1);
  user.does('purchase', 2);
  assert.deepEqual(unpackRecord(packRecord(user.record())), user.record());
  assert.ok(packRecord(user.record()).length < 150);
});

test('days end with what was known then, and the days without events as well', () => {
  const user = life();
  user.comes(0);
  user.does('purchase', 1);
  const days = user.live.endDays(T0 + 3 * dayMs);
  // 20:00 in Shanghai: the first day ends four hours later.
  assert.deepEqual(
    days.map(({ startMs, exposed, metrics: byName }) => [startMs - T0, exposed, byName['conversion']![1]]),
    [
      [-20 * hourMs, [0, 1, 0], { kind: 'proportion', userCount: 0, hits: 0 }],
      [4 * hourMs, [0, 1, 0], { kind: 'proportion', userCount: 1, hits: 1 }],
      [28 * hourMs, [0, 1, 0], { kind: 'proportion', userCount: 1, hits: 1 }],
    ],
  );
  assert.deepEqual(user.live.endDays(T0 + 3 * dayMs), []);
  user.live.end(T0 + 3 * dayMs);
  assert.equal(user.live.endDays(T0 + 30 * dayMs).length, 2, 'a release that is over has no more days');
});

test('records are kept for as long as an outcome of theirs is open, however short `keep` is', () => {
  const { live } = life([{ kind: 'retention', name: 'day-7', day: 7 }]);
  live.observe(experimentOf({ metrics: [{ kind: 'retention', name: 'day-7', day: 7 }], keepMs: dayMs }));
  assert.equal(live.keepMs, 9 * dayMs);
});
