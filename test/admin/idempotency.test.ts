import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { KeptAnswer } from '../../src/admin/admin-parts.ts';
import { type Answer, IdempotentActions } from '../../src/admin/idempotency.ts';
import { GraygateError } from '../../src/errors.ts';
import { createGate } from '../support/eventually.ts';

const request = { by: 'ops', key: 'k1', parts: ['shop', 'advance'], evenWithoutStore: false };
const done: Answer = { status: 200, headers: { etag: '"2"' }, body: '{}' };

function openMemory() {
  const kept = new Map<string, KeptAnswer>();
  const keptUntil: number[] = [];
  const actions = new IdempotentActions({
    find: async ({ key }) => kept.get(key) ?? null,
    remember: async ({ key, response, nowMs, expiresMs }) => {
      keptUntil.push(expiresMs - nowMs);
      kept.set(key, response);
      return response;
    },
  });
  return { actions, kept, keptUntil };
}

suite('a request with a key', () => {
  test('that comes while the first is being done waits for its answer', async () => {
    const { actions } = openMemory();
    const gate = createGate();
    let count = 0;
    const act = async (): Promise<Answer> => {
      count += 1;
      await gate.opened;
      return done;
    };
    const both = [actions.once(request, act), actions.once(request, act)];
    gate.open();
    const answers = await Promise.all(both);
    assert.deepEqual([answers.map(({ replayed }) => replayed), count], [[false, true], 1]);
  });

  test('that differs is refused while the first is being done', async () => {
    const { actions } = openMemory();
    const first = actions.once(request, async () => done);
    const other = actions.once({ ...request, parts: ['shop', 'rollback'] }, async () => done);
    await assert.rejects(other, (error: GraygateError) => error.code === 'key-reused');
    assert.equal((await first).status, 200);
  });

  test('whose first try fails hears of it, and the next one is done', async () => {
    const { actions } = openMemory();
    const broken = new Error('broken');
    const both = [actions.once(request, () => Promise.reject(broken)), actions.once(request, async () => done)];
    assert.deepEqual(await Promise.allSettled(both), [
      { status: 'rejected', reason: broken },
      { status: 'rejected', reason: broken },
    ]);
    assert.deepEqual(await actions.once(request, async () => done), { ...done, replayed: false });
  });

  test('is done again after an answer that says "try again"', async () => {
    const { actions, kept } = openMemory();
    assert.equal((await actions.once(request, async () => ({ ...done, status: 503 }))).status, 503);
    assert.equal(kept.size, 0);
    assert.equal((await actions.once(request, async () => done)).status, 200);
  });

  test('is remembered for a day', async () => {
    const { actions, keptUntil } = openMemory();
    await actions.once(request, async () => done);
    assert.deepEqual(keptUntil, [86_400_000]);
  });

  test('is answered although the answer cannot be kept: it is done by now', async () => {
    const actions = new IdempotentActions({
      find: async () => null,
      remember: () => Promise.reject(new GraygateError('store-unavailable')),
    });
    assert.equal((await actions.once(request, async () => done)).status, 200);
  });

  test('is not done while nobody can say whether it was, unless it makes things safe', async () => {
    const sick = new IdempotentActions({
      find: () => Promise.reject(new GraygateError('store-unavailable')),
      remember: () => Promise.reject(new GraygateError('store-unavailable')),
    });
    await assert.rejects(
      sick.once(request, async () => done),
      (error: GraygateError) => error.code === 'store-unavailable',
    );
    assert.equal((await sick.once({ ...request, evenWithoutStore: true }, async () => done)).status, 200);
  });
});
