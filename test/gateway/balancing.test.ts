// Which server of a version is asked, and over which connection.
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { createGate, eventually } from '../support/eventually.ts';
import { faultsBeforeHead } from '../support/faulty-upstreams.ts';
import { startGateway } from '../support/gateways.ts';
import { send } from '../support/http-client.ts';
import { shopPolicy } from '../support/policies.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';

test('servers are asked in turn, by their weights, without runs of the heaviest', async (context) => {
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(async (name) => startRecordingUpstream(context, name)));
  const servers = [
    { origin: a!.origin, weight: 5 },
    { origin: b!.origin, weight: 1 },
    { origin: c!.origin, weight: 1 },
  ];
  const { port } = await startGateway(context, shopPolicy({ stable: { servers } }));
  let order = '';
  for (let i = 0; i < 14; i += 1) order += (await send({ port })).body;
  assert.equal(order, 'aabacaaaabacaa');
});

test('requests one after the other share one connection to the server', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const agent = new Agent({ keepAlive: true });
  for (let i = 0; i < 20; i += 1)
    await send({ port, agent, method: i % 2 === 0 ? 'GET' : 'POST', ...(i % 2 === 0 ? {} : { body: 'x' }) });
  for (let i = 0; i < 5; i += 1) await send({ port });
  agent.destroy();
  assert.equal(upstream.requests.length, 25);
  assert.equal(upstream.connectionCount, 1);
});

test('requests at the same time get a connection each, which are used again', async (context) => {
  const gate = createGate();
  const upstream = await startRecordingUpstream(
    context,
    (_request, response) => void gate.opened.then(() => response.end('ok')),
  );
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const first = Promise.all(Array.from({ length: 8 }, async () => send({ port })));
  await eventually('all eight are asked', () => upstream.requests.length === 8);
  gate.open();
  await first;
  for (let round = 0; round < 3; round += 1) await Promise.all(Array.from({ length: 8 }, async () => send({ port })));
  assert.equal(upstream.connectionCount, 8);
});

test('versions do not share connections, even to the same server', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const rollout = { split: { canary: 50 } };
  const { port } = await startGateway(
    context,
    shopPolicy({ stable: upstream.origin, canary: upstream.origin, rollout }),
  );
  for (let i = 0; i < 40; i += 1) await send({ port, headers: ['x-user-id', `u-${i}`] });
  const versionsOf = (connection: number): Set<string | undefined> =>
    new Set(
      upstream.requests
        .filter((request) => request.connection === connection)
        .map((request) => request.header('x-graygate-version')),
    );
  assert.equal(upstream.connectionCount, 2);
  assert.deepEqual([versionsOf(0).size, versionsOf(1).size], [1, 1]);
});

test('a server that refuses is passed over for another one of its version', async (context) => {
  const good = await startRecordingUpstream(context, 'good');
  const gone = await faultsBeforeHead['refuses the connection']!.start(context);
  const { port, outcomes } = await startGateway(context, shopPolicy({ stable: { servers: [gone, good.origin] } }));
  for (let i = 0; i < 6; i += 1) {
    const reply = await send({ port, method: 'POST', body: `body ${i}` });
    assert.deepEqual([reply.status, reply.body], [200, 'good']);
  }
  assert.deepEqual(
    good.requests.map(({ body }) => body),
    Array.from({ length: 6 }, (_, i) => `body ${i}`),
  );
  await eventually('the outcomes', () => outcomes.length >= 6);
  assert.deepEqual(
    outcomes.map(({ retries }) => retries.length),
    [1, 0, 1, 0, 1, 0],
  );
  assert.ok(outcomes.every(({ fallback, server }) => fallback === null && server === good.origin));
});

test('a HEAD or a cut response does not leave a connection that the next request could misread', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  for (let i = 0; i < 4; i += 1) {
    assert.equal((await send({ port, method: 'HEAD' })).status, 200);
    assert.equal((await send({ port })).body, 'recorded');
  }
});
