// What users do, seen in real traffic: which requests are events, what they are worth, and that each counts once.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { SignJWT } from 'jose';
import type { Rollout } from '../../../src/rollout/policy.ts';
import { anyOf } from '../../support/decisions.ts';
import { eventOf, experimentOn } from '../../support/experiments.ts';
import { startGateway, type TestContext } from '../../support/gateways.ts';
import { policyOf, rolloutOf } from '../../support/policies.ts';
import { RawClient } from '../../support/raw-client.ts';
import { type RecordingAnswer, startRecordingUpstream } from '../../support/recording-upstream.ts';
import { eventsOf, openShop, shopOf } from './shop.ts';

const purchase = eventOf('purchase', { methods: ['POST'], paths: ['/orders'], value: { kind: 'constant', value: 1 } });

/** 500 where the path ends in `bad`. */
const createOrFail: RecordingAnswer = (request, response) => {
  request.resume();
  response.writeHead(request.url!.endsWith('bad') ? 500 : 201).end();
};

/** Cut, held open or whole, as the path says. */
const breakOff: RecordingAnswer = (request, response) => {
  request.resume();
  if (request.url === '/cut') response.writeHead(200).write('some', () => request.socket.destroy());
  else if (request.url === '/hang') response.writeHead(200).flushHeaders();
  else response.end('whole');
};

/** The IDs of the events that a request with each of these headers was. */
async function idsOf(context: TestContext, requests: readonly (readonly string[])[], events = [purchase]) {
  const shop = await openShop(context, { events });
  for (const headers of requests) await shop.ask('/orders', { method: 'POST', headers });
  return (await eventsOf(shop, requests.length)).map(({ id }) => id);
}

type MallUsers = { readonly item?: Rollout['user']; readonly others?: Rollout['user'] };

/** A rollout of the item pages before one that takes everything else. */
async function openMall(context: TestContext, { item: itemUser, others: otherUser }: MallUsers = {}) {
  const upstream = await startRecordingUpstream(context, 'thanks');
  const versions = { stable: { servers: [upstream.origin] }, canary: { servers: [upstream.origin] } };
  const item = rolloutOf({
    name: 'item',
    match: { hosts: [{ kind: 'exact', host: 'shop.test' }], paths: ['/item'] },
    versions,
    events: [purchase, eventOf('visit')],
    experiment: experimentOn('purchase'),
    ...(itemUser === undefined ? {} : { user: itemUser }),
  });
  const user = otherUser ?? { ...item.user, from: [{ kind: 'ip' as const }] };
  const others = rolloutOf({ name: 'others', versions, user });
  return shopOf(await startGateway(context, policyOf({ rollouts: [item, others] })));
}

suite('a request', () => {
  test('is an event by its method, path and status, and no other request is', async (context) => {
    const shop = await openShop(context, { events: [purchase], experiment: experimentOn('purchase') }, createOrFail);
    await shop.ask('/orders', { method: 'POST' });
    await shop.ask('/orders/7', { method: 'POST' });
    await shop.ask('/ordersheet', { method: 'POST' });
    await shop.ask('/orders/bad', { method: 'POST' });
    await shop.ask('/orders');
    await shop.ask('/');
    const events = await eventsOf(shop, 6);
    assert.deepEqual(
      events.map(({ rollout, user, event, value }) => [rollout, user, event, value]),
      [
        ['shop', 'u-1', 'purchase', 1],
        ['shop', 'u-1', 'purchase', 1],
      ],
    );
    assert.ok(events.every(({ atMs }) => Math.abs(atMs - Date.now()) < 60_000));
  });

  test('is several events at once where several fit, and its headers must fit too', async (context) => {
    const view = eventOf('view', { paths: ['/item'] });
    const appView = eventOf('app-view', {
      paths: ['/item/1'],
      headers: [{ name: 'x-client', matches: anyOf('app') }],
    });
    const shop = await openShop(context, { events: [view, appView] });
    await shop.ask('/item/1', { headers: ['x-user-id', 'u-1', 'X-Client', 'app'] });
    await shop.ask('/item/1', { headers: ['x-user-id', 'u-1', 'X-Client', 'web'] });
    await shop.ask('/item/2', { headers: ['x-user-id', 'u-1', 'X-Client', 'app'] });
    const events = await eventsOf(shop, 3);
    assert.deepEqual(events.map(({ event }) => event).toSorted(), ['app-view', 'view', 'view', 'view']);
  });

  test('without a user is none', async (context) => {
    const user: Rollout['user'] = { from: [{ kind: 'header', name: 'x-user-id' }], anonymous: 'baseline', jwt: null };
    const shop = await openShop(context, { user, events: [eventOf('visit')] });
    await shop.ask('/', { headers: [] });
    assert.deepEqual(await eventsOf(shop, 1), []);
  });

  test('of a user who gets an ID with the answer is an event of that user', async (context) => {
    const shop = await openShop(context, { events: [eventOf('visit')] });
    await shop.ask('/', { headers: [] });
    const [visit] = await eventsOf(shop, 1);
    assert.match(visit!.user, /^[0-9a-f]{32}$/);
  });

  test('that is excluded is none, and its user is not counted', async (context) => {
    const exclude = [
      [{ on: 'header' as const, name: 'user-agent', matches: { kind: 'contains' as const, text: 'bot' } }],
    ];
    const shop = await openShop(context, { events: [eventOf('visit')], experiment: experimentOn('visit'), exclude });
    await shop.ask('/', { headers: ['x-user-id', 'b-1', 'User-Agent', 'robot 1.0'] });
    await shop.ask('/', { headers: ['x-user-id', 'u-1', 'User-Agent', 'browser'] });
    const events = await eventsOf(shop, 2);
    assert.deepEqual([events.map(({ user }) => user), shop.exposures.map(({ user }) => user)], [['u-1'], ['u-1']]);
  });

  test('whose answer is cut, or that the client leaves, is none', async (context) => {
    const shop = await openShop(context, { events: [eventOf('visit')] }, breakOff);
    await assert.rejects(shop.ask('/cut'));
    const client = new RawClient(shop.port);
    client.send('GET /hang HTTP/1.1\r\nHost: a\r\nx-user-id: u-1\r\n\r\n');
    await client.untilText('\r\n\r\n');
    client.socket.resetAndDestroy();
    assert.deepEqual(await eventsOf(shop, 2), []);
    await shop.ask('/whole');
    assert.equal((await eventsOf(shop, 3)).length, 1);
  });

  test('that only servers tell of is never seen in traffic', async (context) => {
    const shop = await openShop(context, { events: [eventOf('paid', { fromTraffic: false })] });
    await shop.ask('/');
    assert.deepEqual(await eventsOf(shop, 1), []);
  });
});

suite('the same request sent again', () => {
  test('has the same ID by its Idempotency-Key, else by its X-Request-Id', async (context) => {
    const byKey = ['x-user-id', 'u-1', 'Idempotency-Key', 'k', 'X-Request-Id', 'r'];
    const [first, again, other] = await idsOf(context, [
      byKey,
      [...byKey.slice(0, 5), 'r-2'],
      ['x-user-id', 'u-1', 'X-Request-Id', 'r'],
    ]);
    assert.equal(first, again);
    assert.notEqual(first, other);
    const byRequest = ['x-user-id', 'u-1', 'X-Request-Id', 'r'];
    const [one, two] = await idsOf(context, [byRequest, byRequest]);
    assert.equal(one, two);
  });

  test('is another one by an X-Request-Id that another request has too, or by an empty key', async (context) => {
    const shop = await openShop(context, { events: [eventOf('visit')] });
    const headers = ['x-user-id', 'u-1', 'X-Request-Id', 'r'];
    for (const path of ['/item?id=1', '/item?id=2', '/about']) await shop.ask(path, { headers });
    await shop.ask('/about', { method: 'POST', headers });
    const empty = ['x-user-id', 'u-1', 'Idempotency-Key', ''];
    for (let i = 0; i < 2; i += 1) await shop.ask('/about', { headers: empty });
    assert.equal(new Set((await eventsOf(shop, 6)).map(({ id }) => id)).size, 6);
  });

  test('is another one without either, from another user, or as another event', async (context) => {
    const bare = ['x-user-id', 'u-1'];
    const keyed = ['x-user-id', 'u-1', 'Idempotency-Key', 'k'];
    const others = ['x-user-id', 'u-2', 'Idempotency-Key', 'k'];
    const visit = eventOf('visit');
    const ids = await idsOf(context, [bare, bare, keyed, others], [purchase, visit]);
    assert.equal(new Set(ids).size, 8);
    assert.ok(ids.every((id) => /^traffic:[\w-]{22}$/.test(id)));
  });
});

suite('an event of a rollout whose requests another one takes', () => {
  test('is seen there, of the user as its own rollout knows them', async (context) => {
    const shop = await openMall(context);
    await shop.ask('/orders', { method: 'POST' });
    const events = await eventsOf(shop, 1);
    assert.deepEqual(
      events.map(({ rollout, user, event }) => [rollout, user, event]),
      [['item', 'u-1', 'purchase']],
    );
    assert.deepEqual(shop.exposures, []);
  });

  test('is not seen on another host, nor without a path, nor of an unknown user', async (context) => {
    const shop = await openMall(context);
    await shop.ask('/orders', { method: 'POST', headers: ['Host', 'other.test', 'x-user-id', 'u-1'] });
    await shop.ask('/orders', { method: 'POST', headers: [] });
    await shop.ask('/about');
    assert.deepEqual(await eventsOf(shop, 3), []);
  });

  test('is of the user whom a token names only where the same tokens are verified', async (context) => {
    const secret = 'a secret of at least 32 characters';
    const jwt = { key: { kind: 'secret' as const, secret }, issuer: null, audience: null };
    const item: Rollout['user'] = { from: [{ kind: 'jwt', claim: 'sub' }], anonymous: 'baseline', jwt };
    const token = await new SignJWT({ sub: '张三' }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(secret));
    const order = { method: 'POST', headers: ['Authorization', `Bearer ${token}`] };
    const usersAt = async (others: Rollout['user']) => {
      const shop = await openMall(context, { item, others });
      await shop.ask('/orders', order);
      return (await eventsOf(shop, 1)).map(({ user }) => user);
    };
    const byAddress: Rollout['user'] = { from: [{ kind: 'ip' }], anonymous: 'baseline', jwt };
    assert.deepEqual(await usersAt(byAddress), [Buffer.from('张三').toString('latin1')]);
    assert.deepEqual(await usersAt({ ...byAddress, jwt: { ...jwt, audience: 'others' } }), []);
    assert.deepEqual(await usersAt({ ...byAddress, jwt: null }), []);
  });
});
