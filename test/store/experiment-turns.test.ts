// Releases that take turns while entries are on their way, and batches that come again because nobody heard that they were written.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Experiment, ExperimentFigures } from '../../src/rollout/experiment.ts';
import type { ExperimentEntry } from '../../src/rollout/experiment/entries.ts';
import type { Store } from '../../src/store/store.ts';
import { batchOf, exposureEntry, purchaseEntry, revenueOf, splitEntry } from './experiment-entries.ts';
import { withDirectory, withStore } from './places.ts';
import { T0 } from './samples.ts';

const minuteMs = 60_000;
const next = { release: '3' };

async function inStore(body: (store: Store) => Promise<void>): Promise<void> {
  await withDirectory(async (directory) => withStore({ path: `${directory}/graygate.db` }, body));
}

async function figuresOf(store: Store, release: string): Promise<ExperimentFigures> {
  const figures = await store.experiments.figures({ rollout: 'shop', release, nowMs: T0 + 60 * minuteMs });
  assert.ok(figures !== null);
  return figures;
}

function exposedIn({ phases }: ExperimentFigures): unknown[] {
  return phases.map(({ percents, exposed }) => [...percents, ...exposed]);
}

/** One that counts what no release before did. */
const other: Experiment = {
  ...batchOf(T0, []).observations['shop']!.experiment,
  metrics: [{ kind: 'events', name: 'purchases', event: 'purchase' }],
};

test('what the policy before decided is counted as its release counted, though the next policy is followed already', async () => {
  await inStore(async (store) => {
    await store.experiments.apply(batchOf(T0, [splitEntry(T0), exposureEntry('u-1', T0)]));
    const before = await figuresOf(store, '2');
    const late = [
      exposureEntry('u-2', T0 + 1),
      splitEntry(T0 + 2, { percents: [70, 30] }),
      exposureEntry('u-3', T0 + 3, { percents: [70, 30] }),
      purchaseEntry('e-1', 'u-2', T0 + 3),
      splitEntry(T0 + 4, next),
    ];
    const observation = { release: '3', versions: ['stable', 'bold'], experiment: other };
    await store.experiments.apply({ nowMs: T0 + 4, observations: { shop: observation }, entries: late });
    const after = await figuresOf(store, '2');
    assert.deepEqual(
      after.metrics.map(({ metric }) => metric.name),
      before.metrics.map(({ metric }) => metric.name),
    );
    assert.deepEqual(after.versions, ['stable', 'canary']);
    assert.deepEqual(exposedIn(after), [
      [50, 50, 0, 2],
      [70, 30, 0, 1],
    ]);
    assert.deepEqual(revenueOf(after), [0, 10]);
    const { versions, metrics } = await figuresOf(store, '3');
    assert.deepEqual([versions, metrics.map(({ metric }) => metric.name)], [['stable', 'bold'], ['purchases']]);
  });
});

test('a gateway that still follows the release before does not begin it again', async () => {
  await inStore(async (store) => {
    await store.experiments.apply(batchOf(T0, [splitEntry(T0), exposureEntry('u-0', T0), exposureEntry('u-1', T0)]));
    await store.experiments.apply(
      batchOf(T0 + 1, [splitEntry(T0 + 1, next), exposureEntry('u-1', T0 + 1, next)], next),
    );
    await store.experiments.apply(batchOf(T0 + 2 * minuteMs, [exposureEntry('u-2', T0 + 2 * minuteMs)]));
    const still = exposureEntry('u-3', T0 + 2 * minuteMs, next);
    await store.experiments.apply(batchOf(T0 + 2 * minuteMs, [still], next));
    assert.deepEqual(exposedIn(await figuresOf(store, '3')), [[50, 50, 0, 2]]);
    assert.deepEqual(exposedIn(await figuresOf(store, '2')), [[50, 50, 0, 2]]);
  });
});

const batches: readonly [what: string, entries: readonly ExperimentEntry[]][] = [
  [
    'changes of the split',
    [
      splitEntry(T0),
      exposureEntry('u-1', T0 + 1),
      splitEntry(T0 + 5 * minuteMs, { percents: [40, 60] }),
      exposureEntry('u-2', T0 + 6 * minuteMs, { percents: [40, 60] }),
      splitEntry(T0 + 9 * minuteMs, { percents: [100, 0] }),
    ],
  ],
  [
    'users whom a stage of 0 % showed the version before',
    [
      splitEntry(T0, { percents: [100, 0] }),
      exposureEntry('u-1', T0 + 1, { percents: [100, 0], version: 'stable' }),
      splitEntry(T0 + 2),
      exposureEntry('u-1', T0 + 3),
      purchaseEntry('e-1', 'u-1', T0 + 4),
    ],
  ],
];

for (const [what, entries] of batches) {
  test(`a batch with ${what} that is sent again changes nothing`, async () => {
    await inStore(async (store) => {
      const batch = batchOf(T0 + 10 * minuteMs, entries);
      await store.experiments.apply(batch);
      const before = await figuresOf(store, '2');
      await store.experiments.apply(batch);
      assert.deepEqual(await figuresOf(store, '2'), before);
    });
  });
}

test('a batch with two releases that is sent again changes nothing', async () => {
  await inStore(async (store) => {
    const entries = [
      splitEntry(T0),
      exposureEntry('u-1', T0 + 1),
      splitEntry(T0 + 2, next),
      exposureEntry('u-2', T0 + 3, next),
    ];
    await store.experiments.apply(batchOf(T0, [splitEntry(T0), exposureEntry('u-0', T0)]));
    for (let i = 0; i < 2; i += 1) {
      await store.experiments.apply(batchOf(T0 + 3, entries, next));
      assert.deepEqual(exposedIn(await figuresOf(store, '2')), [[50, 50, 0, 2]]);
      assert.deepEqual(exposedIn(await figuresOf(store, '3')), [[50, 50, 0, 1]]);
    }
  });
});
