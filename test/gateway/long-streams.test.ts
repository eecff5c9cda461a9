// WebSockets, server-sent events and gRPC calls: counted by the version that serves them, kept with it, and ended where the policy
// says so once their users belong to another version.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import type { SplitCell } from '../../src/rollout/split.ts';
import { layOutSplit } from '../../src/rollout/split.ts';
import { tlsOf } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { faultsBeforeHead } from '../support/faulty-upstreams.ts';
import { startGateway, type TestContext } from '../support/gateways.ts';
import { beginHttp2, openHttp2, readHttp2 } from '../support/http2-client.ts';
import { sumOf } from '../support/metric-samples.ts';
import { type ShopSketch, shopPolicy } from '../support/policies.ts';
import { RawClient } from '../support/raw-client.ts';
import { type RecordingAnswer, startRecordingUpstream } from '../support/recording-upstream.ts';
import { exchangeMessages, openWebSocket, startEchoServer } from '../support/websockets.ts';

const timeouts = { headerMs: 10_000, idleMs: 75_000, drainMs: 50 };

/** Answers with a first event and goes on for ever. */
function streaming(contentType: string): RecordingAnswer {
  return (_request, response) => {
    response.writeHead(200, { 'Content-Type': contentType });
    response.write('data: 1\n\n');
  };
}

/** Where every user is on the canary, until `rollBack`. */
async function startShop(context: TestContext, answer: RecordingAnswer, sketch: Partial<ShopSketch> = {}) {
  const [stable, canary] = [
    await startRecordingUpstream(context, answer),
    await startRecordingUpstream(context, answer),
  ];
  const policy = shopPolicy({
    stable: stable.origin,
    canary: canary.origin,
    timeouts,
    ...sketch,
    rollout: { streams: 'drain', ...sketch.rollout },
  });
  const running = await startGateway(context, policy);
  const [rollout] = policy.rollouts;
  const publish = (percent: number, isRolledBack = false): void => {
    const cell: SplitCell = running.cellOf(rollout!);
    cell.current = layOutSplit(rollout!.versions, { canary: percent }, isRolledBack);
  };
  const openCount = (version: string): Promise<number> => sumOf(running.metrics, 'graygate_streams', { version });
  return { stable, canary, policy, publish, openCount, ...running };
}

function ask(port: number, user: string, path = '/'): RawClient {
  const client = new RawClient(port);
  client.send(`GET ${path} HTTP/1.1\r\nHost: shop.test\r\nX-User-Id: ${user}\r\n\r\n`);
  return client;
}

suite('server-sent events', () => {
  test('are counted while they are open', async (context) => {
    const { port, openCount } = await startShop(context, streaming('text/event-stream; charset=utf-8'));
    const client = ask(port, 'u-1');
    await client.untilText('data: 1');
    assert.deepEqual([await openCount('canary'), await openCount('stable')], [1, 0]);
    client.socket.destroy();
    await eventually('it is gone', async () => (await openCount('canary')) === 0);
  });

  test('end cleanly after a rollback, and their servers are let go', async (context) => {
    const { port, canary, publish, outcomes, openCount } = await startShop(context, streaming('text/event-stream'));
    const client = ask(port, 'u-1');
    await client.untilText('data: 1');
    publish(0, true);
    const [reply] = await client.untilReplies(1);
    assert.deepEqual([reply!.status, reply!.body, reply!.whole], [200, 'data: 1\n\n', true]);
    await eventually('the server is told', () => canary.requests[0]!.aborted);
    await eventually('the outcome', () => outcomes.length === 1);
    assert.deepEqual([outcomes[0]!.ending, outcomes[0]!.faults.length], ['complete', 0]);
    assert.equal(await openCount('canary'), 0);
    // The connection is as good as before.
    client.send('GET /next HTTP/1.1\r\nHost: shop.test\r\nX-User-Id: u-1\r\n\r\n');
    await eventually('the next answer', () => client.received.split('data: 1').length === 3);
    assert.equal(client.received.includes('x-graygate-version: stable'), true);
  });

  test('go on for those whom the change leaves where they are', async (context) => {
    const { port, publish, openCount, outcomes } = await startShop(context, streaming('text/event-stream'));
    const clients = Array.from({ length: 20 }, (_, index) => ask(port, `u-${index}`));
    await Promise.all(clients.map((client) => client.untilText('data: 1')));
    publish(50);
    await eventually('some are gone', () => outcomes.length > 0);
    const staying = clients.filter((_, index) => !outcomes.some(({ user }) => user === `u-${index}`)).length;
    await eventually('the change was followed', async () => (await openCount('canary')) < 20);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    const left = (): number => clients.length - outcomes.length;
    await eventually('those who are gone are not counted', async () => (await openCount('canary')) === left());
    assert.ok(left() > 0 && left() <= staying);
    assert.ok(outcomes.every(({ bucket }) => bucket! >= 5_000));
    for (const client of clients) client.socket.destroy();
  });

  test('are kept where the policy does not say otherwise', async (context) => {
    const { port, publish, openCount } = await startShop(context, streaming('text/event-stream'), {
      rollout: { streams: 'keep' },
    });
    const client = ask(port, 'u-1');
    await client.untilText('data: 1');
    publish(0, true);
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    assert.deepEqual([client.ended, await openCount('canary')], [null, 1]);
    client.socket.destroy();
  });

  test('that the baseline serves for a candidate stay when the candidate is rolled back', async (context) => {
    const dead = await faultsBeforeHead['refuses the connection']!.start(context);
    const { port, publish, openCount } = await startShop(context, streaming('text/event-stream'), { canary: dead });
    const client = ask(port, 'u-1');
    await client.untilText('data: 1');
    assert.equal(await openCount('stable'), 1);
    publish(0, true);
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    assert.deepEqual([client.replies()[0]!.whole, await openCount('stable')], [false, 1]);
    client.socket.destroy();
  });

  test('whose length was said are left alone, and other answers are none', async (context) => {
    const { port, publish, openCount } = await startShop(context, (request, response) => {
      const length = request.url === '/long' ? { 'Content-Length': 100 } : {};
      const type = request.url === '/long' ? 'text/event-stream' : 'text/plain';
      response.writeHead(200, { 'Content-Type': type, ...length }).write('data: 1\n\n');
    });
    const clients = [ask(port, 'u-1', '/long'), ask(port, 'u-1', '/plain')];
    await Promise.all(clients.map((client) => client.untilText('data: 1')));
    assert.equal(await openCount('canary'), 0);
    publish(0, true);
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    assert.deepEqual(
      clients.map(({ ended }) => ended),
      [null, null],
    );
    for (const client of clients) client.socket.destroy();
  });
});

suite('a reload', () => {
  test('that takes the version away ends its streams, by what the new policy says', async (context) => {
    const { port, gateway, stable, openCount } = await startShop(context, streaming('text/event-stream'));
    const client = ask(port, 'u-1');
    await client.untilText('data: 1');
    const next = shopPolicy({ stable: stable.origin, timeouts, rollout: { streams: 'drain' } });
    gateway.adopt(next);
    const [reply] = await client.untilReplies(1);
    assert.equal(reply!.whole, true);
    await eventually('it is gone', async () => (await openCount('canary')) === 0);
    client.socket.destroy();
  });

  test('that changes nothing for a user leaves the stream as it is', async (context) => {
    const { port, gateway, policy } = await startShop(context, streaming('text/event-stream'));
    const client = ask(port, 'u-1');
    await client.untilText('data: 1');
    gateway.adopt({ ...policy, limits: { ...policy.limits, bodyBytes: 5 } });
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    assert.equal(client.ended, null);
    assert.equal(client.replies()[0]!.whole, false);
    client.socket.destroy();
  });
});

test('a gRPC call over HTTP/2 ends with a status that says to call again', async (context) => {
  const { port, publish, openCount } = await startShop(context, streaming('application/grpc'), { tls: tlsOf() });
  const session = await openHttp2(context, port);
  const stream = beginHttp2(session, { method: 'POST', headers: ['x-user-id', 'u-1', 'te', 'trailers'], body: '' });
  const reply = readHttp2(stream);
  await once(stream, 'response');
  assert.equal(await openCount('canary'), 1);
  publish(0, true);
  const { rawTrailers } = await reply;
  assert.deepEqual(rawTrailers.slice(0, 2), ['grpc-status', '14']);
});

for (const [what, tls] of [
  ['plain', null],
  ['encrypted', tlsOf()],
] as const) {
  test(`a WebSocket, ${what}, gets what its server still says, then ends`, async (context) => {
    const [stable, canary] = [await startEchoServer(context, 'stable'), await startEchoServer(context, 'canary')];
    const rollout = { streams: 'drain' as const };
    const policy = shopPolicy({ stable: stable.origin, canary: canary.origin, timeouts, tls, rollout });
    const running = await startGateway(context, policy);
    const { port, metrics, outcomes } = running;
    const scheme = tls === null ? 'http' : 'https';
    const options = { headers: { 'x-user-id': 'u-1' }, rejectUnauthorized: false };
    const socket = await openWebSocket(context, `${scheme}://127.0.0.1:${port}`, options);
    assert.equal((await exchangeMessages(socket, 'x')).toString(), 'canary:x');
    assert.equal(await sumOf(metrics, 'graygate_streams', { version: 'canary' }), 1);
    const messages: string[] = [];
    socket.on('message', (data: Buffer) => messages.push(data.toString()));
    canary.sockets[0]!.on('close', () => undefined);
    const closed = once(socket, 'close');
    const [shop] = policy.rollouts;
    running.cellOf(shop!).current = layOutSplit(shop!.versions, {}, true);
    canary.sockets[0]!.send('last words');
    await closed;
    assert.deepEqual(messages, ['last words']);
    await eventually('the outcome', () => outcomes.length === 1);
    assert.deepEqual([outcomes[0]!.ending, outcomes[0]!.faults.length], ['upgraded', 0]);
    assert.equal(await sumOf(metrics, 'graygate_streams'), 0);
    const again = await openWebSocket(context, `${scheme}://127.0.0.1:${port}`, options);
    assert.equal((await exchangeMessages(again, 'y')).toString(), 'stable:y');
  });
}
