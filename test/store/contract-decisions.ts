// The contract of states, audit log and alerts: what is saved together, refused together and found after a restart.

import assert from 'node:assert/strict';
import type { DueAlert, NewAlert } from '../../src/store/state-stores.ts';
import type { Store } from '../../src/store/store.ts';
import { stateChange, T0, type WithStore } from './samples.ts';

/** States of rollouts. */
export function statesContract(withStore: WithStore): void {
  withStore(
    'a state that was saved is found after the store was opened again, with its format',
    async (store, reopen) => {
      assert.deepEqual(await store.states.loadAll(), []);
      const state = {
        format: 7,
        value: { phase: 'baking', percent: 99.01, note: '灰度', nothing: null, list: [1, [2]] },
      };
      assert.deepEqual(await store.states.save(stateChange('shop', 0, { state })), { revision: 1 });
      const again = await reopen();
      assert.deepEqual(await again.states.loadAll(), [{ rollout: 'shop', revision: 1, savedMs: T0, state }]);
    },
  );

  withStore('each rollout has its own state and revision', async (store) => {
    await store.states.save(stateChange('b', 0));
    await store.states.save(stateChange('a', 0));
    await store.states.save(stateChange('b', 1));
    const found = await store.states.loadAll();
    assert.deepEqual(
      new Map(found.map(({ rollout, revision }) => [rollout, revision])),
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    );
  });

  withStore('a writer whose revision is stale is refused and changes nothing', async (store) => {
    await store.states.save(stateChange('shop', 0, { entries: [{ format: 1, value: 'first' }] }));
    const late = {
      state: { format: 1, value: 'late' },
      entries: [{ format: 1, value: 'late' }],
      alerts: [{ id: 'late', queue: 'shop', alert: { format: 1, value: 'late' } }],
    };
    for (const revision of [0, 2]) {
      await assert.rejects(store.states.save(stateChange('shop', revision, late)), {
        code: 'store-conflict',
        status: 409,
      });
    }
    const [saved] = await store.states.loadAll();
    assert.equal(saved?.revision, 1);
    assert.deepEqual(saved.state.value, { phase: 'progressing', from: 0 });
    assert.equal((await store.audit.query({ rollout: 'shop', sinceMs: 0, limit: 9 })).length, 1);
    assert.deepEqual(await store.outbox.take({ nowMs: T0, leaseMs: 1, limit: 9 }), []);
  });

  withStore('of many writers that start from the same revision exactly one wins', async (store) => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 20 }, () => store.states.save(stateChange('shop', 0))),
    );
    assert.equal(attempts.filter(({ status }) => status === 'fulfilled').length, 1);
  });
}

/** The audit log. */
export function auditContract(withStore: WithStore): void {
  withStore(
    'the audit log has the entries of each save, with its time and revision, after a restart too',
    async (store, reopen) => {
      await store.states.save(
        stateChange('shop', 0, {
          entries: [
            { format: 2, value: { who: 'ops' } },
            { format: 2, value: 'b' },
          ],
        }),
      );
      await store.states.save(stateChange('other', 0, { entries: [{ format: 2, value: 'not asked for' }] }));
      await store.states.save(stateChange('shop', 1, { atMs: T0 + 5, entries: [{ format: 2, value: 'c' }] }));
      const found = await (await reopen()).audit.query({ rollout: 'shop', sinceMs: 0, limit: 9 });
      assert.deepEqual(
        found.map(({ rollout, atMs, revision, entry }) => ({ rollout, atMs, revision, entry })),
        [
          { rollout: 'shop', atMs: T0, revision: 1, entry: { format: 2, value: { who: 'ops' } } },
          { rollout: 'shop', atMs: T0, revision: 1, entry: { format: 2, value: 'b' } },
          { rollout: 'shop', atMs: T0 + 5, revision: 2, entry: { format: 2, value: 'c' } },
        ],
      );
      assert.ok(found[0]!.id < found[1]!.id && found[1]!.id < found[2]!.id);
    },
  );

  withStore('the audit log gives the newest entries since a time and pages back from an entry', async (store) => {
    for (let n = 0; n < 10; n += 1) {
      await store.states.save(stateChange('shop', n, { atMs: T0 + n, entries: [{ format: 1, value: n }] }));
    }
    const query = async (limit: number, beforeId?: number) =>
      store.audit.query({ rollout: 'shop', sinceMs: T0 + 2, limit, ...(beforeId === undefined ? {} : { beforeId }) });
    const newest = await query(3);
    assert.deepEqual(
      newest.map(({ entry }) => entry.value),
      [7, 8, 9],
    );
    const before = await query(99, newest[0]!.id);
    assert.deepEqual(
      before.map(({ entry }) => entry.value),
      [2, 3, 4, 5, 6],
    );
  });
}

/** Alerts to be sent. */
export function outboxContract(withStore: WithStore): void {
  withStore('an alert waits through a restart until it is delivered, and then is gone', async (store, reopen) => {
    await store.states.save(stateChange('shop', 0, { alerts: [alert('a'), alert('b')] }));
    const again = await reopen();
    assert.deepEqual(await again.outbox.take({ nowMs: T0, leaseMs: 1_000, limit: 9 }), [
      { id: 'a', rollout: 'shop', createdMs: T0, attempt: 1, alert: { format: 1, value: { text: 'a' } } },
      { id: 'b', rollout: 'shop', createdMs: T0, attempt: 1, alert: { format: 1, value: { text: 'b' } } },
    ]);
    await again.outbox.delivered('a');
    const left = await again.outbox.take({ nowMs: T0 + 1_000_000, leaseMs: 1, limit: 9 });
    assert.deepEqual(idsOf(left), ['b']);
  });

  withStore(
    "an alert that was taken is nobody else's until the lease is over; then it is due again",
    async (store, reopen) => {
      await store.states.save(stateChange('shop', 0, { alerts: [alert('a')] }));
      assert.deepEqual(await takeAt(store, T0 - 1), []);
      assert.equal((await takeAt(store, T0))[0]?.attempt, 1);
      const again = await reopen();
      assert.deepEqual(await takeAt(again, T0 + 999), []);
      assert.equal((await takeAt(again, T0 + 1_000))[0]?.attempt, 2);
    },
  );

  withStore('an alert that failed is due at its next attempt, and one that was given up never', async (store) => {
    await store.states.save(stateChange('shop', 0, { alerts: [alert('a'), alert('b')] }));
    await store.outbox.take({ nowMs: T0, leaseMs: 1_000, limit: 9 });
    await store.outbox.failed({ id: 'a', nextAttemptMs: T0 + 60_000, stepsAside: false });
    await store.outbox.failed({ id: 'b', nextAttemptMs: null, stepsAside: false });
    assert.deepEqual(await store.outbox.take({ nowMs: T0 + 59_999, leaseMs: 1, limit: 9 }), []);
    const due = await store.outbox.take({ nowMs: T0 + 60_000, leaseMs: 1, limit: 9 });
    assert.deepEqual(
      due.map(({ id, attempt }) => [id, attempt]),
      [['a', 2]],
    );
  });

  withStore(
    'a second alert with an id that waits is ignored, and alerts are taken oldest first up to the limit',
    async (store) => {
      await store.states.save(stateChange('shop', 0, { alerts: [alert('z'), alert('y')] }));
      await store.states.save(stateChange('shop', 1, { alerts: [alert('y'), alert('x')] }));
      const take = async () => (await store.outbox.take({ nowMs: T0, leaseMs: 1_000, limit: 2 })).map(({ id }) => id);
      assert.deepEqual([await take(), await take()], [['z', 'y'], ['x']]);
      await store.states.save(stateChange('shop', 2, { atMs: T0 - 1, alerts: [alert('y')] }));
      assert.deepEqual(await take(), []);
    },
  );

  withStore('nothing is given before an earlier alert of its queue is gone, whatever is due', async (store, reopen) => {
    const alerts = [alert('a1', 'a'), alert('a2', 'a'), alert('b1', 'b'), alert('a3', 'a')];
    await store.states.save(stateChange('shop', 0, { alerts }));
    assert.deepEqual(idsOf(await takeAt(store, T0)), ['a1', 'b1']);
    assert.deepEqual(await takeAt(store, T0 + 1), [], 'the first is on its way');
    await store.outbox.failed({ id: 'a1', nextAttemptMs: T0 + 60_000, stepsAside: false });
    const again = await reopen();
    assert.deepEqual(idsOf(await takeAt(again, T0 + 59_999)), ['b1']);
    assert.deepEqual(idsOf(await takeAt(again, T0 + 60_000)), ['a1']);
    await again.outbox.delivered('a1');
    assert.deepEqual(idsOf(await takeAt(again, T0 + 60_000)), ['a2']);
    await again.outbox.failed({ id: 'a2', nextAttemptMs: null, stepsAside: false });
    assert.deepEqual(idsOf(await takeAt(again, T0 + 60_000)), ['a3']);
  });

  withStore('an alert that stepped aside keeps its turns, and the next of its queue need not wait', async (store) => {
    await store.states.save(stateChange('shop', 0, { alerts: ['a1', 'a2', 'a3'].map((id) => alert(id, 'a')) }));
    await takeAt(store, T0);
    await store.outbox.failed({ id: 'a1', nextAttemptMs: T0 + 10, stepsAside: true });
    assert.deepEqual(idsOf(await takeAt(store, T0 + 10)), ['a1', 'a2']);
    await store.outbox.delivered('a2');
    assert.deepEqual(idsOf(await takeAt(store, T0 + 10)), ['a3']);
    await store.outbox.failed({ id: 'a3', nextAttemptMs: T0 + 30, stepsAside: false });
    await store.outbox.failed({ id: 'a1', nextAttemptMs: T0 + 60, stepsAside: false });
    assert.deepEqual(await takeAt(store, T0 + 59), [], 'it does not step aside any more');
    assert.deepEqual(idsOf(await takeAt(store, T0 + 60)), ['a1']);
  });
}

function idsOf(taken: readonly DueAlert<unknown>[]): string[] {
  return taken.map(({ id }) => id);
}

/** An alert, in a queue of its own unless one is named. */
function alert(id: string, queue = `queue of ${id}`): NewAlert<unknown> {
  return { id, queue, alert: { format: 1, value: { text: id } } };
}

async function takeAt(store: Store, nowMs: number): Promise<readonly DueAlert<unknown>[]> {
  return store.outbox.take({ nowMs, leaseMs: 1_000, limit: 9 });
}
