// WebSockets through the tunnel: both directions, every header, and what happens when a side refuses or goes away.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { faultsBeforeHead } from '../support/faulty-upstreams.ts';
import { startGateway } from '../support/gateways.ts';
import { send, valuesOf } from '../support/http-client.ts';
import { sumOf } from '../support/metric-samples.ts';
import { shopPolicy } from '../support/policies.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';
import { exchangeMessages, openWebSocket, startEchoServer } from '../support/websockets.ts';

test('messages of every size and kind pass in both directions', async (context) => {
  const echo = await startEchoServer(context, 'stable');
  const { url, outcomes, metrics } = await startGateway(context, shopPolicy({ stable: echo.origin }));
  const socket = await openWebSocket(context, `${url}/chat?room=1`, { headers: { 'x-user-id': 'u-1' } });
  assert.equal((await exchangeMessages(socket, 'hello')).toString(), 'stable:hello');
  const large = Buffer.alloc(2 ** 22, 'x');
  assert.ok((await exchangeMessages(socket, large)).equals(large));
  assert.equal(await sumOf(metrics, 'graygate_requests_in_flight', { version: 'stable' }), 1);
  assert.equal(outcomes.length, 0);
  socket.close(4_321, 'done');
  const [code] = (await once(echo.sockets[0]!, 'close')) as [number];
  assert.equal(code, 4_321);
  await eventually('the outcome', () => outcomes.length === 1);
  const [outcome] = outcomes;
  assert.deepEqual([outcome!.status, outcome!.ending, outcome!.target], [101, 'upgraded', '/chat?room=1']);
  assert.ok(outcome!.requestByteCount > 2 ** 22 && outcome!.responseByteCount > 2 ** 22);
  assert.equal(await sumOf(metrics, 'graygate_requests_total', { code: '101', method: 'GET' }), 1);
  assert.equal(await sumOf(metrics, 'graygate_requests_in_flight'), 0);
});

test('subprotocols, extensions, cookies and every other header of the handshake pass', async (context) => {
  const echo = await startEchoServer(context, 'stable');
  const { url } = await startGateway(context, shopPolicy({ stable: echo.origin }));
  const headers = {
    Cookie: 'a=1',
    Authorization: 'Bearer x',
    'X-One': '1',
    'x-one-more': '2',
    'x-graygate-version': 'forged',
  };
  const protocols = ['v1.chat', 'v2.chat'];
  const socket = await openWebSocket(context, `${url}/a%2Fb//c?d`, { headers, protocols, origin: 'http://shop.test' });
  assert.equal(socket.protocol, 'v2.chat');
  const seen = echo.handshakes[0]!;
  assert.equal(seen.url, '/a%2Fb//c?d');
  assert.equal(seen.headers.cookie, 'a=1');
  assert.equal(seen.headers.authorization, 'Bearer x');
  assert.deepEqual([seen.headers['x-one'], seen.headers['x-one-more']], ['1', '2']);
  assert.equal(seen.headers.origin, 'http://shop.test');
  assert.equal(seen.headers['sec-websocket-protocol'], 'v1.chat,v2.chat');
  assert.match(seen.headers['sec-websocket-extensions']!, /permessage-deflate/);
  assert.deepEqual(valuesOf(seen.rawHeaders, 'x-graygate-version'), ['stable']);
  assert.equal(seen.headers['x-forwarded-for'], '127.0.0.1');
  assert.match(seen.headers['x-request-id'] as string, /^[0-9a-f]{32}$/);
  assert.equal(socket.handshake.headers['x-graygate-version'], 'stable');
  assert.match(socket.handshake.headers['set-cookie']![0]!, /^graygate_uid=/);
});

test('a WebSocket goes to the version of its user', async (context) => {
  const [stable, canary] = [await startEchoServer(context, 'stable'), await startEchoServer(context, 'canary')];
  const { url } = await startGateway(context, shopPolicy({ stable: stable.origin, canary: canary.origin }));
  const socket = await openWebSocket(context, url, { headers: { 'x-user-id': 'u-1' } });
  assert.equal((await exchangeMessages(socket, 'x')).toString(), 'canary:x');
});

test('a server that refuses the connection is 502 before any switch of protocols', async (context) => {
  const origin = await faultsBeforeHead['refuses the connection']!.start(context);
  const { url, outcomes } = await startGateway(context, shopPolicy({ stable: origin }));
  await assert.rejects(openWebSocket(context, url), /Unexpected server response: 502/);
  await eventually('the outcome', () => outcomes.length === 1);
  assert.deepEqual(
    [outcomes[0]!.status, outcomes[0]!.ending, outcomes[0]!.faults[0]!.kind],
    [502, 'refused', 'connect'],
  );
});

for (const [what, faulty] of Object.entries(faultsBeforeHead)) {
  if (what === 'switches protocols unasked' || what === 'sends a status below 100') continue;
  test(`a canary that ${what} leaves its WebSocket to the baseline`, async (context) => {
    const stable = await startEchoServer(context, 'stable');
    const canary = { servers: [await faulty.start(context)], timeouts: faulty.timeouts };
    const { url, outcomes, metrics } = await startGateway(context, shopPolicy({ stable: stable.origin, canary }));
    const socket = await openWebSocket(context, url, { headers: { 'x-user-id': 'u-1' } });
    assert.equal((await exchangeMessages(socket, 'x')).toString(), 'stable:x');
    socket.terminate();
    await eventually('the outcome', () => outcomes.length === 1);
    assert.deepEqual([outcomes[0]!.reason, outcomes[0]!.fallback], ['fallback', faulty.kind]);
    assert.ok(outcomes[0]!.faults.every((fault) => fault.version.name === 'canary' && fault.kind === faulty.kind));
    assert.equal(await sumOf(metrics, 'graygate_requests_in_flight'), 0);
  });
}

test('a server that answers 401 is passed on as it answered, and the connection closes', async (context) => {
  const upstream = await startRecordingUpstream(context, (_request, response) => {
    response.writeHead(401, ['WWW-Authenticate', 'Bearer', 'WWW-Authenticate', 'Basic']).end('who are you?');
  });
  const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const headers = [
    'Connection',
    'Upgrade',
    'Upgrade',
    'websocket',
    'Sec-WebSocket-Key',
    'eA==',
    'Sec-WebSocket-Version',
    '13',
  ];
  const reply = await send({ port, headers });
  assert.deepEqual([reply.status, reply.body, reply.header('connection')], [401, 'who are you?', 'close']);
  assert.deepEqual(valuesOf(reply.rawHeaders, 'www-authenticate'), ['Bearer', 'Basic']);
  assert.equal(reply.header('x-graygate-version'), 'stable');
  await eventually('the outcome', () => outcomes.length === 1);
  assert.deepEqual([outcomes[0]!.status, outcomes[0]!.ending, outcomes[0]!.responseByteCount], [401, 'complete', 12]);
});

test('a client that resets, and a server that does, end both sides and nothing else', async (context) => {
  const echo = await startEchoServer(context, 'stable');
  const { url, outcomes, metrics } = await startGateway(context, shopPolicy({ stable: echo.origin }));
  const first = await openWebSocket(context, url);
  underlying(first).resetAndDestroy();
  await once(echo.sockets[0]!, 'close');
  const second = await openWebSocket(context, url);
  second.on('error', () => undefined);
  await exchangeMessages(second, 'x');
  underlying(echo.sockets[1]!).resetAndDestroy();
  await once(second, 'close');
  const third = await openWebSocket(context, url);
  assert.equal((await exchangeMessages(third, 'still here')).toString(), 'stable:still here');
  await eventually('two outcomes', () => outcomes.length === 2);
  assert.deepEqual(
    outcomes.map(({ ending, faults }) => [ending, faults.length]),
    [
      ['upgraded', 0],
      ['cut', 1],
    ],
  );
  assert.equal(await sumOf(metrics, 'graygate_requests_in_flight'), 1);
});

/** The connection below a WebSocket, which `ws` does not show. */
function underlying(socket: object): { resetAndDestroy(): void } {
  return (socket as { _socket: { resetAndDestroy(): void } })._socket;
}
