// WebSockets over HTTP/2 (RFC 8441): one stream is the connection, the server sees a handshake of HTTP/1.1.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { test } from 'node:test';
import { tlsOf } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { faultsBeforeHead } from '../support/faulty-upstreams.ts';
import { startGateway, type TestContext } from '../support/gateways.ts';
import { headersOf, valuesOf } from '../support/http-client.ts';
import { beginHttp2, openHttp2, readHttp2 } from '../support/http2-client.ts';
import { sumOf } from '../support/metric-samples.ts';
import { shopPolicy } from '../support/policies.ts';
import { answering, startRawUpstream } from '../support/raw-upstream.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';
import { startEchoServer } from '../support/websockets.ts';

async function openSession(context: TestContext, port: number): Promise<ClientHttp2Session> {
  const session = await openHttp2(context, port);
  if (!session.remoteSettings.enableConnectProtocol) await once(session, 'remoteSettings');
  assert.equal(session.remoteSettings.enableConnectProtocol, true);
  return session;
}

/** The stream of an extended CONNECT, its answer not yet there. */
function ask(session: ClientHttp2Session, headers: readonly string[] = []): ClientHttp2Stream {
  const own = [':protocol', 'websocket', 'sec-websocket-version', '13', ...headers];
  return beginHttp2(session, { method: 'CONNECT', path: '/chat?room=1', headers: own, body: '' });
}

/** The status that a stream is answered with. */
async function statusOf(stream: ClientHttp2Stream): Promise<number> {
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  return Number(headers[':status']);
}

/** Sends one text message and hands back the text of the next one that comes; both shorter than 126 bytes. */
async function exchange(stream: ClientHttp2Stream, text: string): Promise<string> {
  const answer = once(stream, 'data');
  stream.write(Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0, ...Buffer.from(text, 'latin1')]));
  const [frame] = (await answer) as [Buffer];
  assert.deepEqual([frame[0], frame[1]], [0x81, frame.length - 2]);
  return frame.toString('latin1', 2);
}

/** What a server says to a key (RFC 6455, 1.3). */
function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

test('messages pass in both directions, on several streams of one connection', async (context) => {
  const echo = await startEchoServer(context, 'stable');
  const { port, outcomes, metrics } = await startGateway(context, shopPolicy({ stable: echo.origin, tls: tlsOf() }));
  const session = await openSession(context, port);
  const own = headersOf(
    'x-user-id: u-1',
    'origin: https://shop.test',
    'cookie: a=1',
    'cookie: b=2',
    'sec-websocket-key: own',
  );
  const stream = ask(session, [...own, 'sec-websocket-protocol', 'v1.chat, v2.chat']);
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  assert.deepEqual(
    [headers[':status'], headers['sec-websocket-protocol'], headers['x-graygate-version']],
    [200, 'v2.chat', 'stable'],
  );
  for (const name of ['connection', 'upgrade', 'sec-websocket-accept']) assert.equal(headers[name], undefined);
  assert.equal(await exchange(stream, 'hello'), 'stable:hello');
  const beside = ask(session);
  assert.equal(await statusOf(beside), 200);
  assert.equal(await exchange(beside, 'beside'), 'stable:beside');
  assert.equal(await exchange(stream, 'again'), 'stable:again');
  assert.equal(await sumOf(metrics, 'graygate_requests_in_flight'), 2);
  const [seen] = echo.handshakes;
  assert.deepEqual([seen!.method, seen!.url, seen!.httpVersion], ['GET', '/chat?room=1', '1.1']);
  assert.deepEqual(
    ['host', 'origin', 'cookie', 'x-forwarded-proto'].map((name) => seen!.headers[name]),
    ['shop.test', 'https://shop.test', 'a=1; b=2', 'https'],
  );
  assert.equal(valuesOf(seen!.rawHeaders, 'sec-websocket-key').length, 1);
  assert.notEqual(seen!.headers['sec-websocket-key'], 'own');
  stream.end();
  await once(echo.sockets[0]!, 'close');
  await eventually('the outcome', () => outcomes.length === 1);
  assert.deepEqual([outcomes[0]!.status, outcomes[0]!.ending, outcomes[0]!.user], [101, 'upgraded', 'u-1']);
  assert.equal(await exchange(beside, 'still'), 'stable:still');
});

test('a large stream of bytes passes with back-pressure', async (context) => {
  const upstream = await startRawUpstream(context, ({ socket, text }) => {
    const key = /^Sec-WebSocket-Key: (.*)\r$/im.exec(text)![1]!;
    const accept = acceptOf(key);
    socket.write(
      `HTTP/1.1 101 OK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.write(Buffer.alloc(2 ** 23, 'd'));
  });
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin, tls: tlsOf() }));
  const stream = ask(await openSession(context, port));
  let received = 0;
  stream.on('data', (chunk: Buffer) => (received += chunk.length));
  stream.write(Buffer.alloc(2 ** 22, 'u'));
  await eventually('all of both', () => received === 2 ** 23 && upstream.received().length > 2 ** 22);
});

/** Timers that keep this process alive. */
function timerCount(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

for (const code of [8, 0]) {
  test(`a client that resets its stream with ${code} ends the server's connection`, async (context) => {
    const echo = await startEchoServer(context, 'stable');
    const { port, outcomes } = await startGateway(context, shopPolicy({ stable: echo.origin, tls: tlsOf() }));
    const timersBefore = timerCount();
    const session = await openSession(context, port);
    const stream = ask(session);
    assert.equal(await statusOf(stream), 200);
    await eventually('the server has it', () => echo.sockets.length === 1);
    const closed = once(echo.sockets[0]!, 'close');
    stream.close(code);
    await closed;
    await eventually('the outcome', () => outcomes.length === 1);
    assert.deepEqual([outcomes[0]!.ending, outcomes[0]!.faults.length], ['upgraded', 0]);
    session.destroy();
    await eventually('nobody waits any more', () => timerCount() <= timersBefore, 10_000);
  });
}

test('a server that closes ends the stream, one that resets does too, and counts as its fault', async (context) => {
  const echo = await startEchoServer(context, 'stable');
  const { port, outcomes } = await startGateway(context, shopPolicy({ stable: echo.origin, tls: tlsOf() }));
  const session = await openSession(context, port);
  const first = ask(session);
  assert.equal(await statusOf(first), 200);
  await exchange(first, 'x');
  const ended = once(first, 'close');
  first.on('end', () => first.end()).resume();
  (echo.sockets[0] as unknown as { _socket: { end(): void } })._socket.end();
  await ended;
  const second = ask(session);
  assert.equal(await statusOf(second), 200);
  const cut = once(second, 'close');
  (echo.sockets[1] as unknown as { _socket: { resetAndDestroy(): void } })._socket.resetAndDestroy();
  await cut;
  await eventually('the outcomes', () => outcomes.length === 2);
  assert.deepEqual(
    outcomes.map(({ ending, faults }) => [ending, faults.length]),
    [
      ['upgraded', 0],
      ['cut', 1],
    ],
  );
});

test('a refusal is passed on as the server answered', async (context) => {
  const upstream = await startRecordingUpstream(context, (_request, response) => {
    response.writeHead(401, ['WWW-Authenticate', 'Bearer', 'WWW-Authenticate', 'Basic']).end('who are you?');
  });
  const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin, tls: tlsOf() }));
  const reply = await readHttp2(ask(await openSession(context, port)));
  assert.deepEqual([reply.status, reply.body], [401, 'who are you?']);
  assert.deepEqual(valuesOf(reply.rawHeaders, 'www-authenticate'), ['Bearer', 'Basic']);
  await eventually('the outcome', () => outcomes.length === 1);
  assert.deepEqual([outcomes[0]!.status, outcomes[0]!.ending], [401, 'complete']);
});

for (const [what, bytes] of [
  ['says yes to something else', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  [
    'does not answer to the key',
    'HTTP/1.1 101 OK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n',
  ],
] as const) {
  test(`a server that ${what} has not agreed: 502`, async (context) => {
    const upstream = await startRawUpstream(context, answering(bytes));
    const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin, tls: tlsOf() }));
    const reply = await readHttp2(ask(await openSession(context, port)));
    assert.deepEqual([reply.status, reply.header('content-type')], [502, 'application/problem+json']);
    await eventually('the outcome', () => outcomes.length === 1);
    assert.equal(outcomes[0]!.faults[0]!.kind, 'protocol');
  });
}

test('a canary that refuses connections leaves its WebSocket to the baseline', async (context) => {
  const stable = await startEchoServer(context, 'stable');
  const canary = await faultsBeforeHead['refuses the connection']!.start(context);
  const { port } = await startGateway(context, shopPolicy({ stable: stable.origin, canary, tls: tlsOf() }));
  const stream = ask(await openSession(context, port), ['x-user-id', 'u-1']);
  assert.equal(await statusOf(stream), 200);
  assert.equal(await exchange(stream, 'x'), 'stable:x');
});

test('another protocol than websocket gets 501', async (context) => {
  const { port } = await startGateway(context, shopPolicy({ stable: 'http://127.0.0.1:1', tls: tlsOf() }));
  const session = await openSession(context, port);
  const stream = beginHttp2(session, { method: 'CONNECT', headers: [':protocol', 'connect-udp'], body: '' });
  assert.equal((await readHttp2(stream)).status, 501);
});

test('at the deadline of the end open ones are cut', async (context) => {
  const echo = await startEchoServer(context, 'stable');
  const { port, gateway } = await startGateway(context, shopPolicy({ stable: echo.origin, tls: tlsOf() }));
  const stream = ask(await openSession(context, port));
  assert.equal(await statusOf(stream), 200);
  const closed = once(echo.sockets[0]!, 'close');
  await gateway.close(200);
  await closed;
});
