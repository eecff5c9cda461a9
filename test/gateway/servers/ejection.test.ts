// A server that fails request after request is left alone, and comes back: every kind of failure, over real sockets.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ServerReport } from '../../../src/rollout/server-report.ts';
import type { Serving } from '../../../src/rollout/serving.ts';
import { ServerBoard } from '../../../src/telemetry/server-board.ts';
import { eventually } from '../../support/eventually.ts';
import { faultsBeforeHead } from '../../support/faulty-upstreams.ts';
import { startGateway, type TestContext } from '../../support/gateways.ts';
import { send } from '../../support/http-client.ts';
import { sumOf } from '../../support/metric-samples.ts';
import { shopPolicy, type VersionSketch } from '../../support/policies.ts';
import { startRecordingUpstream } from '../../support/recording-upstream.ts';

const rule = { after: 3, withinMs: 60_000, forMs: 60_000, maxPercent: 50 };

/** Each request is sent once, so that failures are as many as were asked for. */
const onlyOnce: Partial<Serving> = {
  eject: rule,
  retries: { attempts: 0, on: new Set(), budgetPercent: 0, perTryMs: null },
};

const startUnwell = async (context: TestContext, status = 503) =>
  startRecordingUpstream(context, (_request, response) => void response.writeHead(status).end());

async function startPair(context: TestContext, bad: string, sketch: Partial<VersionSketch> = {}) {
  const good = await startRecordingUpstream(context, 'good');
  const servers = [bad, good.origin];
  const running = await startGateway(context, shopPolicy({ stable: { serving: onlyOnce, ...sketch, servers } }));
  const ask = async (count: number): Promise<number[]> => {
    const statuses: number[] = [];
    for (let i = 0; i < count; i += 1) statuses.push((await send({ port: running.port })).status);
    return statuses;
  };
  const isUp = async (server: string): Promise<number> => sumOf(running.metrics, 'graygate_server_up', { server });
  return { ...running, good, ask, isUp };
}

suite('a server is ejected after so many requests in a row that find that it', { concurrency: 4 }, () => {
  for (const [what, faulty] of Object.entries(faultsBeforeHead)) {
    test(what, async (context) => {
      const bad = await faulty.start(context);
      const { ask, isUp, metrics } = await startPair(context, bad, { timeouts: faulty.timeouts });
      const failing = (await ask(6)).filter((status) => status !== 200);
      assert.equal(failing.length, 3);
      assert.deepEqual(await ask(4), [200, 200, 200, 200]);
      assert.equal(await isUp(bad), 0);
      assert.equal(await sumOf(metrics, 'graygate_server_ejections_total', { server: bad }), 1);
      assert.equal(await sumOf(metrics, 'graygate_upstream_errors_total', { server: bad }), 3);
    });
  }

  for (const status of [502, 503, 504]) {
    test(`answers ${status}`, async (context) => {
      const bad = await startUnwell(context, status);
      const { ask, isUp } = await startPair(context, bad.origin);
      assert.equal((await ask(6)).filter((each) => each === status).length, 3);
      assert.deepEqual(await ask(4), [200, 200, 200, 200]);
      assert.deepEqual([await isUp(bad.origin), bad.requests.length], [0, 3]);
    });
  }
});

test('a server that answers 500 is not ejected: that is a fault of what it serves', async (context) => {
  const bad = await startUnwell(context, 500);
  const { ask, isUp } = await startPair(context, bad.origin);
  assert.equal((await ask(20)).filter((status) => status === 500).length, 10);
  assert.equal(await isUp(bad.origin), 1);
});

test('an answer in between keeps a server in', async (context) => {
  let count = 0;
  const flaky = await startRecordingUpstream(context, (_request, response) => {
    count += 1;
    response.writeHead(count % 3 === 0 ? 200 : 503).end();
  });
  const { ask, isUp } = await startPair(context, flaky.origin);
  await ask(24);
  assert.deepEqual([flaky.requests.length, await isUp(flaky.origin)], [12, 1]);
});

test('the only server of a version is not ejected', async (context) => {
  const bad = await startUnwell(context);
  const { port, metrics } = await startGateway(
    context,
    shopPolicy({ stable: { servers: [bad.origin], serving: onlyOnce } }),
  );
  for (let i = 0; i < 8; i += 1) assert.equal((await send({ port })).status, 503);
  assert.deepEqual([bad.requests.length, await sumOf(metrics, 'graygate_server_ejections_total')], [8, 0]);
});

test('no more servers are ejected than the percent allows, and none where it is 0', async (context) => {
  const servers = await Promise.all(Array.from({ length: 4 }, async () => startUnwell(context)));
  const origins = servers.map(({ origin }) => origin);
  for (const [maxPercent, outCount] of [
    [50, 2],
    [0, 0],
    [75, 3],
    [100, 4],
  ]) {
    const serving = { ...onlyOnce, eject: { ...rule, maxPercent: maxPercent! } };
    const { port, metrics } = await startGateway(context, shopPolicy({ stable: { servers: origins, serving } }));
    for (let i = 0; i < 40; i += 1) await send({ port });
    assert.equal(await sumOf(metrics, 'graygate_server_up'), 4 - outCount!, `${maxPercent} percent`);
  }
});

test('an ejected server comes back after its time, and stays away longer when it fails again', async (context) => {
  let status = 503;
  const flaky = await startRecordingUpstream(context, (_request, response) => void response.writeHead(status).end());
  const serving = { ...onlyOnce, eject: { ...rule, after: 2, forMs: 300 } };
  const good = await startRecordingUpstream(context, 'good');
  const changes: { readonly state: string; readonly atMs: number }[] = [];
  const { port } = await startGateway(
    context,
    shopPolicy({ stable: { servers: [flaky.origin, good.origin], serving } }),
    {
      serverChanged({ server, state }) {
        if (server === flaky.origin) changes.push({ state, atMs: performance.now() });
      },
    },
  );
  const ask = async (count: number): Promise<number[]> => {
    const statuses: number[] = [];
    for (let i = 0; i < count; i += 1) statuses.push((await send({ port })).status);
    return statuses;
  };
  await ask(4);
  await eventually('it is back', () => changes.length === 3);
  await ask(4);
  await eventually('it is back again', () => changes.length === 5);
  assert.deepEqual(
    changes.map(({ state }) => state),
    ['up', 'ejected', 'up', 'ejected', 'up'],
  );
  const outMs = [2, 4].map((at) => changes[at]!.atMs - changes[at - 1]!.atMs);
  // A timer counts from when the round of the event loop began, which a busy machine makes early by a finer clock.
  assert.ok(outMs[0]! >= 200 && outMs[1]! >= 500, `it was out for ${outMs.join(' and ')} ms`);
  status = 200;
  assert.deepEqual(
    await ask(8),
    Array.from({ length: 8 }, () => 200),
  );
});

test('health checks that turn good do not end an ejection, nor make it another one', async (context) => {
  let isWell = false;
  const bad = await startRecordingUpstream(context, ({ url }, response) => {
    response.writeHead(url === '/health' && isWell ? 200 : 503).end();
  });
  const good = await startRecordingUpstream(context, 'good');
  const health = { path: '/health', everyMs: 20, timeoutMs: 2_000, unhealthyAfter: 3, healthyAfter: 2 };
  const reports: ServerReport[] = [];
  const policyWith = (check: Serving['health']) =>
    shopPolicy({ stable: { servers: [bad.origin, good.origin], serving: { ...onlyOnce, health: check } } });
  const board = new ServerBoard();
  const { gateway, port } = await startGateway(context, policyWith(null), {
    serverChanged(report) {
      board.changed(report);
      if (report.server === bad.origin) reports.push(report);
    },
  });
  const lastIs = (state: string) => () => reports.at(-1)?.state === state;
  for (let i = 0; i < 6; i += 1) await send({ port });
  await eventually('it is ejected', lastIs('ejected'));
  gateway.adopt(policyWith(health));
  await eventually('it fails its health checks', lastIs('down'));
  isWell = true;
  await eventually('it passes them', lastIs('ejected'));
  assert.equal(reports.at(-1)!.reason, 'health checks are good again, but requests to it failed before');
  assert.deepEqual(
    board.ejections().map(({ count }) => count),
    [1],
  );
});

test('clients that leave say nothing of the servers', async (context) => {
  const [a, b] = [
    await startRecordingUpstream(context, () => undefined),
    await startRecordingUpstream(context, () => undefined),
  ];
  const policy = shopPolicy({ stable: { servers: [a.origin, b.origin], serving: onlyOnce } });
  const { url, metrics, outcomes } = await startGateway(context, policy);
  for (let count = 1; count <= 10; count += 1) {
    const leaving = new AbortController();
    const asking = fetch(url, { signal: leaving.signal }).catch(() => null);
    await eventually('a server is asked', () => a.requests.length + b.requests.length === count);
    leaving.abort();
    await asking;
    await eventually('its outcome', () => outcomes.length === count);
  }
  assert.equal(await sumOf(metrics, 'graygate_server_up'), 2);
});
