// The end of a gateway: what is under way ends, what is idle closes, what is late is cut.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { createGate, eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateways.ts';
import { send } from '../support/http-client.ts';
import { startLoad } from '../support/load.ts';
import { sumOf } from '../support/metric-samples.ts';
import { shopPolicy } from '../support/policies.ts';
import { RawClient } from '../support/raw-client.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';
import { openWebSocket, startEchoServer } from '../support/websockets.ts';

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

test('requests under way end, their answers close their connections, and no new one is taken', async (context) => {
  const gate = createGate();
  const upstream = await startRecordingUpstream(
    context,
    (_request, response) => void gate.opened.then(() => response.end('whole')),
  );
  const { gateway, port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const client = new RawClient(port);
  client.send(get);
  await eventually('it is under way', () => upstream.requests.length === 1);
  const closed = gateway.close(30_000);
  await assert.rejects(send({ port }), { code: 'ECONNREFUSED' });
  gate.open();
  await client.untilEnded();
  const [reply] = client.replies();
  assert.deepEqual([reply!.status, reply!.body, reply!.header('connection')], [200, 'whole', 'close']);
  await closed;
  await eventually('the outcomes', () => outcomes.length >= 1);
  assert.deepEqual(
    outcomes.map(({ ending }) => ending),
    ['complete'],
  );
});

test('connections that are idle, were never used, or become idle are closed at once', async (context) => {
  const gate = createGate();
  const upstream = await startRecordingUpstream(context, (request, response) => {
    response.writeHead(200, { 'Content-Length': 4 }).write('ha');
    if (request.url === '/slow') void gate.opened.then(() => response.end('lf'));
    else response.end('lf');
  });
  const { gateway, port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const [idle, unused, slow] = [new RawClient(port), new RawClient(port), new RawClient(port)];
  idle.send(get);
  await idle.untilReplies(1);
  slow.send(get.replace('/ ', '/slow '));
  await slow.untilText('ha');
  const closed = gateway.close(30_000);
  await Promise.all([idle.untilEnded(), unused.untilEnded()]);
  assert.equal(slow.ended, null);
  gate.open();
  // Its head went out before the end was known: nothing told the client that it is the last one.
  await slow.untilEnded();
  await closed;
  assert.deepEqual(
    slow.replies().map(({ body, whole }) => [body, whole]),
    [['half', true]],
  );
});

test('refusals close their connections too while the gateway drains', async (context) => {
  const gate = createGate();
  const dying = await startRecordingUpstream(
    context,
    (request) => void gate.opened.then(() => request.socket.destroy()),
  );
  const { gateway, port } = await startGateway(context, shopPolicy({ stable: dying.origin }));
  const client = new RawClient(port);
  client.send(get.replace('GET', 'PATCH'));
  await eventually('it is under way', () => dying.requests.length === 1);
  const closed = gateway.close(30_000);
  gate.open();
  await client.untilEnded();
  assert.deepEqual(
    client.replies().map((reply) => [reply.status, reply.header('connection')]),
    [[502, 'close']],
  );
  await closed;
});

test('at the deadline what is left is cut: requests, WebSockets and half a request', async (context) => {
  const upstream = await startRecordingUpstream(context, (_request, response) => void response.write('half'));
  const echo = await startEchoServer(context, 'echo');
  const policy = shopPolicy({ stable: upstream.origin, canary: echo.origin });
  const { gateway, port, url, outcomes, metrics } = await startGateway(context, policy);
  const socket = await openWebSocket(context, url, { headers: { 'x-user-id': 'u' } });
  socket.on('error', () => undefined);
  const [half, slow] = [new RawClient(port), new RawClient(port)];
  half.send('GET / HTTP/1.1\r\nHost: ');
  gateway.adopt(shopPolicy({ stable: upstream.origin }));
  slow.send(get);
  await slow.untilText('half');
  const ended = once(socket, 'close');
  await gateway.close(300);
  await Promise.all([ended, half.untilEnded(), slow.untilEnded()]);
  assert.equal(slow.replies()[0]!.whole, false);
  assert.equal(await sumOf(metrics, 'graygate_requests_in_flight'), 0);
  await eventually('the outcomes', () => outcomes.length >= 2);
  assert.deepEqual(new Set(outcomes.map(({ status }) => status)), new Set([101, 200]));
  await eventually('the servers are told', () => upstream.requests[0]!.aborted && upstream.openConnectionCount === 0);
});

test('under load every request that was taken is answered', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const { gateway, port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const load = startLoad(port, 10, () => ({}));
  await eventually('answers come', () => load.answers.length > 100);
  await gateway.close(30_000);
  await load.stop();
  assert.ok(load.answers.every(({ status }) => status === 200));
  await eventually('the outcomes', () => outcomes.length >= load.answers.length);
  assert.equal(outcomes.length, load.answers.length);
  assert.ok(outcomes.every(({ ending }) => ending === 'complete'));
});
