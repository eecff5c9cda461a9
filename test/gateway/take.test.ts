// Connections that another process has accepted are served, timed and drained like those that the gateway accepts itself.
import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createGateway } from '../../src/gateway/gateway.ts';
import type { Policy } from '../../src/rollout/policy.ts';
import { SplitCells } from '../../src/rollout/split.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { createGate, eventually } from '../support/eventually.ts';
import { shopPolicy } from '../support/policies.ts';
import { RawClient } from '../support/raw-client.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';
import type { TestContext } from '../support/gateways.ts';

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

async function startTaking(context: TestContext, policy: Policy) {
  const cells = new SplitCells();
  const source = { splitOf: () => cells.of(policy.rollouts[0]!).current, standings: () => [], isStoreWell: () => true };
  const gateway = await createGateway({
    policy,
    telemetry: new Metrics(source, 'test'),
    cellOf: (rollout) => cells.of(rollout),
    decided: () => undefined,
    finished: () => undefined,
    exposed: () => undefined,
    happened: () => undefined,
    unread: () => undefined,
    mirrored: () => undefined,
    differed: () => undefined,
    serverChanged: () => undefined,
    tlsFailed: () => undefined,
    malformed: () => undefined,
  });
  await gateway.open();
  const acceptor = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    gateway.take(socket);
    socket.resume();
  });
  await new Promise<void>((resolve) => acceptor.listen(0, '127.0.0.1', resolve));
  context.after(async () => {
    acceptor.close();
    await gateway.close(0);
  });
  return { gateway, port: (acceptor.address() as AddressInfo).port };
}

test('a connection that was taken is kept alive from one request to the next', async (context) => {
  const upstream = await startRecordingUpstream(context, (_request, response) => response.end('hello'));
  const { port } = await startTaking(context, shopPolicy({ stable: upstream.origin }));
  const client = new RawClient(port);
  client.send(get);
  await client.untilReplies(1);
  client.send(get);
  await client.untilReplies(2);
  assert.deepEqual(
    client.replies().map(({ status, body }) => [status, body]),
    [
      [200, 'hello'],
      [200, 'hello'],
    ],
  );
});

test('headers that do not come in time are refused', async (context) => {
  const policy = shopPolicy({ stable: 'http://127.0.0.1:9' });
  const { port } = await startTaking(context, { ...policy, timeouts: { ...policy.timeouts, headerMs: 100 } });
  const client = new RawClient(port);
  client.send('GET / HT');
  await client.untilEnded();
  assert.equal(client.replies()[0]!.status, 408);
});

test('a drain waits for what is under way on connections that were taken', async (context) => {
  const gate = createGate();
  const upstream = await startRecordingUpstream(
    context,
    (_request, response) => void gate.opened.then(() => response.end('whole')),
  );
  const { gateway, port } = await startTaking(context, shopPolicy({ stable: upstream.origin }));
  const client = new RawClient(port);
  client.send(get);
  await eventually('it is under way', () => upstream.requests.length === 1);
  const closed = gateway.close(30_000);
  gate.open();
  await client.untilEnded();
  assert.equal(client.replies()[0]!.body, 'whole');
  await closed;
});

test('at the end of the time a taken connection is cut', async (context) => {
  const upstream = await startRecordingUpstream(context, () => undefined);
  const { gateway, port } = await startTaking(context, shopPolicy({ stable: upstream.origin }));
  const client = new RawClient(port);
  client.send(get);
  await eventually('it is under way', () => upstream.requests.length === 1);
  await gateway.close(50);
  await client.untilEnded();
  assert.deepEqual(client.replies(), []);
});
