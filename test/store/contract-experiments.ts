// The contract of experiments: an event counts once, figures are those of everything that was applied, and what is old goes.

import assert from 'node:assert/strict';
import { array, assert as assertProperty, asyncProperty, integer } from 'fast-check';
import type { ExperimentFigures } from '../../src/rollout/experiment.ts';
import type { ExperimentEntry } from '../../src/rollout/experiment/entries.ts';
import type { Store } from '../../src/store/store.ts';
import { batchOf, exposureEntry, purchaseEntry, revenueOf, splitEntry } from './experiment-entries.ts';
import { T0, type WithStore } from './samples.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** All of it. */
export function experimentsContract(withStore: WithStore): void {
  eventsContract(withStore);
  releasesContract(withStore);
  timeContract(withStore);
}

function eventsContract(withStore: WithStore): void {
  withStore(
    'an event counts once, whether it comes again in its batch, in a later one or after a restart',
    async (store, reopen) => {
      const twice = [
        splitEntry(T0),
        exposureEntry('u-1', T0),
        purchaseEntry('e-1', 'u-1', T0 + 1),
        purchaseEntry('e-1', 'u-1', T0 + 1),
      ];
      assert.deepEqual(await store.experiments.apply(batchOf(T0 + 1, twice)), [{ version: 'canary' }, null]);
      assert.deepEqual(await store.experiments.apply(batchOf(T0 + 2, twice)), [null, null]);
      const again = await reopen();
      assert.deepEqual(await again.experiments.apply(batchOf(T0 + 3, twice)), [null, null]);
      const figures = await figuresOf(again);
      assert.deepEqual(figures.events, [{ event: 'purchase', count: 1, valueSum: 10 }]);
      assert.deepEqual(revenueOf(figures), [0, 10]);
      assert.deepEqual(figures.phases[0]?.exposed, [0, 1]);
    },
  );

  withStore('the same id is another event in another rollout', async (store) => {
    const event = purchaseEntry('e-1', 'u-1', T0);
    const other = purchaseEntry('e-1', 'u-1', T0, { rollout: 'blog' });
    assert.deepEqual(await store.experiments.apply(batchOf(T0, [event, other, event])), [
      { version: null },
      { version: null },
      null,
    ]);
  });

  withStore('an id is known for seven days at least, and after eight it is new', async (store) => {
    const send = async (nowMs: number) => store.experiments.apply(batchOf(nowMs, [purchaseEntry('e-1', 'u-1', nowMs)]));
    assert.deepEqual(await send(T0), [{ version: null }]);
    for (const days of [1, 3, 7]) {
      await tendAll(store, T0 + days * DAY_MS);
      assert.deepEqual(await send(T0 + days * DAY_MS), [null]);
    }
    await tendAll(store, T0 + 8 * DAY_MS);
    assert.deepEqual(await send(T0 + 8 * DAY_MS), [{ version: null }]);
  });

  withStore(
    'an event of a rollout that nobody observes is passed over, and counts when somebody does',
    async (store) => {
      const batch = batchOf(T0, [purchaseEntry('e-1', 'u-1', T0)]);
      assert.deepEqual(await store.experiments.apply({ ...batch, observations: {} }), [null]);
      assert.equal(await store.experiments.figures({ rollout: 'shop', release: null, nowMs: T0 }), null);
      assert.deepEqual(await store.experiments.apply(batch), [{ version: null }]);
    },
  );

  withStore('events are totalled by version over all releases', async (store, reopen) => {
    await store.experiments.apply(
      batchOf(T0, [splitEntry(T0), exposureEntry('u-1', T0), purchaseEntry('e-1', 'u-1', T0)]),
    );
    const next = { release: '3' };
    await store.experiments.apply(
      batchOf(T0 + 5, [splitEntry(T0 + 5, next), exposureEntry('u-1', T0 + 5, next)], next),
    );
    await store.experiments.apply(
      batchOf(T0 + 6, [purchaseEntry('e-2', 'u-1', T0 + 6), purchaseEntry('e-3', 'unseen', T0 + 6)], next),
    );
    const totals = await (await reopen()).experiments.totals();
    assert.deepEqual(totals, [
      { rollout: 'shop', version: null, event: 'purchase', count: 1, valueSum: 10 },
      { rollout: 'shop', version: 'canary', event: 'purchase', count: 2, valueSum: 20 },
    ]);
  });

  withStore('however entries are batched and sent again, figures are the same', async (store) => {
    let round = 0;
    const sizes = array(integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 });
    await assertProperty(
      asyncProperty(sizes, async (all) => {
        round += 1;
        const release = { release: `batched ${round}` };
        const entries = someEntries(release);
        await store.experiments.apply(batchOf(T0, [splitEntry(T0, release)], release));
        for (let [from, i] = [0, 0]; from < entries.length; i += 1) {
          const size = all[i % all.length]!;
          const batch = batchOf(T0 + HOUR_MS, entries.slice(from, from + size), release);
          await store.experiments.apply(batch);
          await store.experiments.apply(batch);
          from += size;
        }
        const figures = (await store.experiments.figures({
          rollout: 'shop',
          release: release.release,
          nowMs: T0 + HOUR_MS,
        }))!;
        assert.deepEqual(figures.phases[0]?.exposed, [10, 10]);
        assert.deepEqual(figures.events, [{ event: 'purchase', count: 40, valueSum: 400 }]);
        assert.deepEqual(revenueOf(figures), [200, 200]);
      }),
      { numRuns: 10, seed: 20_261_122 },
    );
  });
}

/** Twenty users, half on each version, who buy twice. */
function someEntries(release: { readonly release: string }): ExperimentEntry[] {
  const users = Array.from({ length: 20 }, (_, i) => ({ name: `u-${i}`, on: i % 2 === 0 ? 'canary' : 'stable' }));
  return [
    ...users.map(({ name, on }) => exposureEntry(name, T0 + 1, { ...release, version: on })),
    ...['a', 'b'].flatMap((n) =>
      users.map(({ name }) => purchaseEntry(`${release.release} ${n} ${name}`, name, T0 + 2)),
    ),
  ];
}

function releasesContract(withStore: WithStore): void {
  withStore('a new release begins anew, and the figures of the old one stay as they were', async (store, reopen) => {
    await store.experiments.apply(
      batchOf(T0, [splitEntry(T0), exposureEntry('u-1', T0), purchaseEntry('e-1', 'u-1', T0)]),
    );
    const next = { release: '3' };
    const beginMs = T0 + HOUR_MS;
    await store.experiments.apply(batchOf(beginMs, [splitEntry(beginMs, next)], next));
    const late = [exposureEntry('u-2', beginMs - 1), purchaseEntry('e-2', 'u-1', beginMs - 1)];
    await store.experiments.apply(batchOf(beginMs + 1, late, next));
    const now = [
      exposureEntry('u-1', beginMs + 2, { ...next, version: 'stable' }),
      purchaseEntry('e-3', 'u-1', beginMs + 2),
    ];
    await store.experiments.apply(batchOf(beginMs + 2, now, next));
    const again = await reopen();
    const [before, after] = [await figuresOf(again, '2'), await figuresOf(again, '3')];
    assert.deepEqual([before.release, before.phases[0]?.exposed, revenueOf(before)], ['2', [0, 2], [0, 20]]);
    assert.deepEqual([after.release, after.phases[0]?.exposed, revenueOf(after)], ['3', [1, 0], [10, 0]]);
    assert.deepEqual(await figuresOf(again), after);
    assert.equal(after.beganMs, beginMs);
    assert.equal(await again.experiments.figures({ rollout: 'shop', release: '1', nowMs: T0 }), null);
    assert.equal(await again.experiments.figures({ rollout: 'blog', release: null, nowMs: T0 }), null);
  });

  withStore('a release that comes back begins anew, as does one whose versions have changed', async (store) => {
    const [next, renamed] = [{ release: '3' }, { versions: ['stable', 'bold'] }];
    await store.experiments.apply(batchOf(T0, [splitEntry(T0), exposureEntry('u-1', T0)]));
    await store.experiments.apply(batchOf(T0 + 1, [splitEntry(T0 + 1, next)], next));
    await store.experiments.apply(batchOf(T0 + 2, [splitEntry(T0 + 2), exposureEntry('u-1', T0 + 2)]));
    assert.deepEqual(
      (await figuresOf(store, '2')).phases.map(({ exposed }) => exposed),
      [[0, 1]],
    );
    await store.experiments.apply(batchOf(T0 + 3, [splitEntry(T0 + 3)], renamed));
    assert.deepEqual((await figuresOf(store)).versions, ['stable', 'bold']);
    assert.deepEqual((await figuresOf(store)).phases[0]?.exposed, [0, 0]);
  });
}

const next = { release: '3' };
const blog = { rollout: 'blog' };

function timeContract(withStore: WithStore): void {
  withStore('what time brings changes no figure of the time', async (store, reopen) => {
    await store.experiments.apply(batchOf(T0, [splitEntry(T0), ...someEntries({ release: '2' })]));
    const nowMs = T0 + 3 * DAY_MS;
    const before = await figuresOf(store, '2', nowMs);
    await tendAll(store, nowMs);
    assert.deepEqual(await figuresOf(store, '2', nowMs), before);
    assert.deepEqual(await figuresOf(await reopen(), '2', nowMs), before);
    assert.deepEqual(before.metrics[0]?.samples[0], [
      { kind: 'proportion', userCount: 10, hits: 10 },
      { kind: 'proportion', userCount: 10, hits: 10 },
    ]);
    assert.deepEqual(
      before.days.map(({ startMs }) => (startMs - T0) / HOUR_MS),
      [-12, 12, 36, 60],
    );
  });

  withStore(
    'records go when the user was not seen for as long as they are kept; what they added stays',
    async (store) => {
      await store.experiments.apply(batchOf(T0, [splitEntry(T0), exposureEntry('u-1', T0), exposureEntry('u-2', T0)]));
      await store.experiments.apply(batchOf(T0 + 9 * DAY_MS, [purchaseEntry('e-1', 'u-2', T0 + 9 * DAY_MS)]));
      await tendAll(store, T0 + 10 * DAY_MS + HOUR_MS);
      const { exposed } = (await figuresOf(store)).phases[0]!;
      assert.deepEqual(exposed, [0, 2]);
      const forgotten = ['u-1', 'u-2'].map(async (user) => store.experiments.forget({ user, rollout: null }));
      assert.deepEqual(await Promise.all(forgotten), [0, 1]);
    },
  );

  withStore(
    'a user who is forgotten has no record in any release, and what was added stays a number',
    async (store) => {
      await store.experiments.apply(
        batchOf(T0, [splitEntry(T0), exposureEntry('u-1', T0), purchaseEntry('e-1', 'u-1', T0)]),
      );
      await store.experiments.apply(
        batchOf(T0 + 1, [splitEntry(T0 + 1, next), exposureEntry('u-1', T0 + 1, next)], next),
      );
      await store.experiments.apply(batchOf(T0 + 1, [exposureEntry('u-1', T0 + 1, blog)]));
      assert.equal(await store.experiments.forget({ user: 'u-2', rollout: null }), 0);
      assert.equal(await store.experiments.forget({ user: 'u-1', rollout: 'shop' }), 2);
      assert.equal(await store.experiments.forget({ user: 'u-1', rollout: null }), 1);
      assert.equal(await store.experiments.forget({ user: 'u-1', rollout: null }), 0);
      assert.deepEqual(revenueOf(await figuresOf(store, '2')), [0, 10]);
      await store.experiments.apply(batchOf(T0 + 2, [exposureEntry('u-1', T0 + 2, next)], next));
      assert.deepEqual((await figuresOf(store)).phases[0]?.exposed, [0, 2], 'who comes back is a new user');
    },
  );

  withStore('figures are kept for a year after something was last heard of a release', async (store, reopen) => {
    await store.experiments.apply(batchOf(T0, [splitEntry(T0), exposureEntry('u-1', T0), splitEntry(T0, blog)]));
    await store.experiments.apply(batchOf(T0 + 1, [splitEntry(T0 + 1, next)], next));
    const laterMs = T0 + 30 * DAY_MS;
    await store.experiments.apply(batchOf(laterMs, [exposureEntry('u-1', laterMs, next)], next));
    const kept = async () => {
      const nowMs = laterMs;
      const asked = [
        { rollout: 'shop', release: '2' },
        { rollout: 'shop', release: '3' },
        { ...blog, release: '2' },
      ];
      const found = await Promise.all(asked.map(async (of) => store.experiments.figures({ ...of, nowMs })));
      return found.map((figures) => figures !== null);
    };
    await tendAll(store, T0 + 366 * DAY_MS);
    assert.deepEqual(await kept(), [true, true, true]);
    await tendAll(store, T0 + 367 * DAY_MS);
    assert.deepEqual(await kept(), [false, true, false], 'of a rollout that the policy names no more as well');
    const again = await reopen();
    await tendAll(again, T0 + 367 * DAY_MS);
    assert.equal(await again.experiments.figures({ ...blog, release: null, nowMs: laterMs }), null);
    await again.experiments.apply(batchOf(laterMs, [exposureEntry('u-1', laterMs, blog)]));
    assert.equal((await again.experiments.figures({ ...blog, release: null, nowMs: laterMs }))?.release, '2');
  });

  withStore('nobody has asked the experiments for anything before somebody does', async (store) => {
    assert.equal(store.experiments.health(), null);
    await store.experiments.totals();
    assert.equal(store.experiments.health()?.ok, true);
    await store.close();
    await assert.rejects(store.experiments.totals(), { code: 'store-unavailable' });
  });
}

async function tendAll(store: Store, nowMs: number): Promise<void> {
  while (!(await store.experiments.tend({ nowMs })).isDone);
}

async function figuresOf(store: Store, release: string | null = null, nowMs = T0 + DAY_MS): Promise<ExperimentFigures> {
  const figures = await store.experiments.figures({ rollout: 'shop', release, nowMs });
  assert.ok(figures !== null, 'there are figures');
  return figures;
}
