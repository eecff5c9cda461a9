// A client that goes away: its request to the server is given up, whatever it was doing, and one outcome says so.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { faultsBeforeHead } from '../support/faulty-upstreams.ts';
import { startGateway, type RunningGateway, type TestContext } from '../support/gateways.ts';
import { sumOf } from '../support/metric-samples.ts';
import { shopPolicy } from '../support/policies.ts';
import { RawClient } from '../support/raw-client.ts';
import { startRecordingUpstream, type RecordingAnswer, type RecordingUpstream } from '../support/recording-upstream.ts';

const answerInPart: RecordingAnswer = (_request, response) => void response.write('some');
const answerAtLength: RecordingAnswer = (_request, response) => void response.end(Buffer.alloc(2 ** 25));

const ways: Record<string, (client: RawClient) => void> = {
  closes: (client) => void client.socket.destroy(),
  resets: (client) => void client.socket.resetAndDestroy(),
};

type Scene = RunningGateway & { client: RawClient; upstream: RecordingUpstream };

async function stage(context: TestContext, answer: RecordingAnswer, bytes: string): Promise<Scene> {
  const upstream = await startRecordingUpstream(context, answer);
  const running = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const client = new RawClient(running.port);
  client.send(bytes);
  await eventually('the server has the request', () => upstream.requests.length === 1);
  return { ...running, client, upstream };
}

async function assertLeft({ outcomes, metrics, upstream }: Scene, status: number): Promise<void> {
  await eventually('the server is told', () => upstream.requests[0]!.aborted);
  await eventually('the outcome', () => outcomes.length > 0);
  assert.deepEqual(
    outcomes.map((outcome) => [outcome.status, outcome.faults.length, outcome.retries.length]),
    [[status, 0, 0]],
  );
  assert.equal(await sumOf(metrics, 'graygate_requests_total', { code: String(status), version: 'stable' }), 1);
  assert.equal(await sumOf(metrics, 'graygate_upstream_errors_total'), 0);
  assert.equal(await sumOf(metrics, 'graygate_requests_in_flight'), 0);
}

for (const [way, leave] of Object.entries(ways)) {
  suite(`a client that ${way}`, () => {
    test('while the server thinks', async (context) => {
      const scene = await stage(context, () => undefined, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      leave(scene.client);
      await assertLeft(scene, 499);
      assert.equal(scene.outcomes[0]!.ending, 'client-left');
    });

    test('while the response comes', async (context) => {
      const scene = await stage(context, answerInPart, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await scene.client.untilText('some');
      leave(scene.client);
      await assertLeft(scene, 200);
      assert.equal(scene.outcomes[0]!.ending, 'client-left');
    });

    test('while a response waits for it to read', async (context) => {
      const scene = await stage(context, answerAtLength, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await scene.client.untilText('\r\n\r\n');
      scene.client.socket.pause();
      leave(scene.client);
      await assertLeft(scene, 200);
    });

    test('within the body that it sends', async (context) => {
      const scene = await stage(
        context,
        () => undefined,
        'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf',
      );
      await eventually('the server has half', () => scene.upstream.requests[0]!.body === 'half');
      leave(scene.client);
      // Who closes its side in the middle of a body has sent a malformed request; it may still be listening.
      await assertLeft(scene, way === 'closes' ? 400 : 499);
    });
  });
}

test('a client that leaves while a connection is being made is not waited for', async (context) => {
  const origin = await faultsBeforeHead['never accepts the connection']!.start(context);
  const { port, outcomes, metrics } = await startGateway(context, shopPolicy({ stable: { servers: [origin] } }));
  const client = new RawClient(port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc');
  await eventually('it is under way', async () => (await sumOf(metrics, 'graygate_requests_in_flight')) === 1);
  client.socket.resetAndDestroy();
  await eventually('the outcome', () => outcomes.length === 1);
  assert.deepEqual([outcomes[0]!.status, outcomes[0]!.ending, outcomes[0]!.faults.length], [499, 'client-left', 0]);
  assert.equal(await sumOf(metrics, 'graygate_requests_in_flight'), 0);
});
