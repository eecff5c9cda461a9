// What clients of HTTP/2 may do to a connection or a stream that no well-behaved one would: it harms neither others nor servers.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import { tlsOf } from '../support/certificates.ts';
import { createGate, eventually } from '../support/eventually.ts';
import { startGateway, type TestContext } from '../support/gateways.ts';
import { openFrames, settingPayload } from '../support/http2-frame-client.ts';
import { endHeaders, endStream, frameType, packFields } from '../support/http2-frames.ts';
import { openHttp2, sendHttp2 } from '../support/http2-client.ts';
import { sumOf } from '../support/metric-samples.ts';
import { shopPolicy } from '../support/policies.ts';
import { type RecordingAnswer, startRecordingUpstream } from '../support/recording-upstream.ts';

const timeouts = { headerMs: 10_000, idleMs: 75_000, drainMs: 30_000 };

async function startShop(
  context: TestContext,
  answer: RecordingAnswer | string = 'recorded',
  policy: Partial<Parameters<typeof shopPolicy>[0]> = {},
) {
  const upstream = await startRecordingUpstream(context, answer);
  const running = await startGateway(context, shopPolicy({ stable: upstream.origin, tls: tlsOf(), ...policy }));
  return { upstream, ...running, client: await openFrames(context, running.port) };
}

suite('a body that the client does not end', () => {
  for (const code of [0, 8, 2]) {
    test(`reset with ${code}, leaves the server without an end`, async (context) => {
      const { client, upstream, outcomes } = await startShop(context);
      client.request(1, { method: 'POST', ends: false });
      client.data(1, 'half');
      await eventually('the half', () => upstream.requests[0]?.body === 'half');
      client.connection.reset(1, code);
      await eventually('the server is told', () => upstream.requests[0]!.aborted);
      await eventually('the outcome', () => outcomes.length === 1);
      assert.deepEqual([outcomes[0]!.ending, outcomes[0]!.faults.length], ['client-left', 0]);
      assert.equal(await client.isAlive(), true);
    });
  }

  test('because its connection broke, leaves the server without an end', async (context) => {
    const { client, upstream, outcomes } = await startShop(context);
    client.request(1, { method: 'POST', ends: false });
    client.data(1, 'half');
    await eventually('the half', () => upstream.requests[0]?.body === 'half');
    client.connection.socket.destroy();
    await eventually('the server is told', () => upstream.requests[0]!.aborted);
    await eventually('the outcome', () => outcomes.length === 1);
    assert.deepEqual([outcomes[0]!.ending, outcomes[0]!.faults.length], ['client-left', 0]);
  });

  test('as long as it said never reaches the server whole', async (context) => {
    const { client, upstream, outcomes } = await startShop(context);
    client.request(1, { method: 'POST', fields: ['content-length', '10'], ends: false });
    client.data(1, 'short', endStream);
    assert.equal(await client.untilReset(1), 1);
    await eventually('the outcome', () => outcomes.length === 1);
    assert.equal(outcomes[0]!.ending, 'client-left');
    await eventually('the server is told', () => upstream.requests.every(({ aborted }) => aborted));
  });

  test('where it said, and goes on, ends the connection', async (context) => {
    const { client, upstream, outcomes } = await startShop(context);
    client.request(1, { method: 'POST', fields: ['content-length', '2'], ends: false });
    client.data(1, 'longer', endStream);
    await client.untilClosed();
    await eventually('the outcome', () => outcomes.length === 1);
    assert.equal(outcomes[0]!.ending, 'client-left');
    await eventually('the server is told', () => upstream.requests.every(({ aborted }) => aborted));
  });

  test('in its time is refused with 408', async (context) => {
    const { client, upstream, outcomes } = await startShop(context, 'recorded', {
      timeouts: { ...timeouts, idleMs: 1_000 },
    });
    client.request(1, { method: 'POST', ends: false });
    client.data(1, 'half');
    assert.equal(await client.untilReset(1), 0);
    await eventually('the outcome', () => outcomes.length === 1);
    assert.deepEqual([outcomes[0]!.status, outcomes[0]!.ending, outcomes[0]!.faults.length], [408, 'refused', 0]);
    await eventually('the server is told', () => upstream.requests[0]!.aborted);
  });
});

suite('fields that may not be', () => {
  const rows: readonly [what: string, fields: string[]][] = [
    ['of the connection', ['connection', 'keep-alive']],
    ['of an upgrade', ['upgrade', 'h2c']],
    ['of another framing', ['transfer-encoding', 'chunked']],
    ['in upper case', ['X-Upper', '1']],
    ['with another te than trailers', ['te', 'gzip']],
    ['twice the length', ['content-length', '1', 'content-length', '2']],
  ];
  for (const [what, fields] of rows) {
    test(`${what} end the stream, and no server sees it`, async (context) => {
      const { client, upstream } = await startShop(context);
      client.request(1, { fields });
      assert.equal(await client.untilReset(1), 1);
      client.request(3);
      await eventually('the next one', () => client.framesOf(frameType.data, 3).length > 0);
      assert.deepEqual(
        upstream.requests.map(({ url }) => url),
        ['/3'],
      );
    });
  }
});

test('a field with a line in it is left out', async (context) => {
  const { client, upstream } = await startShop(context);
  client.request(1, { fields: ['x-line', 'a\r\nx-forged: 1', 'x-next', '2'] });
  await eventually('the server is asked', () => upstream.requests.length === 1);
  const names = upstream.requests[0]!.rawHeaders.filter((_, index) => index % 2 === 0);
  assert.deepEqual(
    names.filter((name) => /^x-(line|forged|next)$/.test(name)),
    ['x-next'],
  );
});

suite('floods end the connection, and others are served on', () => {
  type Flood = (client: Awaited<ReturnType<typeof openFrames>>, round: number) => void;
  const floods: Readonly<Record<string, Flood>> = {
    'streams that are opened and reset at once': (client, round) => {
      client.request(round * 2 + 1);
      client.connection.reset(round * 2 + 1, 8);
    },
    'requests that are no requests': (client, round) => client.request(round * 2 + 1, { fields: ['connection', 'x'] }),
    'streams beyond what it may open': (client, round) =>
      client.request(round * 2 + 1, { ends: false, method: 'POST' }),
    'fields without an end': (client, round) => {
      const fields = packFields([':method', 'GET', ':scheme', 'https', ':authority', 'a', ':path', '/']);
      if (round === 0) client.connection.send(frameType.headers, endStream, 1, fields);
      else client.connection.send(9, 0, 1, packFields(['x-more', 'x'.repeat(100)]));
    },
  };
  for (const [what, flood] of Object.entries(floods)) {
    test(what, async (context) => {
      const { client, port, metrics, malformed } = await startShop(context, () => undefined);
      for (let round = 0; round < 20_000 && !client.isClosed; round += 1) {
        flood(client, round);
        if (round % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
      }
      await client.untilClosed();
      await eventually('it is counted', () => malformed.length > 0);
      await eventually('nothing is left', async () => (await sumOf(metrics, 'graygate_requests_in_flight')) === 0);
      const other = await openHttp2(context, port);
      const stream = other.request({ ':path': '/' });
      stream.on('error', () => undefined);
      await eventually(
        'another client is served',
        async () => (await sumOf(metrics, 'graygate_requests_in_flight')) === 1,
      );
    });
  }

  for (const [what, type, payload] of [
    ['pings', frameType.ping, Buffer.alloc(8)],
    ['settings', frameType.settings, Buffer.alloc(0)],
  ] as const) {
    test(`${what} whose answers the client does not read`, async (context) => {
      const { client, malformed } = await startShop(context);
      const { socket } = client.connection;
      await client.isAlive();
      socket.pause();
      const frame = Buffer.concat([Buffer.from([0, 0, payload.length, type, 0, 0, 0, 0, 0]), payload]);
      const many = Buffer.concat(Array.from({ length: 10_000 }, () => frame));
      for (let round = 0; round < 500 && malformed.length === 0; round += 1) {
        if (socket.write(many)) continue;
        await Promise.race([once(socket, 'drain'), eventually('the end', () => malformed.length > 0)]);
      }
      await eventually('it is counted', () => malformed.length > 0);
      socket.destroy();
    });
  }

  test('what is no HTTP/2 at all ends it', async (context) => {
    const { client, malformed } = await startShop(context);
    client.connection.socket.write('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    await client.untilClosed();
    await eventually('it is counted', () => malformed.length > 0);
  });
});

test('at most a hundred requests are under way on a connection; one more is refused and may be sent again', async (context) => {
  const { client, upstream } = await startShop(context, () => undefined);
  for (let index = 0; index < 101; index += 1) client.request(index * 2 + 1);
  assert.equal(await client.untilReset(201), 7);
  await eventually('a hundred', () => upstream.requests.length === 100);
  client.connection.reset(1, 8);
  client.request(203);
  await eventually('room for another', () => upstream.requests.some(({ url }) => url === '/203'));
});

suite('a client that takes nothing', () => {
  const windowless = settingPayload(4, 0);

  test('of an answer is cut after its time, and its server let go', async (context) => {
    const { port, upstream, outcomes } = await startShop(
      context,
      (_request, response) => void response.end(Buffer.alloc(2 ** 24)),
      { timeouts: { ...timeouts, idleMs: 200 } },
    );
    const client = await openFrames(context, port, windowless);
    client.request(1);
    assert.equal(await client.untilReset(1), 2);
    await eventually('the outcome', () => outcomes.length === 1);
    assert.deepEqual([outcomes[0]!.status, outcomes[0]!.ending, outcomes[0]!.faults.length], [200, 'cut', 0]);
    await eventually('the server is told', () => upstream.requests[0]!.aborted);
  });

  test('of an answer that the server has ended is cut, too', async (context) => {
    const { port, outcomes } = await startShop(context, 'recorded', { timeouts: { ...timeouts, idleMs: 200 } });
    const client = await openFrames(context, port, windowless);
    client.request(1);
    assert.equal(await client.untilReset(1), 2);
    await eventually('the outcome', () => outcomes.length === 1);
    assert.notEqual(outcomes[0]!.ending, 'complete');
  });

  test('of one stream holds up no other', async (context) => {
    const { port } = await startShop(context);
    const client = await openFrames(context, port, windowless);
    client.request(1);
    client.request(3);
    const window = Buffer.alloc(4);
    window.writeUInt32BE(1_000);
    client.connection.send(8, 0, 3, window);
    await eventually('the answer', () => client.framesOf(frameType.data, 3).length > 0);
    assert.equal(client.framesOf(frameType.data, 1).filter(({ payload }) => payload.length > 0).length, 0);
  });
});

suite('idle connections', () => {
  test('end without a word of blame when nothing was asked on them in time', async (context) => {
    const { client, malformed } = await startShop(context, 'recorded', { timeouts: { ...timeouts, headerMs: 200 } });
    assert.equal(await client.untilGoaway(), 0);
    await client.untilClosed();
    assert.deepEqual(malformed, []);
  });

  test('end after their time between two requests, but not while one is under way', async (context) => {
    const { client, upstream } = await startShop(
      context,
      (request, response) => void (request.url === '/3' || response.end('x')),
      { timeouts: { ...timeouts, idleMs: 200 } },
    );
    client.request(1);
    client.request(3);
    await eventually('both', () => upstream.requests.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(client.isClosed, false);
    client.connection.reset(3, 8);
    assert.equal(await client.untilGoaway(), 0);
    await client.untilClosed();
  });

  test('that began with half a head end, too', async (context) => {
    const { client } = await startShop(context, 'recorded', { timeouts: { ...timeouts, headerMs: 200 } });
    client.connection.send(frameType.headers, endStream & ~endHeaders, 1, packFields([':method', 'GET']));
    await client.untilClosed();
  });
});

test('a connection ends with its last request when the gateway does, and takes none that comes later', async (context) => {
  const gate = createGate();
  const { client, upstream, gateway, port } = await startShop(context, (_request, response) => {
    void gate.opened.then(() => response.end('whole'));
  });
  const idle = await openFrames(context, port);
  await idle.isAlive();
  client.request(1);
  await eventually('it is under way', () => upstream.requests.length === 1);
  const closed = gateway.close(30_000);
  assert.equal(await idle.untilGoaway(), 0);
  await idle.untilClosed();
  assert.equal(await client.untilGoaway(), 0);
  assert.equal(client.isClosed, false);
  gate.open();
  await eventually('the answer', () => client.framesOf(frameType.data, 1).some(({ payload }) => payload.length === 5));
  await client.untilClosed();
  await closed;
});

test('at the deadline what is left is cut', async (context) => {
  const { client, upstream, gateway, metrics } = await startShop(context, () => undefined);
  client.request(1);
  await eventually('it is under way', () => upstream.requests.length === 1);
  await gateway.close(200);
  await client.untilClosed();
  assert.equal(await sumOf(metrics, 'graygate_requests_in_flight'), 0);
});

test('what one connection does is told from another of the same gateway', async (context) => {
  const { port } = await startShop(context);
  const [one, two] = [await openHttp2(context, port), await openHttp2(context, port)];
  one.destroy();
  assert.equal((await sendHttp2(two)).status, 200);
});
