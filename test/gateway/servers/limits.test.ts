// Limits of a server: who is asked instead, who waits, and who is turned away.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerLimits } from '../../../src/rollout/serving.ts';
import { createGate, eventually, type Gate } from '../../support/eventually.ts';
import { type RunningGateway, startGateway, type TestContext } from '../../support/gateways.ts';
import { type Reply, send } from '../../support/http-client.ts';
import { sumOf } from '../../support/metric-samples.ts';
import { shopPolicy } from '../../support/policies.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../../support/recording-upstream.ts';

const patience = { connectMs: 10_000, responseMs: 30_000, idleMs: 30_000 };

/** A server that answers each request when its gate is opened, and how many it had at a time. */
async function startHolding(context: TestContext, name: string) {
  const gates: Gate[] = [];
  const holding = { gates, most: 0, upstream: null as unknown as RecordingUpstream };
  let openCount = 0;
  holding.upstream = await startRecordingUpstream(context, (_request, response) => {
    openCount += 1;
    holding.most = Math.max(holding.most, openCount);
    const gate = createGate();
    gates.push(gate);
    response.on('close', () => (openCount -= 1));
    void gate.opened.then(() => response.end(name));
  });
  return holding;
}

function sketchOf(
  holdings: readonly { upstream: RecordingUpstream }[],
  limits: Partial<ServerLimits>,
  connectMs = 10_000,
) {
  return {
    servers: holdings.map(({ upstream }) => upstream.origin),
    timeouts: { ...patience, connectMs },
    serving: { limits: { maxRequestCount: Infinity, maxPendingCount: Infinity, ...limits } },
  };
}

const sendMany = (port: number, count: number): Promise<Reply>[] =>
  Array.from({ length: count }, async () => send({ port, headers: ['x-user-id', 'u'] }));

/** Waits until so many requests are on their way to a server or wait for one. */
async function untilUnderWay(metrics: RunningGateway['metrics'], count: number): Promise<void> {
  await eventually(`${count} under way`, async () => (await sumOf(metrics, 'graygate_requests_in_flight')) === count);
}

test('no server gets more requests at a time than its limit; the others wait their turn', async (context) => {
  const servers = [await startHolding(context, 'a'), await startHolding(context, 'b')];
  const { port, outcomes } = await startGateway(
    context,
    shopPolicy({ stable: sketchOf(servers, { maxRequestCount: 2 }) }),
  );
  const replies = sendMany(port, 10);
  await eventually('both have as many as they may', () => servers.every(({ gates }) => gates.length === 2));
  for (let done = 0; done < 10;) {
    const gates = servers.flatMap((server) => server.gates.splice(0));
    for (const gate of gates) gate.open();
    done += gates.length;
    await eventually('more are asked', () => done === 10 || servers.some((server) => server.gates.length > 0));
  }
  assert.deepEqual(new Set((await Promise.all(replies)).map(({ status }) => status)), new Set([200]));
  assert.deepEqual(
    servers.map(({ most }) => most),
    [2, 2],
  );
  await eventually('the outcomes', () => outcomes.length === 10);
  assert.ok(outcomes.every(({ faults, retries }) => faults.length === 0 && retries.length === 0));
});

test('who came first is first in line', async (context) => {
  const server = await startHolding(context, 'a');
  const policy = shopPolicy({ stable: sketchOf([server], { maxRequestCount: 1 }) });
  const { port, metrics } = await startGateway(context, policy);
  const replies: Promise<Reply>[] = [];
  for (let i = 0; i < 4; i += 1) {
    replies.push(send({ port, path: `/${i}` }));
    await untilUnderWay(metrics, i + 1);
  }
  for (let i = 0; i < 4; i += 1) {
    await eventually('the next is there', () => server.gates.length === i + 1);
    server.gates[i]!.open();
  }
  await Promise.all(replies);
  assert.deepEqual(
    server.upstream.requests.map(({ url }) => url),
    ['/0', '/1', '/2', '/3'],
  );
});

test('beyond those who may wait the answer is 503 with Retry-After, at once', async (context) => {
  const server = await startHolding(context, 'a');
  const limits = { maxRequestCount: 1, maxPendingCount: 1 };
  const { port, metrics } = await startGateway(context, shopPolicy({ stable: sketchOf([server], limits) }));
  const first = send({ port });
  await eventually('one is under way', () => server.gates.length === 1);
  const [a, b] = [send({ port }), send({ port })];
  const turnedAway = await Promise.race([a, b]);
  assert.deepEqual([turnedAway.status, turnedAway.json()['code']], [503, 'server-busy']);
  assert.equal(turnedAway.header('retry-after'), '1');
  server.gates[0]!.open();
  await eventually('the one who waited is under way', () => server.gates.length === 2);
  server.gates[1]!.open();
  const served = (await Promise.all([first, a, b])).filter(({ status }) => status === 200);
  assert.equal(served.length, 2);
  assert.equal(await sumOf(metrics, 'graygate_requests_total', { code: '503' }), 1);
  assert.equal(await sumOf(metrics, 'graygate_requests_in_flight'), 0);
});

test('who waits longer than it may take to connect is turned away, and its place is free', async (context) => {
  const server = await startHolding(context, 'a');
  const limits = { maxRequestCount: 1 };
  const { port } = await startGateway(context, shopPolicy({ stable: sketchOf([server], limits, 100) }));
  const first = send({ port });
  await eventually('one is under way', () => server.gates.length === 1);
  assert.equal((await send({ port })).status, 503);
  server.gates[0]!.open();
  assert.equal((await first).status, 200);
  const next = send({ port });
  await eventually('the next is under way', () => server.gates.length === 2);
  server.gates[1]!.open();
  assert.equal((await next).status, 200);
});

test('a client that leaves while it waits leaves the line', async (context) => {
  const server = await startHolding(context, 'a');
  const limits = { maxRequestCount: 1, maxPendingCount: 1 };
  const policy = shopPolicy({ stable: sketchOf([server], limits) });
  const { port, url, outcomes, metrics } = await startGateway(context, policy);
  const first = send({ port });
  await eventually('one is under way', () => server.gates.length === 1);
  const leaving = new AbortController();
  const left = fetch(url, { signal: leaving.signal }).catch(() => null);
  await untilUnderWay(metrics, 2);
  assert.equal((await send({ port })).status, 503, 'it waits, and nobody else may');
  leaving.abort();
  await left;
  await eventually('it is gone', () => outcomes.some(({ ending }) => ending === 'client-left'));
  const next = send({ port });
  server.gates[0]!.open();
  await eventually('the next is under way', () => server.gates.length === 2);
  server.gates[1]!.open();
  assert.deepEqual([(await first).status, (await next).status], [200, 200]);
  assert.equal(server.upstream.requests.length, 2);
});

test('a candidate without room is answered by the baseline', async (context) => {
  const canary = await startHolding(context, 'canary');
  const stable = await startRecordingUpstream(context, 'stable');
  const limits = { maxRequestCount: 1, maxPendingCount: 0 };
  const { port, outcomes, metrics } = await startGateway(
    context,
    shopPolicy({ stable: stable.origin, canary: sketchOf([canary], limits) }),
  );
  const [first] = sendMany(port, 1);
  await eventually('one is under way', () => canary.gates.length === 1);
  const [reply] = await Promise.all(sendMany(port, 1));
  assert.deepEqual([reply!.status, reply!.body], [200, 'stable']);
  canary.gates[0]!.open();
  assert.equal((await first!).body, 'canary');
  await eventually('the outcomes', () => outcomes.length === 2);
  assert.deepEqual([outcomes[0]!.fallback, outcomes[0]!.reason, outcomes[0]!.faults], ['busy', 'fallback', []]);
  assert.equal(await sumOf(metrics, 'graygate_fallbacks_total', { version: 'canary', reason: 'busy' }), 1);
});

test('a new limit holds for requests under way too, and those who wait go on with it', async (context) => {
  const server = await startHolding(context, 'a');
  const policyWith = (maxRequestCount: number) => shopPolicy({ stable: sketchOf([server], { maxRequestCount }) });
  const { port, gateway } = await startGateway(context, policyWith(1));
  const replies = sendMany(port, 1);
  await eventually('one is under way', () => server.gates.length === 1);
  gateway.adopt(policyWith(2));
  replies.push(...sendMany(port, 2));
  await eventually('two are under way', () => server.gates.length === 2);
  server.gates[0]!.open();
  await eventually('the third is under way', () => server.gates.length === 3);
  for (const gate of server.gates) gate.open();
  await Promise.all(replies);
  assert.equal(server.most, 2);
});
