// Clients that mean harm: what they send looks almost like what the gateway vouches for, takes over, or waits for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateways.ts';
import { send, valuesOf } from '../support/http-client.ts';
import { everyAddress, shopPolicy } from '../support/policies.ts';
import { RawClient, sendUntilClosed } from '../support/raw-client.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';

const upgradeTo = (protocols: string): string =>
  `GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AA\r\nUpgrade: ${protocols}\r\n\r\n`;

test('an offer of WebSocket with another protocol beside it never reaches a server', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  for (const protocols of ['websocket, h2c', 'h2c, websocket', 'websocket,h2c']) {
    const client = new RawClient(port);
    client.send(upgradeTo(protocols));
    assert.equal((await client.untilReplies(1))[0]!.status, 200, protocols);
    client.socket.destroy();
  }
  assert.equal(upstream.requests.length, 3);
  assert.ok(upstream.requests.every((request) => request.header('upgrade') === undefined));
  assert.ok(upstream.requests.every((request) => request.header('http2-settings') === undefined));
});

test('a server that switches to what nobody asked for is a fault, and no tunnel opens', async (context) => {
  for (const chosen of ['Upgrade: h2c\r\n', '']) {
    const upstream = await startRawUpstream(context, ({ socket }) => {
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${chosen}Connection: Upgrade\r\n\r\nraw`);
    });
    const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
    const replies = await sendUntilClosed(port, upgradeTo('websocket'));
    assert.deepEqual(
      replies.map(({ status }) => status),
      [502],
    );
    await eventually('the server is left', () => upstream.connections[0]!.closed);
    await eventually('the outcome', () => outcomes.length === 1);
    assert.deepEqual(
      outcomes.map(({ ending, faults }) => [ending, faults.map(({ kind }) => kind)]),
      [['refused', ['protocol']]],
    );
  }
});

test('names that CGI reads as what the gateway vouches for are taken away, whoever sends them', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin, trustedProxies: everyAddress }));
  const impostors = [
    'X_Forwarded_For',
    'x_graygate_version',
    'X_Graygate-Rollout',
    'X_Request-Id',
    'Transfer_Encoding',
  ];
  const headers = [...impostors, 'X_User_Id', '_'].flatMap((name) => [name, 'mine']);
  assert.equal((await send({ port, headers })).status, 200);
  const { rawHeaders } = upstream.requests[0]!;
  for (const name of impostors) assert.deepEqual(valuesOf(rawHeaders, name.toLowerCase()), [], name);
  assert.deepEqual(valuesOf(rawHeaders, 'x_user_id'), ['mine']);
  assert.deepEqual(valuesOf(rawHeaders, '_'), ['mine']);
});

test('one connection has a bounded number of requests under way, however many it pipelines', async (context) => {
  const held: (() => void)[] = [];
  const upstream = await startRecordingUpstream(context, (_request, response) => {
    held.push(() => response.end('ok'));
  });
  const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const client = new RawClient(port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(1_000));
  await eventually('100 requests', () => held.length === 100);
  for (const answer of held) answer();
  const replies = await client.untilReplies(101);
  assert.equal(await client.untilEnded(), 'closed');
  assert.deepEqual([replies.length, replies[99]!.status, replies[100]!.status], [101, 200, 503]);
  await eventually('every outcome', () => outcomes.length === 101);
  assert.equal(upstream.requests.length, 100);
});

test('a client that pipelines a few at a time may go on for as long as it likes', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const client = new RawClient(port);
  for (let round = 1; round <= 20; round += 1) {
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(10));
    const replies = await client.untilReplies(round * 10);
    assert.ok(replies.every(({ status }) => status === 200));
  }
  client.socket.destroy();
});

test('a length that numbers cannot hold is refused, and nothing behind it is read', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  for (const length of ['18446744073709551615', '9007199254740993']) {
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
    const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;
    assert.deepEqual(
      (await sendUntilClosed(port, head + smuggled)).map(({ status }) => status),
      [413],
    );
  }
  assert.equal(upstream.requests.length, 0);
});

test('a client that is slow to send its body does not make the version look as if it answered nobody', async (context) => {
  const upstream = await startRecordingUpstream(context, () => undefined);
  const { port, metrics } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const { pulse } = metrics.probe('shop', 'stable');
  const slow = new RawClient(port);
  slow.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na');
  await eventually('the server has it', () => upstream.requests.length === 1);
  assert.equal(pulse.unansweredSinceMs, null);

  const whole = new RawClient(port);
  whole.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await eventually('the version is waited for', () => pulse.unansweredSinceMs !== null);
  whole.socket.destroy();
  await eventually('nobody waits any more', () => pulse.unansweredSinceMs === null);

  slow.send('b');
  await eventually('now it is the version that is slow', () => pulse.unansweredSinceMs !== null);
  slow.socket.destroy();
  await eventually('nobody waits any more', () => pulse.unansweredSinceMs === null);
});
