// A new policy while requests are under way: nobody notices but those whom it is about.
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { createGate, eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateways.ts';
import { send } from '../support/http-client.ts';
import { startLoad } from '../support/load.ts';
import { sumOf } from '../support/metric-samples.ts';
import { policyOf, shopPolicy } from '../support/policies.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';
import { exchangeMessages, openWebSocket, startEchoServer } from '../support/websockets.ts';

test('policies that change under load fail no request', async (context) => {
  const servers = await Promise.all(['a', 'b', 'c'].map(async (name) => startRecordingUpstream(context, name)));
  const [a, b, c] = servers.map(({ origin }) => origin) as [string, string, string];
  const rollout = { split: { canary: 50 } };
  const policies = [
    shopPolicy({ stable: a }),
    shopPolicy({ stable: b, canary: c, rollout }),
    shopPolicy({ stable: c, canary: a, rollout }),
  ];
  const { gateway, port, metrics, outcomes } = await startGateway(context, policies[0]!);
  const load = startLoad(port, 10, (index) =>
    index % 2 === 0 ? { headers: ['x-user-id', `u-${index}`] } : { method: 'POST', body: `body ${index}` },
  );
  for (let round = 1; round <= 30; round += 1) {
    const before = load.answers.length;
    gateway.adopt(policies[round % policies.length]!);
    metrics.policyLoaded(policies[round % policies.length]!, Date.now(), true);
    await eventually('some answers', () => load.answers.length > before + 10);
  }
  await load.stop();
  assert.deepEqual(load.failures, []);
  assert.deepEqual(new Set(load.answers.map(({ status }) => status)), new Set([200]));
  await eventually('the outcomes', () => outcomes.length >= load.answers.length);
  assert.equal(outcomes.length, load.answers.length);
  assert.ok(outcomes.every(({ faults }) => faults.length === 0));
  assert.deepEqual(new Set(load.answers.map(({ body }) => body)), new Set(['a', 'b', 'c']));
});

test('servers that both policies name keep their connections, the others lose theirs', async (context) => {
  const kept = await startRecordingUpstream(context, 'kept');
  const dropped = await startRecordingUpstream(context, 'dropped');
  const { gateway, port } = await startGateway(context, shopPolicy({ stable: kept.origin, canary: dropped.origin }));
  const asUser = async (): Promise<string> => (await send({ port, headers: ['x-user-id', 'u'] })).body;
  assert.equal(await asUser(), 'dropped');
  gateway.adopt(shopPolicy({ stable: kept.origin }));
  assert.equal(await asUser(), 'kept');
  await eventually('the connection of the other is closed', () => dropped.openConnectionCount === 0);
  for (let i = 0; i < 5; i += 1) {
    gateway.adopt(shopPolicy({ stable: kept.origin }));
    assert.equal(await asUser(), 'kept');
  }
  assert.equal(kept.connectionCount, 1);
});

test('a request under way ends on the policy it began with, and only then its servers are let go', async (context) => {
  const gate = createGate();
  const old = await startRecordingUpstream(context, (_request, response) => {
    response.write('old, ');
    void gate.opened.then(() => response.end('to the end'));
  });
  const next = await startRecordingUpstream(context, 'next');
  const { gateway, port, metrics } = await startGateway(context, shopPolicy({ stable: old.origin }));
  const agent = new Agent({ keepAlive: true });
  const slow = send({ port, agent });
  await eventually('it is under way', () => old.requests.length === 1);
  gateway.adopt(shopPolicy({ stable: next.origin }));
  assert.equal((await send({ port })).body, 'next');
  assert.equal(old.openConnectionCount, 1);
  gate.open();
  assert.equal((await slow).body, 'old, to the end');
  await eventually('the old server is let go', () => old.openConnectionCount === 0);
  assert.equal(await sumOf(metrics, 'graygate_requests_in_flight'), 0);
  agent.destroy();
});

test('a request that began on a policy is sent again on it, though another one has come', async (context) => {
  const gate = createGate();
  const old = await startRecordingUpstream(context, (request, response) => {
    if (old.requests.length === 1) void gate.opened.then(() => request.socket.destroy());
    else response.end('old');
  });
  const next = await startRecordingUpstream(context, 'next');
  const { gateway, port } = await startGateway(context, shopPolicy({ stable: old.origin }));
  const reply = send({ port });
  await eventually('it is under way', () => old.requests.length === 1);
  gateway.adopt(shopPolicy({ stable: next.origin }));
  gate.open();
  assert.deepEqual([(await reply).status, (await reply).body], [200, 'old']);
  await eventually('the old server is let go', () => old.openConnectionCount === 0);
});

test('a WebSocket outlives the policy it began with', async (context) => {
  const echo = await startEchoServer(context, 'old');
  const next = await startRecordingUpstream(context, 'next');
  const { gateway, url, port } = await startGateway(context, shopPolicy({ stable: echo.origin }));
  const socket = await openWebSocket(context, url);
  gateway.adopt(shopPolicy({ stable: next.origin }));
  assert.equal((await send({ port })).body, 'next');
  assert.equal((await exchangeMessages(socket, 'x')).toString(), 'old:x');
});

test('new limits and a new set of rollouts hold for the next request', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const { gateway, port } = await startGateway(context, policyOf({}));
  assert.equal((await send({ port })).status, 404);
  gateway.adopt(shopPolicy({ stable: upstream.origin }));
  assert.equal((await send({ port, method: 'POST', body: 'abc' })).status, 200);
  gateway.adopt(
    shopPolicy({
      stable: upstream.origin,
      limits: { headerBytes: 1_000, bodyBytes: 2, connections: Infinity, connectionsPerSecond: Infinity },
    }),
  );
  assert.equal((await send({ port, method: 'POST', body: 'abc' })).status, 413);
  assert.equal((await send({ port, headers: ['X-Long', 'x'.repeat(2_000)] })).status, 431);
  gateway.adopt(policyOf({}));
  assert.equal((await send({ port })).status, 404);
});
