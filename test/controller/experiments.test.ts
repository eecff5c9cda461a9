// The service of experiments on the real store: what is answered, what is counted, and that counters, report and store agree.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Experiments } from '../../src/controller/experiments.ts';
import type { ExperimentKeeper, ObservedPolicy } from '../../src/controller/experiment-parts.ts';
import { GraygateError } from '../../src/errors.ts';
import type { BusinessEvent, Exposure } from '../../src/rollout/experiment.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { experimentOf, T0 } from '../rollout/experiment/lives.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const policy: ObservedPolicy = {
  rollouts: [
    {
      name: 'shop',
      versions: [{ name: 'stable' }, { name: 'canary' }],
      staging: { release: '2' },
      events: [{ name: 'signup' }],
      experiment: experimentOf(),
    },
    {
      name: 'blog',
      versions: [{ name: 'stable' }],
      staging: { release: '1' },
      events: [],
      experiment: null,
    },
  ],
};
const split = { rollout: 'shop', release: '2', percents: [50, 50], atMs: T0 };

function exposure(user: string, version: 'stable' | 'canary'): Exposure {
  const bucket = version === 'canary' ? 7 : 9_007;
  return { rollout: 'shop', release: '2', version, user, bucket, percents: [50, 50], atMs: T0 };
}

function purchase(id: string, user: string, changes: Partial<BusinessEvent> = {}): BusinessEvent {
  return { id, rollout: 'shop', user, event: 'purchase', value: 20, atMs: T0, ...changes };
}

/** A service with what it told the counters, by version and event. */
function serviceOn(store: ExperimentKeeper, nowMs = T0) {
  const counters = new Map<string, number[]>();
  const troubles: (string | null)[] = [];
  const service = new Experiments({
    store,
    nowMs: () => nowMs,
    counted({ rollout, version, event, count, valueSum }) {
      const key = `${rollout} ${version} ${event}`;
      const [before = 0, valueBefore = 0] = counters.get(key) ?? [];
      counters.set(key, [before + count, valueBefore + valueSum]);
    },
    dropped() {},
    troubled: (reason) => troubles.push(reason),
  });
  service.follow(policy);
  return { service, counters, troubles };
}

async function withStores(body: (open: () => ReturnType<typeof openSqliteStore>) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'graygate-experiments-'));
  const opened: ReturnType<typeof openSqliteStore>[] = [];
  try {
    await body(() => {
      const store = openSqliteStore({ path: join(directory, 'graygate.db') });
      opened.push(store);
      return store;
    });
  } finally {
    await Promise.all(opened.map(async (store) => store.close()));
    await rm(directory, { recursive: true });
  }
}

test('an event sent three times counts once in the answer, the report and the counters, over a restart too', async () => {
  await withStores(async (open) => {
    const before = open();
    const { service, counters } = serviceOn(before.experiments);
    service.splitChanged(split);
    service.exposed(exposure('u-1', 'canary'));
    service.exposed(exposure('u-2', 'stable'));
    assert.deepEqual(await service.ingest([purchase('e-1', 'u-1'), purchase('e-1', 'u-1'), purchase('e-2', 'u-2')]), [
      { id: 'e-1', status: 'accepted' },
      { id: 'e-1', status: 'duplicate' },
      { id: 'e-2', status: 'accepted' },
    ]);
    service.happened(purchase('e-3', 'u-1', { value: 5 }));
    service.happened(purchase('e-1', 'u-1'));
    const figures = await service.figures('shop');
    assert.deepEqual(figures?.events, [{ event: 'purchase', count: 3, valueSum: 45 }]);
    const all = { 'shop canary purchase': [2, 25], 'shop stable purchase': [1, 20] };
    assert.deepEqual(Object.fromEntries(counters), all);
    await service.close();
    await before.close();
    const next = serviceOn(open().experiments);
    assert.deepEqual(await next.service.ingest([purchase('e-2', 'u-2')]), [{ id: 'e-2', status: 'duplicate' }]);
    assert.deepEqual(Object.fromEntries(next.counters), all, 'counters begin where the store is');
    assert.deepEqual((await next.service.figures('shop'))?.events, figures?.events);
    await next.service.close();
  });
});

const refusals: readonly [why: string, event: Partial<BusinessEvent>, reason: string][] = [
  ['a rollout that is not there', { rollout: 'cart' }, 'there is no rollout "cart"'],
  ['a slip in the rollout', { rollout: 'shpo' }, 'there is no rollout "shpo"; did you mean "shop"?'],
  ['a rollout that counts nothing', { rollout: 'blog' }, 'the rollout "blog" counts no events'],
  ['an event that is not there', { event: 'refund' }, 'the rollout "shop" has no event "refund"'],
  [
    'a slip in the event',
    { event: 'purchases' },
    'the rollout "shop" has no event "purchases"; did you mean "purchase"?',
  ],
  ['a value below nothing', { value: -1 }, 'expected a value from 0 to 1000000000000, got -1'],
  ['a value that is none', { value: Number.NaN }, 'expected a value from 0 to 1000000000000, got NaN'],
  ['a time far ahead', { atMs: T0 + 300_001 }, 'expected a time that is not more than 5 minutes ahead'],
  ['a time that is none', { atMs: Number.NaN }, 'expected a time that is not more than 5 minutes ahead'],
  ['a time long ago', { atMs: T0 - 7 * dayMs }, 'expected a time within the last 7 days'],
];

test('of many different slips in one batch the first ones are looked up, each once', async () => {
  await withStores(async (open) => {
    const { service } = serviceOn(open().experiments);
    const slips = Array.from({ length: 25 }, (_, i) => `purchase${String.fromCharCode(97 + i)}`);
    const events = [...slips, slips[0]!].map((event, i) => purchase(`e-${i}`, 'u', { event }));
    const answers = await service.ingest(events);
    const hinted = answers.map((answer) => answer.status === 'rejected' && answer.reason.endsWith('"purchase"?'));
    assert.deepEqual(hinted, [...Array<boolean>(20).fill(true), ...Array<boolean>(5).fill(false), true]);
    await service.close();
  });
});

test('what cannot be counted is refused with the reason, and the rest of the batch counts', async () => {
  await withStores(async (open) => {
    const { service } = serviceOn(open().experiments);
    const bad = refusals.map(([, event], i) => purchase(`bad-${i}`, 'u', event));
    const answers = await service.ingest([...bad, purchase('good', 'u'), purchase('sign', 'u', { event: 'signup' })]);
    assert.deepEqual(answers, [
      ...refusals.map(([, , reason], i) => ({ id: `bad-${i}`, status: 'rejected', reason })),
      { id: 'good', status: 'accepted' },
      { id: 'sign', status: 'accepted' },
    ]);
    for (const event of bad) service.happened(event);
    assert.deepEqual(
      (await service.figures('shop'))?.events.map(({ count }) => count),
      [1, 1],
    );
    assert.deepEqual(await service.ingest(bad.slice(0, 1)), answers.slice(0, 1));
    await service.close();
  });
});

test('an event from a clock that runs ahead happened when it came', async () => {
  await withStores(async (open) => {
    const { service } = serviceOn(open().experiments);
    service.splitChanged(split);
    service.exposed(exposure('u-1', 'canary'));
    await service.ingest([purchase('e-1', 'u-1', { atMs: T0 + 299_000 })]);
    service.splitChanged({ ...split, percents: [100, 0], atMs: T0 + 1 });
    const revenue = (await service.figures('shop'))?.metrics.find(({ metric }) => metric.name === 'revenue');
    assert.deepEqual(revenue?.nonZero, [0, 1]);
    await service.close();
  });
});

test('figures and forgetting see what was said just before', async () => {
  await withStores(async (open) => {
    const { service } = serviceOn(open().experiments);
    assert.equal(await service.figures('shop'), null);
    service.splitChanged(split);
    service.exposed(exposure('u-1', 'canary'));
    assert.deepEqual((await service.figures('shop', '2'))?.phases[0]?.exposed, [0, 1]);
    assert.equal(await service.figures('shop', '1'), null);
    service.exposed(exposure('u-2', 'canary'));
    assert.equal(await service.forget('u-2', 'blog'), 0);
    assert.equal(await service.forget('u-2'), 1);
    await service.close();
  });
});

test('without an experiment the store is never asked', async () => {
  await withStores(async (open) => {
    const store = open();
    const { service } = serviceOn(store.experiments);
    const { service: idle } = serviceOn(store.experiments);
    await service.close();
    await idle.close();
    const other = new Experiments({
      store: store.experiments,
      nowMs: () => T0,
      counted() {},
      dropped() {},
      troubled() {},
    });
    other.follow({ rollouts: policy.rollouts.slice(1) });
    other.exposed({ ...exposure('u', 'stable'), rollout: 'blog' });
    other.splitChanged({ ...split, rollout: 'blog' });
    await other.close();
    assert.equal(store.experiments.health(), null);
  });
});

test('what is kept of users goes in time when the policy has no experiment any more', async () => {
  await withStores(async (open) => {
    const before = open();
    const { service } = serviceOn(before.experiments);
    service.splitChanged(split);
    service.exposed(exposure('u-1', 'canary'));
    await service.close();
    await before.close();
    const store = open();
    const tended = Promise.withResolvers<void>();
    const keeper: ExperimentKeeper = {
      ...store.experiments,
      async tend(at) {
        const step = await store.experiments.tend(at);
        if (step.isDone) tended.resolve();
        return step;
      },
    };
    const later = { nowMs: () => T0 + 31 * dayMs, counted() {}, dropped() {}, troubled() {} };
    const other = new Experiments({ ...later, store: keeper });
    other.follow({ rollouts: policy.rollouts.slice(1) });
    await tended.promise;
    await other.close();
    assert.equal(await store.experiments.forget({ user: 'u-1', rollout: null }), 0);
  });
});

/** A store that answers as the test says, batch after batch. */
function storeThat(...answers: (Error | 'lost' | 'written')[]) {
  const known = new Set<string>();
  let totalCount = 0;
  const store: ExperimentKeeper = {
    async apply({ entries }) {
      await nextTurn();
      const answer = answers.shift() ?? 'written';
      if (answer instanceof Error) throw answer;
      const outcomes = entries.flatMap((entry) => {
        if (entry.kind !== 'event') return [];
        if (known.has(entry.event.id)) return [null];
        known.add(entry.event.id);
        totalCount += 1;
        return [{ version: null }];
      });
      if (answer === 'lost') throw new GraygateError('store-unavailable', 'the store did not answer');
      return outcomes;
    },
    totals: async () =>
      totalCount === 0
        ? []
        : [{ rollout: 'shop', version: null, event: 'purchase', count: totalCount, valueSum: totalCount * 20 }],
    figures: async () => null,
    forget: async () => 0,
    tend: async () => ({ isDone: true }),
  };
  return store;
}

test('a batch whose answer was lost is counted once, however often it is sent', async () => {
  const { service, counters, troubles } = serviceOn(storeThat('written', 'lost'));
  await service.ingest([purchase('e-1', 'u')]);
  await assert.rejects(service.ingest([purchase('e-2', 'u')]), { code: 'store-unavailable' });
  assert.deepEqual(service.status(), { degraded: 'the store did not answer', waitingCount: 0, droppedCount: 0 });
  assert.deepEqual(await service.ingest([purchase('e-2', 'u'), purchase('e-3', 'u')]), [
    { id: 'e-2', status: 'duplicate' },
    { id: 'e-3', status: 'accepted' },
  ]);
  assert.deepEqual([...counters], [['shop null purchase', [3, 60]]]);
  assert.deepEqual(troubles, ['the store did not answer', null]);
  assert.equal(service.status().degraded, null);
  await service.close();
});

test('traffic waits for a store that is away, and is counted when it is back', async () => {
  const { service, counters } = serviceOn(storeThat(new GraygateError('store-unavailable', 'away')));
  service.happened(purchase('e-1', 'u'));
  await service.figures('shop');
  assert.deepEqual(service.status(), { degraded: 'away', waitingCount: 1, droppedCount: 0 });
  service.happened(purchase('e-2', 'u'));
  await service.figures('shop');
  assert.deepEqual(service.status(), { degraded: null, waitingCount: 0, droppedCount: 0 });
  assert.deepEqual([...counters], [['shop null purchase', [2, 40]]]);
  await service.close();
});
