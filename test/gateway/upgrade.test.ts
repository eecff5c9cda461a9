// Requests to switch protocols, byte by byte: what a tunnel must carry, and what must never become one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateways.ts';
import { shopPolicy } from '../support/policies.ts';
import { RawClient, sendUntilClosed } from '../support/raw-client.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';

const handshake = (more = ''): string =>
  `GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n${more}\r\n`;
const switching = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';

test('what a client sends behind its handshake, and a server behind its answer, is not lost', async (context) => {
  const upstream = await startRawUpstream(context, ({ socket }, headCount) => {
    if (headCount === 1) socket.write(`${switching}early from the server`);
  });
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const client = new RawClient(port);
  client.send(`${handshake()}early from the client GET /x HTTP/1.1\r\n`);
  await client.untilText('early from the server');
  await eventually('the server has it', () => upstream.received().includes('early from the client GET /x'));
  const beforeSwitch = upstream.received().split('\r\n\r\n')[1];
  assert.match(beforeSwitch!, /^early from the client/);
  client.socket.destroy();
});

test('what a server sent before it closed reaches a client that reads slowly', async (context) => {
  const size = 2 ** 24;
  const upstream = await startRawUpstream(context, ({ socket }) => {
    socket.write(switching);
    socket.end(Buffer.alloc(size, 'x'));
  });
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const client = new RawClient(port);
  client.send(handshake());
  client.socket.on('data', () => {
    client.socket.pause();
    setTimeout(() => client.socket.resume(), 1);
  });
  assert.equal(await client.untilEnded(), 'closed');
  assert.equal(client.received.length - client.received.indexOf('\r\n\r\n') - 4, size);
});

test('a refusal that breaks off does not look whole', async (context) => {
  const refusals = ['Transfer-Encoding: chunked\r\n\r\n9\r\nhalf', 'Content-Length: 9\r\n\r\nhalf'];
  for (const rest of refusals) {
    const upstream = await startRawUpstream(
      context,
      ({ socket }) => void socket.end(`HTTP/1.1 403 Forbidden\r\n${rest}`),
    );
    const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
    const client = new RawClient(port);
    client.send(handshake());
    assert.equal(await client.untilEnded(), 'reset');
    await eventually('the outcome', () => outcomes.length === 1);
    assert.deepEqual([outcomes[0]!.status, outcomes[0]!.ending, outcomes[0]!.faults.length], [403, 'cut', 1]);
  }
});

test('a refusal that stops is cut after its time', async (context) => {
  const upstream = await startRawUpstream(
    context,
    ({ socket }) => void socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nhalf'),
  );
  const stable = { servers: [upstream.origin], timeouts: { connectMs: 30_000, responseMs: 30_000, idleMs: 200 } };
  const { port, outcomes } = await startGateway(context, shopPolicy({ stable }));
  const client = new RawClient(port);
  client.send(handshake());
  await client.untilEnded();
  await eventually('the outcome', () => outcomes.length === 1);
  assert.deepEqual(
    outcomes[0]!.faults.map(({ kind }) => kind),
    ['timeout'],
  );
});

test('nothing behind a refused handshake is served', async (context) => {
  const upstream = await startRecordingUpstream(context, (_request, response) => void response.writeHead(426).end());
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const replies = await sendUntilClosed(port, `${handshake()}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
  assert.deepEqual(
    replies.map(({ status }) => status),
    [426],
  );
  assert.equal(upstream.requests.length, 1);
});

test('a client that leaves before the server has answered is not waited for', async (context) => {
  const upstream = await startRawUpstream(context, () => undefined);
  const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const client = new RawClient(port);
  client.send(handshake());
  await eventually(
    'the server has the handshake',
    () => upstream.connections.length === 1 && upstream.received() !== '',
  );
  client.socket.resetAndDestroy();
  await eventually('the server is told', () => upstream.connections[0]!.closed);
  await eventually('the outcomes', () => outcomes.length >= 1);
  assert.deepEqual(
    outcomes.map(({ status, ending, faults }) => [status, ending, faults.length]),
    [[499, 'client-left', 0]],
  );
});

test('an offer of h2c, or of anything but WebSocket, is answered in HTTP/1.1', async (context) => {
  const upstream = await startRecordingUpstream(context, (request, response) => {
    request.on('end', () => response.writeHead(200, { 'Content-Length': 2 }).end('ok'));
  });
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const client = new RawClient(port);
  const h2c = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';
  client.send(`GET /1 HTTP/1.1\r\nHost: a\r\n${h2c}\r\n`);
  await client.untilReplies(1);
  client.send(`POST /2 HTTP/1.1\r\nHost: a\r\n${h2c}Content-Length: 3\r\n\r\nabc`);
  await client.untilReplies(2);
  client.send('GET /3 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: TLS/1.0\r\n\r\n');
  const replies = await client.untilReplies(3);
  assert.deepEqual(
    replies.map(({ status }) => status),
    [200, 200, 200],
  );
  assert.deepEqual(
    upstream.requests.map(({ url, body }) => [url, body]),
    [
      ['/1', ''],
      ['/2', 'abc'],
      ['/3', ''],
    ],
  );
  assert.ok(upstream.requests.every((request) => !request.header('upgrade') && !request.header('http2-settings')));
  client.socket.destroy();
});

test('a handshake with a body, of HTTP/1.0, or of another method is an ordinary request', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const upgrade = 'Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
  const hidden = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
  const requests = [
    `GET /body HTTP/1.1\r\n${upgrade}Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
    `POST /post HTTP/1.1\r\n${upgrade}Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
    `GET /old HTTP/1.0\r\n${upgrade}\r\n`,
  ];
  for (const bytes of requests) {
    const client = new RawClient(port);
    client.send(bytes);
    assert.equal((await client.untilReplies(1))[0]!.status, 200);
    client.socket.destroy();
  }
  assert.deepEqual(
    upstream.requests.map(({ url, body }) => [url, body]),
    [
      ['/body', hidden],
      ['/post', hidden],
      ['/old', ''],
    ],
  );
  assert.ok(upstream.requests.every((request) => !request.header('upgrade')));
});

test('an ambiguous handshake is refused like any other request', async (context) => {
  const upstream = await startRawUpstream(context, () => undefined);
  const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const replies = await sendUntilClosed(port, `${handshake('Host: b\r\n')}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
  assert.deepEqual(
    replies.map(({ status }) => status),
    [400],
  );
  assert.equal(upstream.received(), '');
  await eventually('the outcomes', () => outcomes.length >= 1);
  assert.deepEqual(
    outcomes.map(({ status, ending }) => [status, ending]),
    [[400, 'refused']],
  );
});
