// What users do, from real traffic and from servers, through a real process into the store, the metrics and the report, and
// through the death of the process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { eventually } from '../support/eventually.ts';
import { isAlive, workerPids } from '../support/worker-gateway.ts';
import { parseSamples } from '../support/metric-samples.ts';
import { serve, type Serving, startUpstream, temporaryFolder } from '../support/serving.ts';
import { shopPolicyText } from '../support/shop-policy-text.ts';

type Totals = Readonly<Record<string, number>>;
type Report = { readonly events: readonly { event: string; count: number; valueSum: number }[] };

const watched = `
events:
  - { name: view, on: { method: GET, path: /item } }
  - { name: purchase, on: { method: POST, path: /orders }, value: json:$.total }
  - { name: paid }
exclude:
  - header: { user-agent: { contains: bot } }
`;

async function ask(gateway: Serving, path: string, init: RequestInit): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${gateway.port}${path}`, init);
  await answer.arrayBuffer();
  assert.equal(answer.status, 200);
}

async function tell(gateway: Serving, events: readonly object[]): Promise<Totals> {
  const answer = await fetch(`${gateway.adminUrl}/api/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(events),
  });
  assert.equal(answer.status, 200);
  return (await answer.json()) as Totals;
}

/** Number and worth of all events, by the counters that Prometheus sees. */
async function countersOf(gateway: Serving): Promise<Totals> {
  const samples = parseSamples(await (await fetch(`${gateway.adminUrl}/metrics`)).text());
  const sums: Record<string, number> = {};
  for (const { name, labels, value } of samples) {
    const what = { graygate_events_total: 'count', graygate_event_value_total: 'sum' }[name];
    if (what === undefined) continue;
    const key = `${labels['event']} ${what}`;
    sums[key] = Math.round(((sums[key] ?? 0) + value) * 100) / 100;
  }
  return sums;
}

async function reportOf(gateway: Serving): Promise<Totals> {
  const answer = await fetch(`${gateway.adminUrl}/api/v1/experiments/shop?format=json`);
  const { events } = (await answer.json()) as Report;
  return Object.fromEntries(
    events.flatMap(({ event, count, valueSum }) => [
      [`${event} count`, count],
      [`${event} sum`, Math.round(valueSum * 100) / 100],
    ]),
  );
}

/** The order of a user, which has its key however often it is sent. */
function order(user: number): RequestInit {
  const headers = { 'x-user-id': `u-${user}`, 'idempotency-key': `order-${user}` };
  return { method: 'POST', headers };
}

test('each event counts once, in the report and the metrics alike, though it is sent again and the process is killed', async (t) => {
  const shop = await startUpstream(t, (_, response) => {
    response.setHeader('content-type', 'application/json').setHeader('content-encoding', 'gzip');
    response.end(gzipSync(JSON.stringify({ total: '12.50' })));
  });
  const folder = temporaryFolder(t);
  const first = await serve(t, folder, shopPolicyText({ stable: shop.url }, watched));
  const userCount = 40;
  for (let i = 0; i < userCount; i += 1) {
    await ask(first, '/item/1', { headers: { 'x-user-id': `u-${i}` } });
    if (i % 4 === 0) for (let again = 0; again < 3; again += 1) await ask(first, '/orders', order(i));
  }
  await ask(first, '/item/1', { headers: { 'x-user-id': 'u-bot', 'user-agent': 'bot' } });
  const paid = [0, 4, 8].map((i) => ({ id: `paid-${i}`, rollout: 'shop', user: `u-${i}`, event: 'paid', value: 3 }));
  assert.deepEqual(await tell(first, [...paid, { ...paid[0], id: 'x', event: 'payed' }]), {
    accepted: 3,
    duplicates: 0,
    rejected: [{ index: 3, id: 'x', reason: 'the rollout "shop" has no event "payed"' }],
  });
  const expected = {
    'paid count': 3,
    'paid sum': 9,
    'purchase count': 10,
    'purchase sum': 125,
    'view count': userCount,
    'view sum': 0,
  };
  await eventually('every event is counted', async () => (await countersOf(first))['view count'] === userCount);
  await eventually('every order is counted', async () => (await countersOf(first))['purchase count'] === 10);
  assert.deepEqual(sorted(await reportOf(first)), expected);
  assert.deepEqual(sorted(await countersOf(first)), expected);

  first.process.kill('SIGKILL');
  await first.exit;
  const second = await serve(t, folder, shopPolicyText({ stable: shop.url }, watched));
  assert.deepEqual(await tell(second, paid), { accepted: 0, duplicates: 3, rejected: [] });
  for (let i = 0; i < userCount; i += 4) await ask(second, '/orders', order(i));
  await tell(second, [{ ...paid[0], id: 'paid-again', user: 'u-12' }]);
  const after = { ...expected, 'paid count': 4, 'paid sum': 12 };
  await eventually('the new one is counted', async () => (await countersOf(second))['paid count'] === 4);
  assert.deepEqual(sorted(await reportOf(second)), after);
  assert.deepEqual(sorted(await countersOf(second)), after);
});

test('counts are the same where several processes serve', async (t) => {
  const shop = await startUpstream(t, (_, response) => response.end('ok'));
  const policy = shopPolicyText({ stable: shop.url }, watched).replace(
    'listen: 127.0.0.1:0\n',
    'listen: 127.0.0.1:0\nworkers: 2\n',
  );
  const gateway = await serve(t, temporaryFolder(t), policy);
  const users = Array.from({ length: 60 }, (_, i) => ({ 'x-user-id': `u-${i % 20}`, connection: 'close' }));
  await Promise.all(users.map((headers) => ask(gateway, '/item/1', { headers })));
  await eventually('every event is counted', async () => (await countersOf(gateway))['view count'] === 60);
  const answer = await fetch(`${gateway.adminUrl}/api/v1/users/u-1`, { method: 'DELETE' });
  assert.deepEqual(await answer.json(), { forgotten: 1 });
  assert.equal((await reportOf(gateway))['view count'], 60);
});

test('a report has what was done before it was asked for, also where several processes serve and one of them hangs', async (t) => {
  const shop = await startUpstream(t, (_, response) => response.end('ok'));
  const policy = shopPolicyText({ stable: shop.url }, watched).replace('version: 1\n', 'version: 1\nworkers: 2\n');
  const gateway = await serve(t, temporaryFolder(t), policy);
  for (let count = 1; count <= 20; count += 1) {
    await ask(gateway, '/item/1', { headers: { 'x-user-id': `u-${count}`, connection: 'close' } });
    assert.equal((await reportOf(gateway))['view count'], count);
  }
  const hanging = workerPids(gateway).get(1)!;
  t.after(() => void (isAlive(hanging) && process.kill(hanging, 'SIGKILL')));
  process.kill(hanging, 'SIGSTOP');
  assert.equal((await reportOf(gateway))['view count'], 20);
  assert.ok(isAlive(hanging), 'nobody waited for its end');
});

test('a user is one by header, cookie, query and in what servers send, in every script', async (t) => {
  const shop = await startUpstream(t, (_, response) => response.end('ok'));
  const user = '    user: { from: [header:x-user-id, cookie:uid, query:uid] }\n    events:\n';
  const gateway = await serve(
    t,
    temporaryFolder(t),
    shopPolicyText({ stable: shop.url }, watched).replace('    events:\n', user),
  );
  const id = '张三';
  const escaped = encodeURIComponent(id);
  await ask(gateway, '/item/1', { headers: { 'x-user-id': Buffer.from(id).toString('latin1') } });
  await ask(gateway, '/item/1', { headers: { cookie: `uid=${escaped}` } });
  await ask(gateway, `/item/1?uid=${escaped}`, {});
  await eventually('every view is counted', async () => (await countersOf(gateway))['view count'] === 3);
  await tell(gateway, [{ id: 'paid-1', rollout: 'shop', user: id, event: 'paid', value: 3 }]);
  const answer = await fetch(`${gateway.adminUrl}/api/v1/experiments/shop?format=json`);
  const { versions } = (await answer.json()) as { versions: { users: number }[] };
  assert.equal(
    versions.reduce((sum, { users }) => sum + users, 0),
    1,
  );
  assert.deepEqual(await forget(gateway, escaped), { forgotten: 1 });
  assert.deepEqual(await forget(gateway, escaped), { forgotten: 0 });
});

test('a user who is forgotten is no longer known, and can come again', async (t) => {
  const shop = await startUpstream(t, (_, response) => response.end('ok'));
  const folder = temporaryFolder(t);
  const gateway = await serve(t, folder, shopPolicyText({ stable: shop.url }, watched));
  for (const user of ['u-1', 'u-2']) await ask(gateway, '/item/1', { headers: { 'x-user-id': user } });
  await eventually('the views are counted', async () => (await countersOf(gateway))['view count'] === 2);
  assert.deepEqual(await forget(gateway, 'u-1'), { forgotten: 1 });
  assert.deepEqual(await forget(gateway, 'u-1'), { forgotten: 0 });
  assert.deepEqual(await forget(gateway, 'nobody'), { forgotten: 0 });

  gateway.process.kill('SIGTERM');
  await gateway.exit;
  const renamed = await serve(
    t,
    folder,
    shopPolicyText({ stable: shop.url }, watched).replace('name: shop', 'name: market'),
  );
  assert.equal((await forget(renamed, 'u-2?rollout=shpo'))['code'], 'unknown-rollout');
  assert.deepEqual(await forget(renamed, 'u-2?rollout=market'), { forgotten: 0 });
  assert.deepEqual(await forget(renamed, 'u-2?rollout=shop'), { forgotten: 1 });
  assert.deepEqual(await forget(renamed, 'u-2?rollout=shop'), { forgotten: 0 });
});

async function forget(gateway: Serving, user: string): Promise<Record<string, unknown>> {
  const answer = await fetch(`${gateway.adminUrl}/api/v1/users/${user}`, { method: 'DELETE' });
  return (await answer.json()) as Record<string, unknown>;
}

function sorted(totals: Totals): Totals {
  return Object.fromEntries(Object.entries(totals).toSorted(([a], [b]) => a.localeCompare(b)));
}
