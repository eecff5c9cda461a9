// What a reload leaves as it is, what it changes, and how users keep their server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Serving } from '../../../src/rollout/serving.ts';
import { eventually } from '../../support/eventually.ts';
import { startGateway, type TestContext } from '../../support/gateways.ts';
import { send } from '../../support/http-client.ts';
import { sumOf } from '../../support/metric-samples.ts';
import { shopPolicy } from '../../support/policies.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../../support/recording-upstream.ts';

const ejecting: Partial<Serving> = {
  eject: { after: 2, withinMs: 60_000, forMs: 60_000, maxPercent: 50 },
  retries: { attempts: 0, on: new Set(), budgetPercent: 0, perTryMs: null },
};

const startFleet = async (context: TestContext, names: string): Promise<RecordingUpstream[]> =>
  Promise.all(Array.from(names, async (name) => startRecordingUpstream(context, name)));

const policyOver = (servers: readonly RecordingUpstream[], serving: Partial<Serving> = {}, weights: number[] = []) =>
  shopPolicy({
    stable: { servers: servers.map(({ origin }, index) => ({ origin, weight: weights[index] ?? 1 })), serving },
  });

test('adding, removing and reweighting servers touches no connection of the others', async (context) => {
  const [a, b, c] = (await startFleet(context, 'abc')) as [RecordingUpstream, RecordingUpstream, RecordingUpstream];
  const { gateway, port } = await startGateway(context, policyOver([a, b]));
  const ask = async (count: number): Promise<string> => {
    let bodies = '';
    for (let i = 0; i < count; i += 1) bodies += (await send({ port })).body;
    return bodies;
  };
  assert.equal(await ask(4), 'abab');
  for (const [servers, weights, count, expected] of [
    [[a, b, c], [], 6, /^(?=(.*a){2})(?=(.*b){2})(?=(.*c){2})/],
    [[a, c], [], 4, /^(ac|ca)(ac|ca)$/],
    [[a, c], [3, 1], 8, /^(?=(.*a){6})(?=(.*c){2})/],
    [[c, a], [], 4, /^(ac|ca)(ac|ca)$/],
  ] as [RecordingUpstream[], number[], number, RegExp][]) {
    gateway.adopt(policyOver(servers, {}, weights));
    assert.match(await ask(count), expected);
  }
  assert.deepEqual([a.connectionCount, c.connectionCount], [1, 1]);
  await eventually('b is let go', () => b.openConnectionCount === 0);
});

test('a server that is ejected stays so when others are added', async (context) => {
  const bad = await startRecordingUpstream(context, (_request, response) => void response.writeHead(503).end('bad'));
  const [good, more] = (await startFleet(context, 'gm')) as [RecordingUpstream, RecordingUpstream];
  const { gateway, port, metrics } = await startGateway(context, policyOver([bad, good], ejecting));
  for (let i = 0; i < 4; i += 1) await send({ port });
  assert.equal(bad.requests.length, 2);
  gateway.adopt(policyOver([bad, good, more], ejecting));
  for (let i = 0; i < 6; i += 1) assert.equal((await send({ port })).status, 200);
  assert.equal(bad.requests.length, 2);
  metrics.policyLoaded(policyOver([bad, good, more]), 0, true);
  assert.equal(await sumOf(metrics, 'graygate_server_up'), 2);
});

test('failures are counted across a reload', async (context) => {
  const bad = await startRecordingUpstream(context, (_request, response) => void response.writeHead(503).end('bad'));
  const [good] = await startFleet(context, 'g');
  const serving = { ...ejecting, eject: { ...ejecting.eject!, after: 4 } };
  const { gateway, port, metrics } = await startGateway(context, policyOver([bad, good!], serving));
  for (let i = 0; i < 8; i += 1) {
    gateway.adopt(policyOver([bad, good!], serving, [1 + i, 1 + i]));
    // Turns begin anew with each policy: the first is always the first server's.
    await send({ port });
  }
  assert.equal(bad.requests.length, 4);
  assert.equal(await sumOf(metrics, 'graygate_server_ejections_total'), 1);
});

test('a server that is gone is gone from the metrics', async (context) => {
  const [a, b] = (await startFleet(context, 'ab')) as [RecordingUpstream, RecordingUpstream];
  const { gateway, metrics } = await startGateway(context, policyOver([a, b]));
  assert.equal(await sumOf(metrics, 'graygate_server_up'), 2);
  const next = policyOver([a]);
  metrics.policyLoaded(next, 0, true);
  gateway.adopt(next);
  assert.equal(await sumOf(metrics, 'graygate_server_up'), 1);
  assert.equal(await sumOf(metrics, 'graygate_server_up', { server: b.origin }), 0);
});

test('a new server starts slowly, those from the beginning do not', async (context) => {
  const [a, b] = (await startFleet(context, 'ab')) as [RecordingUpstream, RecordingUpstream];
  const serving = { slowStartMs: 3_600_000 };
  const { gateway, port, metrics } = await startGateway(context, policyOver([a], serving));
  const stateOf = ({ origin }: RecordingUpstream) => metrics.servers.addresses('shop', 'stable', origin)[0]?.state;
  assert.equal(stateOf(a), 'up');
  const next = policyOver([a, b], serving);
  metrics.policyLoaded(next, 0, true);
  gateway.adopt(next);
  assert.deepEqual([stateOf(a), stateOf(b)], ['up', 'slow']);
  for (let i = 0; i < 22; i += 1) await send({ port });
  assert.deepEqual([a.requests.length, b.requests.length], [20, 2]);
  assert.equal(await sumOf(metrics, 'graygate_server_up'), 2);
});

test('a server that comes back starts slowly, and has its whole share in the end', async (context) => {
  let status = 500;
  const sick = await startRecordingUpstream(context, (request, response) => {
    response.writeHead(request.url === '/healthz' ? status : 200).end('sick');
  });
  const [well] = await startFleet(context, 'w');
  const health = { path: '/healthz', everyMs: 20, timeoutMs: 2_000, unhealthyAfter: 1, healthyAfter: 1 };
  const states: string[] = [];
  await startGateway(context, policyOver([sick, well!], { slowStartMs: 400, health }), {
    serverChanged: ({ server, state }) => void (server === sick.origin && states.push(state)),
  });
  await eventually('it is out', () => states.at(-1) === 'down');
  status = 200;
  await eventually('it has all', () => states.at(-1) === 'up');
  assert.deepEqual(states.slice(-3), ['down', 'slow', 'up']);
});

test('with hash a user stays on a server, and comes back to it after it was away', async (context) => {
  const fleet = await startFleet(context, 'abcd');
  const users = Array.from({ length: 40 }, (_, index) => `u-${index}`);
  const serving = { balance: 'hash' } as const;
  const { gateway, port } = await startGateway(context, policyOver(fleet, serving));
  const ownersOf = async (): Promise<string[]> => {
    const owners: string[] = [];
    for (const user of users) owners.push((await send({ port, headers: ['x-user-id', user] })).body);
    return owners;
  };
  const first = await ownersOf();
  assert.deepEqual(await ownersOf(), first);
  assert.deepEqual(new Set(first), new Set('abcd'));
  gateway.adopt(policyOver(fleet.slice(1), serving));
  const without = await ownersOf();
  for (const [index, owner] of first.entries()) if (owner !== 'a') assert.equal(without[index], owner);
  gateway.adopt(policyOver(fleet.toReversed(), serving));
  assert.deepEqual(await ownersOf(), first);
});

test('with hash who has no user ID is told apart by address', async (context) => {
  const fleet = await startFleet(context, 'abcd');
  const servers = fleet.map(({ origin }) => origin);
  const user = { from: [], anonymous: 'baseline', jwt: null } as const;
  const { port } = await startGateway(
    context,
    shopPolicy({ stable: { servers, serving: { balance: 'hash' } }, rollout: { user } }),
  );
  for (let i = 0; i < 8; i += 1) await send({ port });
  assert.deepEqual(
    fleet.map(({ requests }) => requests.length).toSorted((x, y) => x - y),
    [0, 0, 0, 8],
  );
});

test('with hash the users of a dead server are all served by another one', async (context) => {
  const fleet = (await startFleet(context, 'abc')) as [RecordingUpstream, ...RecordingUpstream[]];
  const { port } = await startGateway(context, policyOver(fleet, { balance: 'hash' }));
  const asUser = { port, headers: ['x-user-id', 'u'] };
  const owner = (await send(asUser)).body;
  await fleet['abc'.indexOf(owner)]!.kill();
  const next = (await send(asUser)).body;
  assert.notEqual(next, owner);
  for (let i = 0; i < 6; i += 1) assert.deepEqual([(await send(asUser)).body], [next]);
});

test('with least-requests the idle server is asked while the other one is busy', async (context) => {
  const busy = await startRecordingUpstream(context, () => undefined);
  const [idle] = await startFleet(context, 'i');
  const { port, url } = await startGateway(context, policyOver([busy, idle!], { balance: 'least-requests' }));
  const leaving = new AbortController();
  const held = Array.from({ length: 40 }, async () => fetch(url, { signal: leaving.signal }).catch(() => null));
  await eventually(
    'one is held',
    () => busy.requests.length > 0 && busy.requests.length + idle!.requests.length === 40,
  );
  const { length } = busy.requests;
  for (let i = 0; i < 20; i += 1) assert.equal((await send({ port })).body, 'i');
  assert.equal(busy.requests.length, length);
  leaving.abort();
  await Promise.all(held);
});
