// What a client may not do with a connection: be slow with headers or bodies, take nothing, or be one too many.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateways.ts';
import { send } from '../support/http-client.ts';
import { shopPolicy } from '../support/policies.ts';
import { RawClient } from '../support/raw-client.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';

const limits = { headerBytes: 16_384, bodyBytes: Infinity, connections: Infinity, connectionsPerSecond: Infinity };
const timeouts = { headerMs: 10_000, idleMs: 75_000, drainMs: 30_000 };

test('headers that do not arrive in time are cut with 408', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const policy = shopPolicy({ stable: upstream.origin, timeouts: { ...timeouts, headerMs: 200 } });
  const { port, malformed, outcomes } = await startGateway(context, policy);
  const slow = new RawClient(port);
  slow.send('GET / HTTP/1.1\r\nHost: shop.test\r\nX-Slow: ');
  const second = new RawClient(port);
  second.send('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\nGET /more HTTP/1.1\r\nHost:');
  await slow.untilEnded();
  await second.untilEnded();
  assert.deepEqual(
    slow.replies().map(({ status }) => status),
    [408],
  );
  assert.deepEqual(
    second.replies().map(({ status }) => status),
    [200, 408],
  );
  assert.deepEqual(malformed, [408, 408]);
  await eventually('the outcomes', () => outcomes.length >= 1);
  assert.equal(outcomes.length, 1);
});

test('a connection that never sent anything is closed without a word', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const policy = shopPolicy({ stable: upstream.origin, timeouts: { ...timeouts, headerMs: 200 } });
  const { port, malformed } = await startGateway(context, policy);
  const silent = new RawClient(port);
  assert.equal(await silent.untilEnded(), 'closed');
  assert.equal(silent.received, '');
  assert.deepEqual(malformed, []);
});

test('an idle connection is closed after its time without a word', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const policy = shopPolicy({ stable: upstream.origin, timeouts: { ...timeouts, idleMs: 100 } });
  const { port, malformed } = await startGateway(context, policy);
  const client = new RawClient(port);
  client.send('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
  await client.untilEnded();
  assert.deepEqual(
    client.replies().map(({ status }) => status),
    [200],
  );
  assert.deepEqual(malformed, []);
});

test('a body that stalls is refused with 408 and its request to the server given up', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const policy = shopPolicy({ stable: upstream.origin, timeouts: { ...timeouts, idleMs: 1_000 } });
  const { port, outcomes } = await startGateway(context, policy);
  const client = new RawClient(port);
  client.send('POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 10\r\n\r\nhalf');
  await client.untilEnded();
  assert.deepEqual(
    client.replies().map(({ status }) => status),
    [408],
  );
  await eventually('the server is told', () => upstream.requests[0]?.aborted);
  await eventually('the outcomes', () => outcomes.length >= 1);
  assert.deepEqual(
    outcomes.map(({ status, faults, requestByteCount }) => [status, faults.length, requestByteCount]),
    [[408, 0, 4]],
  );
});

test('a server that takes no body is the one that is too slow, not the client', async (context) => {
  const upstream = await startRecordingUpstream(context, (request) => void request.pause());
  const stable = { servers: [upstream.origin], timeouts: { connectMs: 30_000, responseMs: 3_000, idleMs: 60_000 } };
  const policy = shopPolicy({ stable, timeouts: { ...timeouts, idleMs: 1_000 } });
  const { port, outcomes } = await startGateway(context, policy);
  const client = new RawClient(port);
  client.send(`POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: ${2 ** 25}\r\n\r\n`);
  client.send(Buffer.alloc(2 ** 24));
  const [outcome] = await eventually('the outcome', () => (outcomes.length > 0 ? outcomes : null));
  assert.equal(outcome!.status, 504);
  assert.deepEqual(
    outcome!.faults.map(({ kind }) => kind),
    ['timeout'],
  );
  client.socket.destroy();
});

test('a client that takes nothing of a response is cut after its time', async (context) => {
  const upstream = await startRecordingUpstream(
    context,
    (_request, response) => void response.end(Buffer.alloc(2 ** 25)),
  );
  const policy = shopPolicy({ stable: upstream.origin, timeouts: { ...timeouts, idleMs: 200 } });
  const { port, outcomes } = await startGateway(context, policy);
  const client = new RawClient(port);
  client.socket.pause();
  client.send('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
  const [outcome] = await eventually('the outcome', () => (outcomes.length > 0 ? outcomes : null));
  assert.deepEqual([outcome!.status, outcome!.ending, outcome!.faults.length], [200, 'cut', 0]);
  await eventually('the server is told', () => upstream.requests[0]!.aborted);
  client.socket.destroy();
});

test('a connection beyond the limit gets 503, until another one ends', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const policy = shopPolicy({ stable: upstream.origin, limits: { ...limits, connections: 2 } });
  const { port, malformed, gateway } = await startGateway(context, policy);
  const [one, two] = [new RawClient(port), new RawClient(port)];
  for (const client of [one, two]) {
    client.send('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    await client.untilReplies(1);
  }
  const surplus = new RawClient(port);
  surplus.send('GET /surplus HTTP/1.1\r\nHost: shop.test\r\n\r\n');
  await surplus.untilEnded();
  assert.ok(surplus.replies().every(({ status }) => status === 503));
  assert.deepEqual(malformed, [503]);
  one.socket.destroy();
  await eventually('there is room again', async () => (await send({ port }).catch(() => null))?.status === 200);
  assert.ok(upstream.requests.every(({ url }) => url === '/'));
  gateway.adopt(shopPolicy({ stable: upstream.origin }));
  assert.equal(
    (await Promise.all(Array.from({ length: 5 }, () => send({ port })))).every(({ status }) => status === 200),
    true,
  );
  two.socket.destroy();
});

test('new connections beyond so many a second get 503, and as many may come again after a second', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const policy = shopPolicy({ stable: upstream.origin, limits: { ...limits, connectionsPerSecond: 20 } });
  const { port, malformed } = await startGateway(context, policy);
  const statuses = async (count: number): Promise<(number | undefined)[]> =>
    Promise.all(Array.from({ length: count }, async () => (await send({ port }).catch(() => null))?.status));
  const beganMs = performance.now();
  const first = await statuses(60);
  const served = first.filter((status) => status === 200).length;
  const most = 20 + Math.ceil(((performance.now() - beganMs) / 1_000) * 20);
  assert.ok(served >= 20 && served <= most, `expected 20 of 60, and ${most} in this time at most, got ${served}`);
  assert.equal(malformed.length, 60 - served);
  assert.ok(malformed.every((status) => status === 503));
  await eventually('there is room again', async () => (await send({ port }).catch(() => null))?.status === 200);
  assert.equal(upstream.connectionCount <= served + 1, true);
});

test('connections that stay are not counted again with each request', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const policy = shopPolicy({ stable: upstream.origin, limits: { ...limits, connectionsPerSecond: 1 } });
  const { port, malformed } = await startGateway(context, policy);
  const client = new RawClient(port);
  for (let count = 1; count <= 10; count += 1) {
    client.send('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    await client.untilReplies(count);
  }
  assert.deepEqual(malformed, []);
  client.socket.destroy();
});
