// What every store must do, whatever it is made of: the same tests for the embedded one and for a distributed one.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import { auditContract, outboxContract, statesContract } from './contract-decisions.ts';
import { experimentsContract } from './contract-experiments.ts';
import { historyContract } from './contract-history.ts';
import { recordsContract } from './contract-records.ts';
import { historySlice, stateChange, T0, type WithStore } from './samples.ts';

/** A place that a store lives in: opening it again finds what the last store left there. */
export type StorePlace = { open(): Store; remove(): Promise<void> };

/** Runs the contract against a store; `makePlace` gives each test a place of its own. */
export function storeContract(name: string, makePlace: () => Promise<StorePlace>): void {
  suite(`${name} keeps the contract of a store`, () => {
    const withStore = storeTests(makePlace);
    statesContract(withStore);
    auditContract(withStore);
    outboxContract(withStore);
    recordsContract(withStore);
    historyContract(withStore);
    experimentsContract(withStore);
    lifeContract(withStore);
  });
}

function storeTests(makePlace: () => Promise<StorePlace>): WithStore {
  return (sentence, body) => {
    test(sentence, async () => {
      const place = await makePlace();
      let store = place.open();
      try {
        await body(store, async () => {
          await store.close();
          store = place.open();
          return store;
        });
      } finally {
        await store.close();
        await place.remove();
      }
    });
  };
}

function lifeContract(withStore: WithStore): void {
  withStore('a store that works says so, and a closed one refuses with a code', async (store) => {
    await store.states.loadAll();
    await store.history.query({ rollout: 'shop', sinceMs: 0, resolution: 'hour' });
    const { ok, reason, droppedHistoryCount, history } = store.status();
    assert.deepEqual(
      { ok, reason, droppedHistoryCount, history: history.ok },
      { ok: true, reason: null, droppedHistoryCount: 0, history: true },
    );
    await store.close();
    await assert.rejects(store.states.loadAll(), { code: 'store-unavailable', status: 503 });
    await assert.rejects(store.states.save(stateChange('shop', 0)), { code: 'store-unavailable' });
  });

  withStore('slices that were just appended are written by a close', async (store, reopen) => {
    await store.history.append([historySlice(T0, 3)]);
    const found = await (await reopen()).history.query({ rollout: 'shop', sinceMs: T0, resolution: 'second' });
    assert.equal(found[0]?.sums['requests'], 3);
  });
}
