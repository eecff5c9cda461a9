// Servers with names, from a real server of names to real sockets: addresses that come, go and cannot be had.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { ResolveTimes } from '../../../src/gateway/servers/name-watch.ts';
import { createNameResolver } from '../../../src/gateway/servers/resolve-name.ts';
import { startDnsServer, type Zone } from '../../support/dns-server.ts';
import { createGate, eventually } from '../../support/eventually.ts';
import { startGateway, type TestContext } from '../../support/gateways.ts';
import { type Reply, send } from '../../support/http-client.ts';
import { parseSamples, sumOf } from '../../support/metric-samples.ts';
import { shopPolicy, type VersionSketch } from '../../support/policies.ts';
import { exchangeMessages, openWebSocket, startEchoServer } from '../../support/websockets.ts';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Names are asked for again almost at once. */
const hasty: ResolveTimes = { leastMs: 20, mostMs: 40, unknownMs: 20, retryMs: 20 };

/** Servers on one port of several loopback addresses, which answer with their address. */
async function startFleet(context: TestContext, addresses: readonly string[], answer?: RequestListener) {
  const servers: Server[] = [];
  let port = 0;
  for (const address of addresses) {
    const server = createServer(answer ?? ((_request, response) => void response.end(address)));
    await new Promise<void>((resolve) => server.listen(port, address, resolve));
    ({ port } = server.address() as AddressInfo);
    servers.push(server);
  }
  context.after(() => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });
  return { port, servers };
}

const nobodyKnows = async (): Promise<never> => Promise.reject(Object.assign(new Error('none'), { code: 'ENOTFOUND' }));

async function startNamed(
  context: TestContext,
  zone: Zone,
  sketches: { stable: VersionSketch | string; canary?: VersionSketch },
) {
  const { resolver, asked } = await startDnsServer(context, zone);
  const names = { resolver: createNameResolver({ dns: resolver, lookUp: nobodyKnows }), resolveTimes: hasty };
  const running = await startGateway(context, shopPolicy(sketches), { names });
  const bodiesOf = async (count: number): Promise<string[]> => {
    const bodies: string[] = [];
    for (let i = 0; i < count; i += 1)
      bodies.push((await send({ port: running.port, headers: ['x-user-id', 'u'] })).body);
    return bodies;
  };
  return { ...running, asked, bodiesOf };
}

test('each address of a name is a server, and they share the weight of the name', async (context) => {
  const { port } = await startFleet(context, ['127.0.0.1', '127.0.0.2', '127.0.0.3']);
  const zone = { 'shop.test': ['127.0.0.2', '127.0.0.3'] };
  const servers = [
    { origin: `http://shop.test:${port}`, weight: 2 },
    { origin: `http://127.0.0.1:${port}`, weight: 2 },
  ];
  const { bodiesOf, metrics } = await startNamed(context, zone, { stable: { servers } });
  await eventually('all are up', async () => (await sumOf(metrics, 'graygate_server_up')) === 3);
  const bodies = await bodiesOf(8);
  const countOf = (address: string): number => bodies.filter((body) => body === address).length;
  assert.deepEqual([countOf('127.0.0.1'), countOf('127.0.0.2'), countOf('127.0.0.3')], [4, 2, 2]);
});

test('metrics name the origin as it is written and the address that it led to', async (context) => {
  const { port } = await startFleet(context, ['127.0.0.2']);
  const origin = `http://shop.test:${port}`;
  const { metrics, bodiesOf, outcomes } = await startNamed(
    context,
    { 'shop.test': ['127.0.0.2'] },
    { stable: { servers: [origin] } },
  );
  assert.deepEqual(await bodiesOf(1), ['127.0.0.2']);
  const { text } = await metrics.render('');
  const up = parseSamples(text).filter(({ name }) => name === 'graygate_server_up');
  assert.deepEqual(
    up.map(({ labels }) => labels),
    [{ rollout: 'shop', version: 'stable', server: origin, address: '127.0.0.2' }],
  );
  assert.equal(outcomes[0]!.server, `${origin} (127.0.0.2)`);
});

test('requests that come before the first answer wait for it', async (context) => {
  const { port } = await startFleet(context, ['127.0.0.1']);
  const answered = createGate();
  const resolver = { resolve: async () => answered.opened.then(() => ({ addresses: ['127.0.0.1'], ttlMs: null })) };
  const policy = shopPolicy({ stable: { servers: [`http://shop.test:${port}`] } });
  const running = await startGateway(context, policy, { names: { resolver, resolveTimes: hasty } });
  const replies = Promise.all(Array.from({ length: 3 }, async (): Promise<Reply> => send({ port: running.port })));
  await eventually('they wait', async () => (await sumOf(running.metrics, 'graygate_requests_in_flight')) === 3);
  answered.open();
  assert.deepEqual(
    (await replies).map(({ status }) => status),
    [200, 200, 200],
  );
});

test('addresses that come are asked, those that go are not, and what is under way there ends well', async (context) => {
  const gate = createGate();
  const { port, servers } = await startFleet(context, ['127.0.0.1', '127.0.0.2', '127.0.0.3'], (request, response) => {
    const { localAddress } = request.socket;
    if (request.url === '/slow') void gate.opened.then(() => response.end(localAddress));
    else response.end(localAddress);
  });
  const zone: Zone = { 'shop.test': ['127.0.0.1', '127.0.0.2'] };
  const running = await startNamed(context, zone, { stable: { servers: [`http://shop.test:${port}`] } });
  const slow = [0, 1].map(async () => send({ port: running.port, path: '/slow' }));
  await eventually('both are busy', async () => (await sumOf(running.metrics, 'graygate_requests_in_flight')) === 2);
  zone['shop.test'] = ['127.0.0.2', '127.0.0.3'];
  await eventually('the new one is asked', async () => (await running.bodiesOf(2)).includes('127.0.0.3'));
  assert.deepEqual((await running.bodiesOf(4)).toSorted(), ['127.0.0.2', '127.0.0.2', '127.0.0.3', '127.0.0.3']);
  gate.open();
  const ends = await Promise.all(slow);
  assert.deepEqual(ends.map(({ status, body }) => `${status} ${body}`).toSorted(), ['200 127.0.0.1', '200 127.0.0.2']);
  const addresses = running.metrics.servers.addresses('shop', 'stable', `http://shop.test:${port}`);
  assert.deepEqual(
    addresses.map(({ address }) => address),
    ['127.0.0.2', '127.0.0.3'],
  );
  const connectionCount = promisify(servers[0]!.getConnections.bind(servers[0]));
  await eventually('its connections are closed', async () => (await connectionCount()) === 0);
});

for (const trouble of ['missing', 'failing', 'silent'] as const) {
  test(`a name that is ${trouble} later on keeps its last addresses, which is said`, async (context) => {
    const { port } = await startFleet(context, ['127.0.0.1']);
    const zone: Zone = { 'shop.test': ['127.0.0.1'] };
    const running = await startNamed(context, zone, { stable: { servers: [`http://shop.test:${port}`] } });
    assert.deepEqual(await running.bodiesOf(1), ['127.0.0.1']);
    zone['shop.test'] = trouble;
    await eventually('it is noticed', () => running.metrics.servers.troubles().length === 1);
    assert.match(
      running.metrics.servers.troubles()[0]!,
      /could not be looked up \(E\w+\); its last addresses stay in use/,
    );
    assert.deepEqual(await running.bodiesOf(2), ['127.0.0.1', '127.0.0.1']);
    zone['shop.test'] = ['127.0.0.1'];
    await eventually('all is well again', () => running.metrics.servers.troubles().length === 0);
  });
}

test('a name that is not found at first is a server that is down, until it is found', async (context) => {
  const { port } = await startFleet(context, ['127.0.0.1']);
  const zone: Zone = {};
  const running = await startNamed(context, zone, { stable: { servers: [`http://shop.test:${port}`] } });
  const reply = await send({ port: running.port });
  assert.deepEqual([reply.status, reply.json()['code'], reply.header('retry-after')], [503, 'no-server', '1']);
  assert.equal(await sumOf(running.metrics, 'graygate_server_up'), 0);
  assert.equal((await running.metrics.render('')).text.includes('graygate_server_up{'), true);
  zone['shop.test'] = ['127.0.0.1'];
  await eventually('it is found', async () => (await send({ port: running.port })).status === 200);
  assert.equal(await sumOf(running.metrics, 'graygate_server_up'), 1);
});

test('a candidate whose name is not found is answered by the baseline', async (context) => {
  const { port } = await startFleet(context, ['127.0.0.1']);
  const running = await startNamed(
    context,
    {},
    { stable: `http://127.0.0.1:${port}`, canary: { servers: ['http://none.test'] } },
  );
  assert.deepEqual(await running.bodiesOf(2), ['127.0.0.1', '127.0.0.1']);
  assert.deepEqual(new Set(running.outcomes.map(({ fallback }) => fallback)), new Set(['no-server']));
});

test('localhost is left to the platform', async (context) => {
  const { port } = await startFleet(context, ['127.0.0.1']);
  const running = await startNamed(context, { localhost: 'missing' }, { stable: `http://localhost:${port}` });
  assert.deepEqual(await running.bodiesOf(1), ['127.0.0.1']);
  assert.deepEqual(running.asked, []);
});

test('a WebSocket goes to the address that the name led to', async (context) => {
  const echo = await startEchoServer(context, 'echo');
  const { port } = new URL(echo.origin);
  const running = await startNamed(context, { 'shop.test': ['127.0.0.1'] }, { stable: `http://shop.test:${port}` });
  const socket = await openWebSocket(context, running.url);
  assert.equal((await exchangeMessages(socket, 'x')).toString(), 'echo:x');
});

test('a policy that goes takes its names along: nobody asks for them any more', async (context) => {
  const { port } = await startFleet(context, ['127.0.0.1']);
  const zone: Zone = { 'shop.test': ['127.0.0.1'] };
  const running = await startNamed(context, zone, { stable: `http://shop.test:${port}` });
  await eventually('it is asked for twice', () => running.asked.length >= 2);
  running.gateway.adopt(shopPolicy({ stable: `http://other.test:${port}` }));
  await eventually(
    'the other one is asked for',
    () => running.asked.filter((name) => name === 'other.test').length > 3,
  );
  assert.ok(running.asked.lastIndexOf('shop.test') < running.asked.indexOf('other.test') + 2);
});
