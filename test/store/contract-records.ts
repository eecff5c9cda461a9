// The contract of the small records: policies in force, links used once, answers kept, named values.

import assert from 'node:assert/strict';
import type { Store } from '../../src/store/store.ts';
import type { Document } from '../../src/store/stored-document.ts';
import { T0, type WithStore } from './samples.ts';

const HOUR_MS = 3_600_000;

/** All of them. */
export function recordsContract(withStore: WithStore): void {
  withStore('a policy is listed when it comes into force, not when it stays in force', async (store, reopen) => {
    for (const [fingerprint, atMs] of [
      ['a', 1],
      ['a', 2],
      ['b', 3],
      ['a', 4],
    ] as const) {
      await store.policies.append({ fingerprint, atMs, text: `text of ${fingerprint}` });
    }
    const again = await reopen();
    await again.policies.append({ fingerprint: 'a', atMs: 5, text: 'text of a' });
    assert.deepEqual(await again.policies.list({ limit: 2 }), [
      { fingerprint: 'a', atMs: 4 },
      { fingerprint: 'b', atMs: 3 },
    ]);
    assert.equal((await again.policies.list({ limit: 9 })).length, 3);
    assert.equal(await again.policies.text('b'), 'text of b');
    assert.equal(await again.policies.text('never seen'), null);
  });

  withStore('a token is consumed once, also by many at a time and after a restart', async (store, reopen) => {
    const token = { id: 'link-1', nowMs: T0, expiresMs: T0 + HOUR_MS };
    const answers = await Promise.all(Array.from({ length: 10 }, async () => store.tokens.consume(token)));
    assert.deepEqual(answers.filter(Boolean), [true]);
    const again = await reopen();
    assert.equal(await again.tokens.consume({ ...token, nowMs: T0 + HOUR_MS - 1 }), false);
    assert.equal(await again.tokens.consume({ ...token, id: 'link-2' }), true);
  });

  withStore("a token that has expired is nobody's, and its id is forgotten", async (store) => {
    const token = { id: 'link-1', nowMs: T0, expiresMs: T0 + HOUR_MS };
    assert.equal(await store.tokens.consume({ ...token, nowMs: T0 + HOUR_MS }), false);
    assert.equal(await store.tokens.consume(token), true);
    assert.equal(await store.tokens.consume({ ...token, nowMs: T0 + HOUR_MS }), false);
    assert.equal(await store.tokens.consume({ id: 'link-1', nowMs: T0 + HOUR_MS, expiresMs: T0 + 2 * HOUR_MS }), true);
  });

  withStore('the first answer kept for a key is the one in force until it expires', async (store, reopen) => {
    const key = { key: 'k', nowMs: T0 };
    assert.equal(await store.responses.find(key), null);
    assert.deepEqual(await keep(store, 'first', T0), { format: 1, value: 'first' });
    assert.deepEqual(await keep(store, 'second', T0 + 1), { format: 1, value: 'first' });
    const again = await reopen();
    assert.deepEqual(await again.responses.find({ key: 'k', nowMs: T0 + 99 }), { format: 1, value: 'first' });
    assert.equal(await again.responses.find({ key: 'k', nowMs: T0 + 100 }), null);
    assert.deepEqual(await keep(again, 'third', T0 + 100), { format: 1, value: 'third' });
    assert.deepEqual(await again.responses.find({ key: 'k', nowMs: T0 + 199 }), { format: 1, value: 'third' });
  });

  withStore('a named value is what was put last, until it is removed', async (store, reopen) => {
    assert.equal(await store.values.get('risk-set'), null);
    await store.values.put('risk-set', { format: 1, value: ['u-1'] });
    await store.values.put('risk-set', { format: 2, value: ['u-1', '用户'] });
    const again = await reopen();
    assert.deepEqual(await again.values.get('risk-set'), { format: 2, value: ['u-1', '用户'] });
    await again.values.remove('risk-set');
    assert.equal(await again.values.get('risk-set'), null);
  });

  withStore(
    'of a named value that is put as the first one the first stays, also after a restart',
    async (store, reopen) => {
      const offered = Array.from({ length: 10 }, (_, value) => ({ format: 1, value }));
      const kept = await Promise.all(offered.map((document) => store.values.putFirst('key', document)));
      for (const each of kept) assert.deepEqual(each, offered[0]);
      const again = await reopen();
      assert.deepEqual(await again.values.putFirst('key', { format: 2, value: 'late' }), offered[0]);
      assert.deepEqual(await again.values.get('key'), offered[0]);
    },
  );
}

async function keep(store: Store, value: string, nowMs: number): Promise<Document> {
  return store.responses.remember({ key: 'k', response: { format: 1, value }, nowMs, expiresMs: nowMs + 100 });
}
