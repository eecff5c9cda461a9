// When every server of a version is out: the baseline is asked all the same, a candidate leaves it to the baseline.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Serving } from '../../../src/rollout/serving.ts';
import { eventually } from '../../support/eventually.ts';
import { startGateway } from '../../support/gateways.ts';
import { send } from '../../support/http-client.ts';
import { sumOf } from '../../support/metric-samples.ts';
import { shopPolicy } from '../../support/policies.ts';
import { startRecordingUpstream } from '../../support/recording-upstream.ts';

/** Every server fails its checks, whatever it says to users. */
const failing: Partial<Serving> = {
  health: { path: '/healthz', everyMs: 20, timeoutMs: 2_000, unhealthyAfter: 1, healthyAfter: 1 },
};

async function startSick(context: Parameters<typeof startRecordingUpstream>[0], name: string) {
  return startRecordingUpstream(context, (request, response) => {
    if (request.url === '/healthz') response.writeHead(500).end();
    else response.end(name);
  });
}

const asUser = ['x-user-id', 'u'];

test('servers of the baseline are asked although all are out', async (context) => {
  const [a, b] = [await startSick(context, 'a'), await startSick(context, 'b')];
  const { port, metrics } = await startGateway(
    context,
    shopPolicy({ stable: { servers: [a.origin, b.origin], serving: failing } }),
  );
  await eventually('all are out', async () => (await sumOf(metrics, 'graygate_server_up')) === 0);
  const bodies = [await send({ port }), await send({ port })].map(({ body }) => body);
  assert.deepEqual(bodies.toSorted(), ['a', 'b']);
  assert.deepEqual(metrics.servers.troubles(), ['shop: no server of the baseline stable is up']);
});

test('a candidate whose servers are all out is answered by the baseline, which counts as its failure', async (context) => {
  const [sick, good] = [await startSick(context, 'canary'), await startRecordingUpstream(context, 'stable')];
  const { port, metrics, outcomes } = await startGateway(
    context,
    shopPolicy({ stable: good.origin, canary: { servers: [sick.origin], serving: failing } }),
  );
  await eventually('it is out', async () => (await sumOf(metrics, 'graygate_server_up', { version: 'canary' })) === 0);
  const reply = await send({ port, method: 'POST', body: 'whole', headers: asUser });
  assert.deepEqual([reply.status, reply.body, good.requests[0]!.body], [200, 'stable', 'whole']);
  await eventually('the outcome', () => outcomes.length === 1);
  const { fallback, reason, decided, version, faults } = outcomes[0]!;
  assert.deepEqual([fallback, reason, decided!.name, version!.name], ['no-server', 'fallback', 'canary', 'stable']);
  assert.deepEqual(faults, []);
  assert.equal(await sumOf(metrics, 'graygate_fallbacks_total', { version: 'canary', reason: 'no-server' }), 1);
  // What decides whether a candidate is down takes it for a refusal.
  assert.notEqual(metrics.probe('shop', 'canary').pulse.refusedSinceMs, null);
});

test('a candidate without a fallback is asked although all its servers are out', async (context) => {
  const [sick, good] = [await startSick(context, 'canary'), await startRecordingUpstream(context, 'stable')];
  const { port, metrics } = await startGateway(
    context,
    shopPolicy({
      stable: good.origin,
      canary: { servers: [sick.origin], serving: failing },
      rollout: { fallback: 'none' },
    }),
  );
  await eventually('it is out', async () => (await sumOf(metrics, 'graygate_server_up', { version: 'canary' })) === 0);
  assert.equal((await send({ port, headers: asUser })).body, 'canary');
});

test('users of a dead candidate are told nothing while it is out, and get it back when it is well', async (context) => {
  let isWell = false;
  const canary = await startRecordingUpstream(context, (request, response) => {
    if (request.url === '/healthz') response.writeHead(isWell ? 200 : 500).end();
    else response.end('canary');
  });
  const stable = await startRecordingUpstream(context, 'stable');
  const { port } = await startGateway(
    context,
    shopPolicy({ stable: stable.origin, canary: { servers: [canary.origin], serving: failing } }),
  );
  await eventually('it is out', async () => (await send({ port, headers: asUser })).body === 'stable');
  isWell = true;
  await eventually('it is back', async () => (await send({ port, headers: asUser })).body === 'canary');
});
