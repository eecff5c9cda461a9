// Entries on their way to a store that is quick, slow, away or at odds with them.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EntryQueue } from '../../src/controller/entry-queue.ts';
import { GraygateError } from '../../src/errors.ts';
import type { EventOutcome, ExperimentEntry } from '../../src/rollout/experiment/entries.ts';

const event = (id: string): ExperimentEntry => ({
  kind: 'event',
  event: { id, rollout: 'shop', user: 'u', event: 'purchase', value: 1, atMs: 0 },
});
const split: ExperimentEntry = {
  kind: 'split',
  change: { rollout: 'shop', release: '2', percents: [50, 50], atMs: 0 },
};
const away = new GraygateError('store-unavailable', 'the disk is full');

/** Lets everything that is due happen. */
async function turn(): Promise<void> {
  for (let i = 0; i < 4; i += 1) await nextTurn();
}

/** A queue whose store the test plays: `answer` settles the write that is under way. */
function queueUnderTest() {
  const writes: string[][] = [];
  const failures: (string | null)[] = [];
  const lost = { count: 0 };
  let settle: { resolve(outcomes: readonly EventOutcome[]): void; reject(error: unknown): void } | null = null;
  const queue = new EntryQueue({
    write: async (entries) => {
      writes.push(entries.map((entry) => (entry.kind === 'event' ? entry.event.id : entry.kind)));
      const { promise, ...settling } = Promise.withResolvers<readonly EventOutcome[]>();
      settle = settling;
      return promise;
    },
    wrote: (failure) => failures.push(failure),
    dropped: (count) => (lost.count += count),
  });
  return {
    queue,
    writes,
    failures,
    lost,
    answer: async (outcome: readonly EventOutcome[] | Error) => {
      await turn();
      if (outcome instanceof Error) settle!.reject(outcome);
      else settle!.resolve(outcome);
      await turn();
    },
  };
}

function withTimers(body: () => Promise<void>) {
  return async (): Promise<void> => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      await body();
    } finally {
      mock.timers.reset();
    }
  };
}

test(
  'what traffic says gathers for a tenth of a second and is written in its order',
  withTimers(async () => {
    const { queue, writes, answer } = queueUnderTest();
    queue.add(event('a'));
    queue.add(split);
    queue.add(event('b'));
    mock.timers.tick(99);
    await turn();
    assert.deepEqual(writes, []);
    mock.timers.tick(1);
    await answer([null, null]);
    assert.deepEqual(writes, [['a', 'split', 'b']]);
    assert.equal(queue.waitingCount, 0);
  }),
);

test('who waits gets the outcomes of the own events, and what waited before is written first', async () => {
  const { queue, writes, answer } = queueUnderTest();
  queue.add(event('t'));
  const one = queue.write([event('a'), split, event('b')]);
  const two = queue.write([event('c')]);
  await answer([null, { version: 'canary' }, null, { version: null }]);
  assert.deepEqual(writes, [['t', 'a', 'split', 'b', 'c']], 'requests that come together are written together');
  assert.deepEqual(await one, [{ version: 'canary' }, null]);
  assert.deepEqual(await two, [{ version: null }]);
});

test('what comes while a write is under way is written after it, together', async () => {
  const { queue, writes, answer } = queueUnderTest();
  const all = [queue.write([event('a')])];
  await answer([]);
  all.push(queue.write([event('b')]));
  await turn();
  all.push(queue.write([event('c')]), queue.write([event('d')]));
  await answer([null]);
  await answer([null, null]);
  await Promise.all(all);
  assert.deepEqual(writes, [['a'], ['b'], ['c', 'd']]);
});

test(
  'while the store is away who waits is told, and what traffic said is tried again in its order',
  withTimers(async () => {
    const { queue, writes, failures, answer } = queueUnderTest();
    queue.add(event('t1'));
    const refused = assert.rejects(queue.write([event('a')]), away);
    await answer(away);
    await refused;
    queue.add(event('t2'));
    assert.deepEqual([queue.waitingCount, queue.droppedCount], [2, 0]);
    mock.timers.tick(1_000);
    await answer([null, null]);
    assert.deepEqual(writes, [
      ['t1', 'a'],
      ['t1', 't2'],
    ]);
    assert.deepEqual(failures, ['the disk is full', null]);
  }),
);

test('what the store is at odds with is dropped and counted, lest it come back for ever, and the rest is written', async () => {
  const { queue, writes, answer } = queueUnderTest();
  queue.add(event('t1'));
  const flushed = queue.flush();
  await turn();
  const next = queue.write([event('a')]);
  await answer(new GraygateError('internal', 'a mistake'));
  await answer([null]);
  await flushed;
  assert.deepEqual(await next, [null]);
  assert.deepEqual([writes, queue.waitingCount, queue.droppedCount], [[['t1'], ['a']], 0, 1]);
});

test('who wants to see what traffic said waits for that, and not for what others send', async () => {
  const { queue, writes, answer } = queueUnderTest();
  await queue.written();
  const first = queue.write([event('a')]);
  await turn();
  queue.add(event('t'));
  const many = Array.from({ length: 3 }, async () => queue.write(Array.from({ length: 900 }, () => event('b'))));
  const written = queue.written();
  await answer([null]);
  await first;
  await answer(Array.from({ length: 901 }, () => null));
  await written;
  assert.deepEqual(
    writes.map((ids) => [ids[0], ids.length]),
    [
      ['a', 1],
      ['t', 901],
      ['b', 900],
    ],
  );
  await answer(Array.from({ length: 900 }, () => null));
  await answer(Array.from({ length: 900 }, () => null));
  await Promise.all(many);
  queue.add(event('t'));
  const failed = queue.written();
  await answer(away);
  await failed;
});

test('traffic leaves half of a transaction to those who wait', async () => {
  const { queue, writes, answer } = queueUnderTest();
  for (let i = 0; i < 2_000; i += 1) queue.add(event('t'));
  const all = Promise.all(
    Array.from({ length: 2 }, async () => queue.write(Array.from({ length: 400 }, () => event('a')))),
  );
  await answer(Array.from({ length: 900 }, () => null));
  await answer(Array.from({ length: 1_000 }, () => null));
  await all;
  assert.deepEqual(
    writes.slice(0, 2).map((ids) => ids.filter((id) => id === 't').length),
    [500, 600],
  );
});

test('everyone who waits hears at once that the store is away', async () => {
  const { queue, answer } = queueUnderTest();
  const first = assert.rejects(queue.write([event('a')]), away);
  await turn();
  const behind = assert.rejects(queue.write([event('b')]), away);
  await answer(away);
  await Promise.all([first, behind]);
  assert.equal(queue.waitingCount, 0);
});

test('traffic that finds no more room is dropped and counted; a change of the split is not', async () => {
  const { queue, lost } = queueUnderTest();
  for (let i = 0; i < 50_010; i += 1) queue.add(event('t'));
  queue.add(split, false);
  assert.deepEqual([queue.waitingCount, queue.droppedCount], [50_001, 10]);
  queue.stop();
  assert.deepEqual([queue.waitingCount, queue.droppedCount, lost.count], [0, 50_011, 50_011]);
});

test('who sends events faster than they can be written is refused, and nothing of it is kept', async () => {
  const { queue, answer } = queueUnderTest();
  const batch = Array.from({ length: 1_000 }, () => event('e'));
  const taken = Array.from({ length: 50 }, async () => queue.write(batch));
  await assert.rejects(queue.write([event('e')]), { code: 'events-overload', status: 429 });
  assert.equal(queue.waitingCount, 50_000);
  for (let i = 0; i < 50; i += 1) await answer(Array.from({ length: 1_000 }, () => null));
  assert.equal((await Promise.all(taken)).length, 50);
  const again = queue.write([event('e')]);
  await answer([null]);
  assert.deepEqual(await again, [null]);
});

test('a queue that stops refuses those who wait', async () => {
  const { queue } = queueUnderTest();
  const first = queue.write([event('a')]);
  await turn();
  const second = queue.write([event('b')]);
  queue.stop();
  await assert.rejects(second, { code: 'store-unavailable' });
  void first;
});
