// What servers say that users did, over HTTP: each event by itself, within bounds, and by whom it may be said; and forgetting a user.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { EventsAnswer } from '../../src/admin/contract-events.ts';
import type { Reply } from '../support/http-client.ts';
import { figures } from '../rollout/experiment-report/experiments.ts';
import { type AdminPort, type Asking, openAdminPort } from './admin-port.ts';
import { bearer, ingestToken, operatorToken, threeTokens } from './fake-parts.ts';

const good = { id: 'e-1', rollout: 'shop', user: 'u-1', event: 'purchase', value: 59.9 };
const dayMs = 86_400_000;

function post({ ask }: AdminPort, events: unknown, asking: Asking = {}): Promise<Reply> {
  return ask('/api/v1/events', { method: 'POST', json: events, ...asking });
}

async function answerTo(admin: AdminPort, events: unknown): Promise<EventsAnswer> {
  const reply = await post(admin, events);
  assert.equal(reply.status, 200, reply.body);
  return reply.json() as unknown as EventsAnswer;
}

suite('events from servers', () => {
  test('are accepted once each, and the same batch again is known', async () => {
    const admin = await openAdminPort();
    const batch = [good, { ...good, id: 'e-2', user: 'u-2' }];
    assert.deepEqual(await answerTo(admin, batch), { accepted: 2, duplicates: 0, rejected: [] });
    assert.deepEqual(await answerTo(admin, batch), { accepted: 0, duplicates: 2, rejected: [] });
    assert.deepEqual(
      admin.rooms.ingested.map(({ id, user, event, value }) => [id, user, event, value]),
      [
        ['e-1', 'u-1', 'purchase', 59.9],
        ['e-2', 'u-2', 'purchase', 59.9],
      ],
    );
  });

  test('name users in the bytes that the gateway sees', async () => {
    const admin = await openAdminPort();
    await answerTo(admin, [{ ...good, user: '张三' }]);
    assert.equal(admin.rooms.ingested[0]?.user, Buffer.from('张三').toString('latin1'));
  });

  test('without a value are worth the number in the policy, else nothing', async () => {
    const admin = await openAdminPort();
    const { value: _value, ...bare } = good;
    await answerTo(admin, [
      { ...bare, event: 'visit' },
      { ...bare, id: 'e-2', event: 'view' },
    ]);
    assert.deepEqual(
      admin.rooms.ingested.map(({ value }) => value),
      [2, 0],
    );
  });

  test('without a value are rejected where the policy reads it from requests', async () => {
    const admin = await openAdminPort();
    const { value: _value, ...bare } = good;
    const answer = await answerTo(admin, [
      { ...bare, event: 'order' },
      { ...good, id: 'e-2', event: 'order' },
    ]);
    const reason = 'value: expected a number; the policy has none for "order"';
    assert.deepEqual(answer, { accepted: 1, duplicates: 0, rejected: [{ index: 0, id: 'e-1', reason }] });
  });

  test('happened when they say so, in either form, or now', async () => {
    const admin = await openAdminPort();
    const beforeMs = Date.now();
    const at = beforeMs - dayMs;
    await answerTo(admin, [
      { ...good, id: '1', at },
      { ...good, id: '2', at: new Date(at).toISOString() },
      { ...good, id: '3' },
    ]);
    const [first, second, third] = admin.rooms.ingested.map(({ atMs }) => atMs);
    assert.deepEqual([first, second], [at, at]);
    assert.ok(third! >= beforeMs && third! <= Date.now());
  });

  const wrong: readonly (readonly [what: string, change: object | string, reason: RegExp])[] = [
    ['no event at all', 'nonsense', /^expected an object with id, rollout, user and event$/],
    ['an unknown key', { valeu: 1 }, /^unknown field "valeu"; known: id, rollout, user, event, value, at$/],
    ['no ID', { id: undefined }, /^id: expected a text of 1 to 200 characters$/],
    ['an empty user', { user: '' }, /^user: expected a text of 1 to 1,024 bytes$/],
    ['a user of more than 1,024 bytes', { user: '张'.repeat(342) }, /^user: expected a text of 1 to 1,024 bytes$/],
    ['half a character', { user: '\ud800' }, /^user: /],
    ['a value below nothing', { value: -1 }, /^value: expected a number from 0 to 1,000,000,000,000$/],
    ['a value that is no number', { value: '12' }, /^value: /],
    ['a value beyond all money', { value: 1e13 }, /^value: /],
    ['an ID that is too long', { id: 'x'.repeat(201) }, /^id: /],
    ['a time that is none', { at: 'yesterday' }, /^at: expected milliseconds/],
    ['seconds as their time', { at: Math.floor(Date.now() / 1_000) }, /^at: expected milliseconds/],
  ];
  for (const [what, change, reason] of wrong) {
    test(`with ${what} are rejected by themselves, with the reason`, async () => {
      const admin = await openAdminPort();
      const bad = typeof change === 'string' ? change : { ...good, id: 'bad', ...change };
      const answer = await answerTo(admin, [good, bad, { ...good, id: 'e-3' }]);
      assert.deepEqual([answer.accepted, answer.duplicates, answer.rejected.length], [2, 0, 1]);
      assert.equal(answer.rejected[0]?.index, 1);
      assert.match(answer.rejected[0].reason, reason);
      assert.deepEqual(
        admin.rooms.ingested.map(({ id }) => id),
        ['e-1', 'e-3'],
      );
    });
  }

  test('that the store refuses are listed at their place in the body', async () => {
    const admin = await openAdminPort();
    const answer = await answerTo(admin, ['nonsense', good, { ...good, id: 'refused' }]);
    assert.deepEqual(
      answer.rejected.map(({ index, id }) => [index, id]),
      [
        [0, null],
        [2, 'refused'],
      ],
    );
  });

  test('of which none can be taken do not trouble the store', async () => {
    const admin = await openAdminPort();
    admin.rooms.isStoreWell = false;
    assert.equal((await answerTo(admin, [{ ...good, user: '' }])).rejected.length, 1);
  });

  test('come up to a thousand at once and no more', async () => {
    const admin = await openAdminPort();
    const batch = Array.from({ length: 1_001 }, (_, i) => ({ ...good, id: `e-${i}` }));
    const refused = await post(admin, batch);
    assert.deepEqual([refused.status, refused.json()['code']], [400, 'invalid-input']);
    assert.equal(refused.json()['detail'], 'body: expected a list of 1 to 1,000 events, got a list of 1,001');
    assert.equal((await answerTo(admin, batch.slice(1))).accepted, 1_000);
  });

  test('of more bytes than are taken at once are refused with the limit and what came', async () => {
    const admin = await openAdminPort();
    const batch = [{ ...good, user: 'x'.repeat(1_048_576) }];
    const refused = await post(admin, batch);
    assert.deepEqual([refused.status, refused.json()['code']], [413, 'body-too-large']);
    const came = JSON.stringify(batch).length.toLocaleString('en');
    assert.equal(refused.json()['detail'], `body: expected at most 1,048,576 bytes, got ${came}`);
  });

  test('in a body of unknown length that is too long are refused with the limit', async () => {
    const admin = await openAdminPort();
    const answer = await fetch(`http://127.0.0.1:${admin.port}/api/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Blob(['['.repeat(1_048_577)]).stream(),
      duplex: 'half',
    });
    assert.equal(answer.status, 413);
    assert.match(await answer.text(), /"detail":"body: expected at most 1,048,576 bytes, got more"/);
  });

  test('that are no list are refused as a whole', async () => {
    const admin = await openAdminPort();
    for (const body of [{ events: [] }, null, 'x', []]) assert.equal((await post(admin, body)).status, 400);
  });

  test('that come too fast get 429 and when to try again', async () => {
    const admin = await openAdminPort();
    admin.rooms.isOverloaded = true;
    const reply = await post(admin, [good]);
    assert.deepEqual([reply.status, reply.json()['code'], reply.header('retry-after')], [429, 'events-overload', '1']);
  });

  test('that are packed are refused as such', async () => {
    const admin = await openAdminPort();
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const reply = await post(admin, [good], { headers });
    assert.deepEqual([reply.status, reply.json()['detail']], [415, 'expected a body without content-encoding']);
  });

  test('are for the role ingest, which may do nothing else', async () => {
    const admin = await openAdminPort();
    admin.rooms.tokens = threeTokens;
    assert.equal((await post(admin, [good], as(ingestToken))).status, 200);
    assert.equal((await post(admin, [good], as(operatorToken))).status, 403);
    assert.equal((await admin.ask('/api/v1/users/u-1', { method: 'DELETE', ...as(ingestToken) })).status, 403);
  });
});

function as(token: string): Asking {
  return { headers: { authorization: bearer(token), 'content-type': 'application/json' } };
}

suite('forgetting a user', () => {
  test('happens in every rollout, or in the one that is named', async () => {
    const { ask, rooms } = await openAdminPort();
    const everywhere = await ask('/api/v1/users/u-1', { method: 'DELETE' });
    assert.deepEqual([everywhere.status, everywhere.json()], [200, { forgotten: 2 }]);
    await ask('/api/v1/users/u-1?rollout=shop', { method: 'DELETE' });
    assert.deepEqual(rooms.forgotten, ['u-1', 'u-1 in shop']);
  });

  test('in a rollout that nobody knows is a mistake, in one that left the policy it is not', async () => {
    const { ask, rooms } = await openAdminPort();
    const forgetIn = async (rollout: string) => {
      const reply = await ask(`/api/v1/users/u-unknown?rollout=${rollout}`, { method: 'DELETE' });
      return [reply.status, reply.json()['detail'] ?? reply.json()['forgotten']];
    };
    assert.deepEqual(await forgetIn('shop'), [200, 0]);
    assert.deepEqual(await forgetIn('shpo'), [404, 'there is no rollout "shpo"']);
    rooms.figures = figures([]);
    assert.deepEqual(await forgetIn('shpo'), [404, 'there is no rollout "shpo"']);
    rooms.figures = figures([], { rollout: 'old-shop' });
    assert.deepEqual(await forgetIn('old-shop'), [200, 0]);
  });

  test('takes the longest ID there is, in its bytes', async () => {
    const { ask, rooms } = await openAdminPort();
    const user = '张'.repeat(341);
    const reply = await ask(`/api/v1/users/${encodeURIComponent(user)}`, { method: 'DELETE' });
    assert.equal(reply.status, 200);
    assert.deepEqual(rooms.forgotten, [Buffer.from(user).toString('latin1')]);
  });

  test('is not for pages of other sites', async () => {
    const { ask, rooms } = await openAdminPort();
    const reply = await ask('/api/v1/users/u-1', { method: 'DELETE', headers: { origin: 'https://evil.example' } });
    assert.equal(reply.status, 403);
    assert.deepEqual(rooms.forgotten, []);
  });
});
