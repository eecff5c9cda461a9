// Every way in which a server can fail, for the baseline, for a candidate that falls back and for one that may not:
// what the client gets, what is counted, against whom.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { FaultKind } from '../../src/rollout/outcome.ts';
import { eventually } from '../support/eventually.ts';
import { faultsBeforeHead, faultsWithinBody, type Faulty } from '../support/faulty-upstreams.ts';
import { startGateway, type RunningGateway, type TestContext } from '../support/gateways.ts';
import { sumOf } from '../support/metric-samples.ts';
import { shopPolicy } from '../support/policies.ts';
import { RawClient } from '../support/raw-client.ts';
import { startRecordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts';

/** A reset may hit a kept-alive connection, so it is tried again twice. */
const attemptsOf = (kind: FaultKind): number => (kind === 'reset' ? 3 : 1);
const statusOf = (kind: FaultKind): number => (kind === 'timeout' ? 504 : 502);
const get = 'GET / HTTP/1.1\r\nHost: a\r\nx-user-id: u\r\nx-request-id: req-1\r\n\r\n';
const post = 'POST / HTTP/1.1\r\nHost: a\r\nx-user-id: u\r\nContent-Length: 5\r\n\r\nwhole';

type Scene = RunningGateway & { client: RawClient; origin: string; good: RecordingUpstream };

/** A gateway with a faulty baseline, or a faulty candidate for everyone beside a good baseline. */
async function stage(context: TestContext, faulty: Faulty, role: 'baseline' | 'fallback' | 'none'): Promise<Scene> {
  const good = await startRecordingUpstream(context, 'from the baseline');
  const origin = await faulty.start(context);
  const bad = { servers: [origin], timeouts: faulty.timeouts };
  const policy =
    role === 'baseline'
      ? shopPolicy({ stable: bad })
      : shopPolicy({ stable: good.origin, canary: bad, rollout: { fallback: role === 'none' ? 'none' : 'baseline' } });
  const running = await startGateway(context, policy);
  const client = new RawClient(running.port);
  context.after(() => void client.socket.destroy());
  return { ...running, client, origin, good };
}

async function assertCounted(
  scene: Scene,
  version: string,
  { kind, count }: { kind: FaultKind; count: number },
): Promise<void> {
  const { metrics, outcomes, origin } = scene;
  await eventually('the outcome', () => outcomes.length > 0);
  assert.equal(outcomes.length, 1);
  assert.deepEqual(
    outcomes[0]!.faults.map((fault) => [fault.version.name, fault.server, fault.kind]),
    Array.from({ length: count }, () => [version, origin, kind]),
  );
  assert.equal(await sumOf(metrics, 'graygate_upstream_errors_total', { version, server: origin, kind }), count);
  assert.equal(await sumOf(metrics, 'graygate_upstream_errors_total'), count);
  assert.equal(await sumOf(metrics, 'graygate_retries_total'), count - 1);
  assert.equal(await sumOf(metrics, 'graygate_requests_total'), 1);
  assert.equal(await sumOf(metrics, 'graygate_requests_in_flight'), 0);
}

suite('a fault before the head of a response', { concurrency: 6 }, () => {
  for (const [what, faulty] of Object.entries(faultsBeforeHead)) {
    const { kind } = faulty;
    const count = attemptsOf(kind);

    for (const role of ['baseline', 'none'] as const) {
      const version = role === 'baseline' ? 'stable' : 'canary';
      test(`a ${version} without a fallback that ${what} is answered with ${statusOf(kind)}`, async (context) => {
        const scene = await stage(context, faulty, role);
        scene.client.send(get);
        const [reply] = await scene.client.untilReplies(1);
        assert.equal(reply!.status, statusOf(kind));
        assert.equal(reply!.header('content-type'), 'application/problem+json');
        assert.equal(reply!.header('x-graygate-version'), version);
        const problem = JSON.parse(reply!.body) as Record<string, unknown>;
        assert.deepEqual(Object.keys(problem).toSorted(), ['code', 'requestId', 'status', 'title', 'type']);
        assert.equal(problem['requestId'], 'req-1');
        assert.doesNotMatch(scene.client.received, /127\.0\.0\.1|\bat .*:\d+|undici|ECONN|Error/);
        await assertCounted(scene, version, { kind, count });
        assert.equal(
          await sumOf(scene.metrics, 'graygate_requests_total', {
            version,
            code: String(statusOf(kind)),
            method: 'GET',
          }),
          1,
        );
        assert.equal(await sumOf(scene.metrics, 'graygate_fallbacks_total'), 0);
        assert.equal(scene.outcomes[0]!.ending, 'refused');
        assert.equal(scene.good.requests.length, 0);
      });
    }

    test(`a PUT to a stable that ${what} is not sent twice once its body was read`, async (context) => {
      const scene = await stage(context, faulty, 'baseline');
      scene.client.send(post.replace('POST', 'PUT'));
      const [reply] = await scene.client.untilReplies(1);
      assert.equal(reply!.status, statusOf(kind));
      await assertCounted(scene, 'stable', { kind, count: 1 });
    });

    test(`a canary that ${what} is answered by the baseline`, async (context) => {
      const scene = await stage(context, faulty, 'fallback');
      scene.client.send(get);
      const [reply] = await scene.client.untilReplies(1);
      assert.deepEqual(
        [reply!.status, reply!.body, reply!.header('x-graygate-version')],
        [200, 'from the baseline', 'stable'],
      );
      assert.equal(scene.good.requests[0]!.header('x-graygate-version'), 'stable');
      await assertCounted(scene, 'canary', { kind, count });
      const { fallback, reason, version, decided, ending } = scene.outcomes[0]!;
      assert.deepEqual(
        [fallback, reason, version!.name, decided!.name, ending],
        [kind, 'fallback', 'stable', 'canary', 'complete'],
      );
      assert.equal(await sumOf(scene.metrics, 'graygate_fallbacks_total', { version: 'canary', reason: kind }), 1);
      assert.equal(await sumOf(scene.metrics, 'graygate_requests_total', { version: 'stable', code: '200' }), 1);
      assert.equal(await sumOf(scene.metrics, 'graygate_decisions_total', { reason: 'fallback' }), 1);
    });

    test(`a POST to a canary that ${what} is ${kind === 'connect' ? 'answered whole by the baseline' : 'not sent twice'}`, async (context) => {
      const scene = await stage(context, faulty, 'fallback');
      scene.client.send(post);
      const [reply] = await scene.client.untilReplies(1);
      const fallsBack = what === 'refuses the connection' || what === 'never accepts the connection';
      assert.equal(reply!.status, fallsBack ? 200 : statusOf(kind));
      assert.deepEqual(
        scene.good.requests.map(({ body }) => body),
        fallsBack ? ['whole'] : [],
      );
      await assertCounted(scene, 'canary', { kind, count: 1 });
    });
  }
});

suite('a fault within a body', { concurrency: 6 }, () => {
  for (const [what, faulty] of Object.entries(faultsWithinBody)) {
    for (const role of ['baseline', 'fallback'] as const) {
      const version = role === 'baseline' ? 'stable' : 'canary';
      test(`a response of ${version} that ${what} does not look whole`, async (context) => {
        const scene = await stage(context, faulty, role);
        scene.client.send(get);
        await scene.client.untilEnded();
        const [reply, ...more] = scene.client.replies();
        assert.deepEqual([reply!.status, reply!.body, reply!.whole, more.length], [200, 'half', false, 0]);
        await assertCounted(scene, version, { kind: faulty.kind, count: 1 });
        assert.equal(scene.outcomes[0]!.ending, 'cut');
        assert.equal(scene.good.requests.length, 0);
      });

      test(`a response of ${version} that ${what} does not look whole over HTTP/1.0`, async (context) => {
        const scene = await stage(context, faulty, role);
        scene.client.send('GET / HTTP/1.0\r\nx-user-id: u\r\n\r\n');
        const how = await scene.client.untilEnded();
        const hasLength = scene.client.replies()[0]?.header('content-length') !== undefined;
        assert.ok(hasLength || how === 'reset', `ended by being ${how}`);
      });
    }
  }
});
