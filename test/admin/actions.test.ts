// Moving a rollout over HTTP: what is done, what is refused and how, and that twice is once.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { actionKinds } from '../../src/rollout/rollout-event.ts';
import { comparison, measuredAt } from '../support/rollout-machine.ts';
import { type AdminPort, openAdminPort } from './admin-port.ts';
import { bearer, operatorToken, threeTokens } from './fake-parts.ts';

const withTag = (tag: string) => ({ headers: { 'if-match': tag } });
const keyed = (key: string, more: Record<string, string> = {}) => ({ headers: { 'idempotency-key': key, ...more } });

suite('an action', () => {
  test('is done and answered with the rollout as it is then, its revision as the ETag', async () => {
    const { act, rooms } = await openAdminPort();
    const reply = await act('pause', { json: { reason: '  lunch  ' } });
    assert.equal(reply.status, 200);
    assert.equal((reply.json()['state'] as { phase: string }).phase, 'paused');
    assert.equal(reply.header('etag'), `"${rooms.state?.revision}"`);
    assert.deepEqual(rooms.acted, ['pause by loopback: lunch']);
  });

  test('that the phase does not allow is 409 with what the phase is', async () => {
    const { act } = await openAdminPort();
    const reply = await act('resume');
    assert.deepEqual([reply.status, reply.json()['code']], [409, 'phase-conflict']);
    assert.match(String(reply.json()['detail']), /the rollout is progressing, and this needs paused/);
  });

  test('that the evidence forbids is 409 with the evidence', async () => {
    const { act, rooms } = await openAdminPort();
    rooms.measured = measuredAt(0, { verdicts: [comparison('fail')] });
    const reply = await act('promote');
    assert.deepEqual([reply.status, reply.json()['code']], [409, 'blocked-by-evidence']);
    assert.match(String(reply.json()['detail']), /error-rate says fail/);
  });

  test('that cannot be saved is 503 and changes nothing', async () => {
    const { act, rooms } = await openAdminPort();
    rooms.isStoreWell = false;
    const reply = await act('advance');
    assert.deepEqual([reply.status, reply.json()['code']], [503, 'store-unavailable']);
    assert.equal(reply.header('retry-after'), '1');
    assert.equal(rooms.state?.phase, 'progressing');
  });

  test('is 503 while nobody knows where the rollouts stand', async () => {
    const { act, rooms } = await openAdminPort();
    rooms.isKnown = false;
    assert.equal((await act('pause')).status, 503);
  });

  test('on a rollout that there is not, or that there is no such action, is 404', async () => {
    const { ask, act } = await openAdminPort();
    const json = { reason: 'because' };
    const nobody = await ask('/api/v1/rollouts/nobody/pause', { method: 'POST', json });
    assert.deepEqual([nobody.status, nobody.json()['code']], [404, 'unknown-rollout']);
    const explode = await act('explode');
    assert.deepEqual([explode.status, explode.json()['code']], [404, 'not-found']);
    assert.match(String(explode.json()['detail']), new RegExp(actionKinds.join(', ')));
  });

  test('that fails inside is 500, logged, and tells nothing of the inside', async () => {
    const { act, rooms } = await openAdminPort();
    rooms.beforeAct = () => Promise.reject(new Error('secret inside'));
    const reply = await act('pause');
    assert.deepEqual([reply.status, reply.json()['code']], [500, 'internal']);
    assert.equal(reply.body.includes('secret inside'), false);
    assert.equal(rooms.failures.length, 1);
  });
});

suite('a body', () => {
  const bad: Record<string, string> = {
    'no reason': '{}',
    'an empty reason': '{"reason":"  "}',
    'a reason that is too long': JSON.stringify({ reason: 'a'.repeat(501) }),
    'a reason of two lines': JSON.stringify({ reason: 'a\nb' }),
    'a reason that is no text': '{"reason":7}',
    'half a character': '{"reason":"\\ud800"}',
    'another key': '{"reason":"x","force":true}',
    'a list': '[]',
    null: 'null',
    'half JSON': '{"reason":',
    nothing: '',
    'a key that means something to JavaScript': '{"reason":"x","__proto__":{"a":1}}',
  };
  for (const [what, body] of Object.entries(bad)) {
    test(`that is ${what} is 400`, async () => {
      const { act, rooms } = await openAdminPort();
      const reply = await act('pause', { body, headers: { 'content-type': 'application/json' }, json: undefined });
      assert.deepEqual([reply.status, reply.json()['code']], [400, 'invalid-input']);
      assert.deepEqual(rooms.acted, []);
    });
  }

  test('says which part of it is wrong', async () => {
    const { act } = await openAdminPort();
    const reply = await act('pause', { json: { reason: 7 } });
    assert.match(String(reply.json()['detail']), /^body: reason: invalid input: expected string, received number/);
  });

  test('of more than 64 KiB is 413', async () => {
    const { act } = await openAdminPort();
    const reply = await act('pause', { json: { reason: 'a'.repeat(65_536) } });
    assert.deepEqual([reply.status, reply.json()['code']], [413, 'body-too-large']);
  });

  test('with a reason of 500 characters of any language is taken', async () => {
    const { act, rooms } = await openAdminPort();
    assert.equal((await act('pause', { json: { reason: '慢'.repeat(500) } })).status, 200);
    assert.equal(rooms.entries.at(-1)?.note, '慢'.repeat(500));
  });
});

suite('If-Match', () => {
  test('with the revision that is in force acts, in a list too', async () => {
    const { act } = await openAdminPort();
    assert.equal((await act('pause', withTag('"1"'))).status, 200);
    assert.equal((await act('resume', withTag('"1", "2"'))).status, 200);
    assert.equal((await act('pause', withTag('*'))).status, 200);
  });

  for (const tag of ['"7"', 'W/"1"', '"one"', '""', '"01x"']) {
    test(`${tag} is 412 and does nothing`, async () => {
      const { act, rooms } = await openAdminPort();
      const reply = await act('rollback', withTag(tag));
      assert.deepEqual([reply.status, reply.json()['code']], [412, 'stale-revision']);
      assert.match(String(reply.json()['detail']), /at revision 1 now/);
      assert.deepEqual(rooms.acted, []);
    });
  }

  test('that is no entity tag is 400', async () => {
    const { act } = await openAdminPort();
    assert.equal((await act('pause', withTag('1'))).status, 400);
  });

  test('of two operators on the same screen one acts', async () => {
    const { act, rooms } = await openAdminPort();
    const replies = await Promise.all([act('advance', withTag('"1"')), act('advance', withTag('"1"'))]);
    assert.deepEqual(
      replies.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 412],
    );
    assert.equal(rooms.acted.length, 1);
  });
});

suite('Idempotency-Key', () => {
  test('the same request again gets the same answer and does nothing', async () => {
    const { act, rooms } = await openAdminPort();
    const first = await act('advance', keyed('k1'));
    const second = await act('advance', keyed('k1'));
    assert.deepEqual([second.status, second.body, second.header('etag')], [200, first.body, first.header('etag')]);
    assert.deepEqual(
      [first.header('idempotency-replayed'), second.header('idempotency-replayed')],
      [undefined, 'true'],
    );
    assert.equal(rooms.acted.length, 1);
  });

  test('two at the same time are one', async () => {
    const { act, rooms } = await openAdminPort();
    const statuses = (await Promise.all([act('advance', keyed('k1')), act('advance', keyed('k1'))])).map(
      ({ status }) => status,
    );
    assert.deepEqual([statuses, rooms.acted.length], [[200, 200], 1]);
  });

  test('a refusal is given again too, although it would be done now', async () => {
    const { act, rooms } = await openAdminPort();
    assert.equal((await act('resume', keyed('k1'))).status, 409);
    assert.equal((await act('pause')).status, 200);
    assert.equal((await act('resume', keyed('k1'))).status, 409);
    assert.equal(rooms.state?.phase, 'paused');
  });

  test('for another request is 422: another action, reason or revision', async () => {
    const { act, rooms } = await openAdminPort();
    await act('pause', keyed('k1'));
    const others = [
      await act('rollback', keyed('k1')),
      await act('pause', { ...keyed('k1'), json: { reason: 'another' } }),
      await act('pause', keyed('k1', { 'if-match': '"1"' })),
    ];
    for (const reply of others) assert.deepEqual([reply.status, reply.json()['code']], [422, 'key-reused']);
    assert.equal(rooms.acted.length, 1);
  });

  test('of two people are two keys', async () => {
    const admin = await openAdminPort();
    admin.rooms.tokens = [...threeTokens, { name: 'other', role: 'operator', token: 'of-the-other-operator' }];
    await admin.act('pause', keyed('k1', { authorization: bearer(operatorToken) }));
    const other = await admin.act('rollback', keyed('k1', { authorization: 'Bearer of-the-other-operator' }));
    assert.equal(other.status, 200);
  });

  test('an answer that says "try again" is not kept', async () => {
    const { act, rooms } = await openAdminPort();
    rooms.isStoreWell = false;
    assert.equal((await act('advance', keyed('k1'))).status, 503);
    rooms.isStoreWell = true;
    assert.equal((await act('advance', keyed('k1'))).status, 200);
  });

  test('a rollback is done although the store is out of order', async () => {
    const { act, rooms } = await openAdminPort();
    rooms.isStoreWell = false;
    assert.equal((await act('rollback', keyed('k1'))).status, 200);
    assert.equal(rooms.state?.phase, 'rolled-back');
  });

  test('outlives the gateway, because the store has it, and holds no request in the clear', async () => {
    const [first, second] = [await openAdminPort(), await openAdminPort()];
    const done = await first.act('advance', keyed('k1'));
    for (const [key, kept] of first.rooms.responses) second.rooms.responses.set(key, kept);
    const again = await second.act('advance', keyed('k1'));
    assert.deepEqual([again.body, second.rooms.acted], [done.body, []]);
    assert.equal(
      [...first.rooms.responses.keys()].some((key) => key.includes('k1')),
      false,
    );
  });

  for (const key of ['', 'a'.repeat(256), 'ключ']) {
    test(`"${key.slice(0, 8)}" is not a key`, async () => {
      const { act, rooms } = await openAdminPort();
      const headers = { 'idempotency-key': Buffer.from(key, 'utf8').toString('latin1') };
      assert.equal((await act('pause', { headers })).status, 400);
      assert.deepEqual(rooms.acted, []);
    });
  }
});

test('every action has its way in', async () => {
  const ways: Record<string, (admin: AdminPort) => Promise<unknown>> = {
    resume: (admin) => admin.act('pause'),
    'step-back': (admin) => admin.act('advance'),
    retry: (admin) => admin.act('rollback'),
    approve: async ({ act, rooms }) => {
      await act('advance');
      rooms.state = { ...rooms.state!, phase: 'waiting' } as typeof rooms.state;
    },
  };
  for (const action of actionKinds) {
    const admin = await openAdminPort();
    await ways[action]?.(admin);
    assert.equal((await admin.act(action)).status, 200, action);
  }
});
