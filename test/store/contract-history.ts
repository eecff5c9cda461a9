// The contract of figures over time: they add up, age into coarser points, and none is lost or counted twice.

import assert from 'node:assert/strict';
import { array, assert as assertProperty, asyncProperty, boolean, integer, record } from 'fast-check';
import { historySlice, T0, type WithStore } from './samples.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Appending, reading and rolling up. */
export function historyContract(withStore: WithStore): void {
  withStore('slices of one second add up, nested sums too, and the newest of the lasts stays', async (store) => {
    await store.history.append([
      historySlice(T0 + 900, 1, {
        sums: { requests: 1, latency: { 12: 3, 13: 1 } },
        lasts: { percent: 10, evidence: 2 },
      }),
      historySlice(T0 + 1_000, 50),
      historySlice(T0, 9, { version: 'stable' }),
      historySlice(T0, 9, { rollout: 'other' }),
    ]);
    await store.history.append([
      historySlice(T0 + 100, 4, { sums: { requests: 4, latency: { 12: 2 } }, lasts: { percent: 5 } }),
    ]);
    const points = await store.history.query({ rollout: 'shop', sinceMs: T0, resolution: 'second' });
    assert.deepEqual(
      points.filter(({ version }) => version === 'canary'),
      [
        {
          version: 'canary',
          startMs: T0,
          resolution: 'second',
          sums: { requests: 5, latency: { 12: 5, 13: 1 } },
          lasts: { percent: 10, evidence: 2 },
        },
        {
          version: 'canary',
          startMs: T0 + 1_000,
          resolution: 'second',
          sums: { requests: 50 },
          lasts: { percent: 50 },
        },
      ],
    );
    assert.equal(points.length, 3);
  });

  withStore(
    'a query merges to the resolution asked for and begins with the interval that holds the time',
    async (store, reopen) => {
      await store.history.append([0, 1, 59, 60, 61, 3_600].map((second) => historySlice(T0 + second * SECOND_MS, 1)));
      const again = await reopen();
      const query = async (sinceMs: number, resolution: 'second' | 'minute' | 'hour') =>
        (await again.history.query({ rollout: 'shop', sinceMs, resolution })).map(({ startMs, sums }) => [
          (startMs - T0) / SECOND_MS,
          sums['requests'],
        ]);
      assert.deepEqual(await query(T0 + 59_500, 'second'), [
        [59, 1],
        [60, 1],
        [61, 1],
        [3_600, 1],
      ]);
      assert.deepEqual(await query(T0 + 59_500, 'minute'), [
        [0, 3],
        [60, 2],
        [3_600, 1],
      ]);
      assert.deepEqual(await query(T0 + 59_500, 'hour'), [
        [0, 5],
        [3_600, 1],
      ]);
      assert.deepEqual(await query(T0 + 7_200_000, 'hour'), []);
    },
  );

  withStore(
    'seconds become minutes after an hour, hours after a week, and are gone after more than a year',
    async (store) => {
      await store.history.append([historySlice(T0, 1), historySlice(T0 + 59_000, 2), historySlice(T0 + MINUTE_MS, 4)]);
      const widths = async (nowMs: number) => {
        await store.history.rollUp({ nowMs });
        const points = await store.history.query({ rollout: 'shop', sinceMs: T0, resolution: 'second' });
        return points.map(({ resolution, sums }) => [resolution, sums['requests']]);
      };
      const seconds = [
        ['second', 1],
        ['second', 2],
        ['second', 4],
      ];
      assert.deepEqual(await widths(T0 + HOUR_MS + MINUTE_MS - 1), seconds);
      assert.deepEqual(await widths(T0 + HOUR_MS + MINUTE_MS), [
        ['minute', 3],
        ['second', 4],
      ]);
      assert.deepEqual(await widths(T0 + 7 * DAY_MS + HOUR_MS - 1), [
        ['minute', 3],
        ['minute', 4],
      ]);
      assert.deepEqual(await widths(T0 + 7 * DAY_MS + HOUR_MS), [['hour', 7]]);
      assert.deepEqual(await widths(T0 + 366 * DAY_MS), [['hour', 7]]);
      assert.deepEqual(await widths(T0 + 367 * DAY_MS), []);
    },
  );

  withStore(
    'rolling up again changes nothing, and what comes late is merged into what is coarse already',
    async (store) => {
      await store.history.append([historySlice(T0, 1), historySlice(T0 + 30_000, 2)]);
      const nowMs = T0 + 2 * HOUR_MS;
      await store.history.rollUp({ nowMs });
      await store.history.append([historySlice(T0 + 10_000, 4)]);
      await Promise.all([store.history.rollUp({ nowMs }), store.history.rollUp({ nowMs })]);
      assert.deepEqual(await store.history.query({ rollout: 'shop', sinceMs: 0, resolution: 'second' }), [
        { version: 'canary', startMs: T0, resolution: 'minute', sums: { requests: 7 }, lasts: { percent: 2 } },
      ]);
    },
  );

  withStore('whatever is appended and however it is rolled up, no request is lost or counted twice', async (store) => {
    let round = 0;
    const slice = record({
      ageMs: integer({ min: 0, max: 20 * DAY_MS }),
      requests: integer({ min: 0, max: 1e6 }),
    });
    const steps = array(record({ slices: array(slice, { maxLength: 20 }), rollUp: boolean() }), {
      maxLength: 6,
    });
    await assertProperty(
      asyncProperty(steps, async (all) => {
        const rollout = `r${(round += 1)}`;
        for (const { slices, rollUp } of all) {
          await store.history.append(
            slices.map(({ ageMs, requests }) => historySlice(T0 - ageMs, requests, { rollout })),
          );
          if (rollUp) await store.history.rollUp({ nowMs: T0 });
        }
        const expected = all.flatMap(({ slices }) => slices).reduce((sum, { requests }) => sum + requests, 0);
        for (const resolution of ['second', 'minute', 'hour'] as const) {
          const points = await store.history.query({ rollout, sinceMs: 0, resolution });
          assert.equal(
            points.reduce((sum, { sums }) => sum + Number(sums['requests']), 0),
            expected,
          );
          const times = points.map(({ startMs }) => startMs);
          assert.deepEqual(
            times,
            times.toSorted((a, b) => a - b),
          );
        }
      }),
      { numRuns: 25, seed: 20_261_122 },
    );
  });

  withStore('a history of many points comes back whole and in order', async (store) => {
    const seconds = Array.from({ length: 900 }, (_, n) => n);
    const versions = ['a', 'b', 'c'];
    const slices = seconds.flatMap((second) =>
      versions.map((version) => historySlice(T0 + second * SECOND_MS, 1, { version })),
    );
    await store.history.append(slices);
    const read = async () => store.history.query({ rollout: 'shop', sinceMs: T0, resolution: 'second' });
    assert.deepEqual(
      (await read()).map(({ startMs, version }) => [startMs, version]),
      slices.map(({ startMs, version }) => [startMs, version]),
    );
    await store.history.rollUp({ nowMs: T0 + DAY_MS });
    const minutes = await read();
    assert.equal(minutes.length, 3 * 15);
    assert.ok(minutes.every(({ resolution, sums }) => resolution === 'minute' && sums['requests'] === 60));
  });

  withStore('a number that is not finite is left out, not kept as something else', async (store) => {
    await store.history.append([
      historySlice(T0, 1, { sums: { a: Number.NaN, b: { c: Infinity, d: 2 } }, lasts: { e: Number.NaN, f: 3 } }),
    ]);
    const [point] = await store.history.query({ rollout: 'shop', sinceMs: T0, resolution: 'second' });
    assert.deepEqual(point?.sums, { b: { d: 2 } });
    assert.deepEqual(point.lasts, { f: 3 });
  });
}
