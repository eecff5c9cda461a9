// Requests of HTTP/2 clients: what reaches the server, what comes back, and that nothing is lost or made up between.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import { tlsOf } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, type TestContext } from '../support/gateways.ts';
import { headersOf, valuesOf } from '../support/http-client.ts';
import { beginHttp2, openHttp2, readHttp2, sendHttp2 } from '../support/http2-client.ts';
import { shopPolicy } from '../support/policies.ts';
import { answering, startRawUpstream } from '../support/raw-upstream.ts';
import { type RecordingAnswer, startRecordingUpstream } from '../support/recording-upstream.ts';

const limits = { headerBytes: 16_384, bodyBytes: Infinity, connections: Infinity, connectionsPerSecond: Infinity };

/** A gateway before one server, and a connection to it. */
async function startShop(
  context: TestContext,
  answer: RecordingAnswer | string = 'recorded',
  policy: Partial<Parameters<typeof shopPolicy>[0]> = {},
) {
  const upstream = await startRecordingUpstream(context, answer);
  const running = await startGateway(context, shopPolicy({ stable: upstream.origin, tls: tlsOf(), ...policy }));
  return { upstream, ...running, session: await openHttp2(context, running.port) };
}

/** A gateway before a server that answers every request with these bytes, and a connection to it. */
async function startRawShop(context: TestContext, bytes: string) {
  const upstream = await startRawUpstream(context, answering(bytes));
  const running = await startGateway(context, shopPolicy({ stable: upstream.origin, tls: tlsOf() }));
  return { upstream, ...running, session: await openHttp2(context, running.port) };
}

suite('what reaches the server', () => {
  test('method, target, host, and headers in their order and number', async (context) => {
    const { session, upstream } = await startShop(context);
    const headers = headersOf('x-b: 2', 'x-a: 1', 'x-b: 3', 'accept: */*', 'x-user-id: \xe6\x9d\x8e', 'te: trailers');
    const reply = await sendHttp2(session, { method: 'DELETE', path: '/a%2Fb//c/../d?e=f&&g', headers });
    assert.equal(reply.status, 200);
    const [seen] = upstream.requests;
    assert.deepEqual([seen!.method, seen!.url], ['DELETE', '/a%2Fb//c/../d?e=f&&g']);
    assert.deepEqual(valuesOf(seen!.rawHeaders, 'host'), ['shop.test']);
    const own = seen!.rawHeaders.slice(2, 12);
    assert.deepEqual(own, headersOf('x-b: 2', 'x-a: 1', 'x-b: 3', 'accept: */*', 'x-user-id: \xe6\x9d\x8e'));
    assert.equal(seen!.header('x-forwarded-proto'), 'https');
    assert.equal(seen!.header('x-forwarded-for'), '127.0.0.1');
    assert.equal(
      seen!.rawHeaders.some((text) => text.startsWith(':')),
      false,
    );
  });

  test('cookies that came in crumbs are one header, and decide', async (context) => {
    const { session, upstream, outcomes } = await startShop(context, 'recorded', {
      rollout: { user: { from: [{ kind: 'cookie', name: 'uid' }], anonymous: 'baseline', jwt: null } },
    });
    await sendHttp2(session, { headers: headersOf('cookie: a=1', 'x-between: yes', 'cookie: uid=u-7', 'cookie: b=2') });
    assert.deepEqual(valuesOf(upstream.requests[0]!.rawHeaders, 'cookie'), ['a=1; uid=u-7; b=2']);
    await eventually('the outcome', () => outcomes.length === 1);
    assert.equal(outcomes[0]!.user, 'u-7');
  });

  test('a Host header takes the place of an authority that is missing', async (context) => {
    const { session, upstream } = await startShop(context);
    const stream = session.request({ ':path': '/', host: 'a.test' });
    assert.equal((await readHttp2(stream)).status, 200);
    assert.deepEqual(valuesOf(upstream.requests[0]!.rawHeaders, 'host'), ['a.test']);
  });

  test('an empty body of no announced length, though its end came before a connection was there', async (context) => {
    const { session, upstream } = await startShop(context);
    const replies = Array.from({ length: 10 }, () => sendHttp2(session, { method: 'POST', body: '' }));
    for (const { status } of await Promise.all(replies)) assert.equal(status, 200);
    assert.deepEqual(new Set(upstream.requests.map(({ body }) => body)), new Set(['']));
  });

  test('bodies of every size, with a length and without', async (context) => {
    const { session, upstream, outcomes } = await startShop(context);
    const large = Buffer.alloc(3_000_001, 'x');
    await sendHttp2(session, { method: 'POST', body: large });
    await sendHttp2(session, { method: 'POST', body: large, headers: ['content-length', String(large.length)] });
    await sendHttp2(session, { method: 'POST', body: '' });
    assert.deepEqual(
      upstream.requests.map((request) => [request.body.length, request.header('content-length') ?? 'none']),
      [
        [3_000_001, 'none'],
        [3_000_001, '3000001'],
        [0, 'none'],
      ],
    );
    await eventually('the outcomes', () => outcomes.length === 3);
    assert.equal(outcomes[0]!.requestByteCount, 3_000_001);
  });

  test('trailers of a request', async (context) => {
    const trailers: string[][] = [];
    const { session } = await startShop(context, (request, response) => {
      request.on('end', () => {
        trailers.push(request.rawTrailers);
        response.end();
      });
    });
    await sendHttp2(session, { method: 'POST', body: 'x', trailers: { 'x-sum': 'abc' } });
    assert.deepEqual(trailers, [['x-sum', 'abc']]);
  });

  test('a body that waits to be asked for is asked for when a server takes it', async (context) => {
    const { session, upstream } = await startShop(context);
    const stream = beginHttp2(session, { method: 'POST', headers: ['expect', '100-continue'], body: '' });
    await once(stream, 'continue');
    await eventually('the server is asked', () => upstream.requests.length === 1);
    stream.end('now');
    assert.equal((await readHttp2(stream)).status, 200);
    assert.deepEqual([upstream.requests[0]!.body, upstream.requests[0]!.header('expect')], ['now', undefined]);
  });
});

suite('what comes back', () => {
  test('headers in their order and number, bytes as they are, without those of the connection', async (context) => {
    const { session } = await startRawShop(
      context,
      'HTTP/1.1 201 Made\r\nSet-Cookie: a=1\r\nX-Name: \xe6\x9d\x8e\r\nSet-Cookie: b=2\r\nKeep-Alive: timeout=5\r\n' +
        'Connection: keep-alive, x-hop\r\nX-Hop: 1\r\nHTTP2-Settings: x\r\nProxy-Connection: x\r\nContent-Type: a\r\n' +
        'Content-Type: b\r\nLocation: http://other.test/a%2F\r\nDate: now\r\nContent-Length: 2\r\n\r\nok',
    );
    const reply = await sendHttp2(session, { headers: ['x-user-id', 'u'] });
    assert.equal(reply.status, 201);
    assert.deepEqual(
      reply.rawHeaders,
      headersOf(
        'set-cookie: a=1',
        'x-name: \xe6\x9d\x8e',
        'set-cookie: b=2',
        'content-type: a',
        'content-type: b',
        'location: http://other.test/a%2F',
        'date: now',
        'content-length: 2',
        'x-graygate-version: stable',
      ),
    );
    assert.equal(reply.body, 'ok');
  });

  test('a large body, whole', async (context) => {
    const large = Buffer.alloc(5_000_000, 'x');
    const { session, outcomes } = await startShop(context, (_request, response) => void response.end(large));
    assert.equal((await sendHttp2(session)).body.length, large.length);
    await eventually('the outcome', () => outcomes.length === 1);
    assert.deepEqual([outcomes[0]!.ending, outcomes[0]!.responseByteCount], ['complete', large.length]);
  });

  test('trailers of an answer, and none where there are none', async (context) => {
    const { session } = await startShop(context, (request, response) => {
      response.writeHead(200, { Trailer: 'X-Sum' });
      response.write('body');
      if (request.url === '/with')
        response.addTrailers([
          ['X-Sum', 'abc'],
          ['X-Sum', 'def'],
        ] as never);
      response.end();
    });
    const reply = await sendHttp2(session, { path: '/with' });
    assert.deepEqual([reply.body, reply.rawTrailers], ['body', ['x-sum', 'abc', 'x-sum', 'def']]);
    assert.deepEqual((await sendHttp2(session, { path: '/without' })).rawTrailers, []);
  });

  test('interim answers before it', async (context) => {
    const { session } = await startShop(context, (_request, response) => {
      response.writeEarlyHints({ link: ['</a.css>; rel=preload', '</b.css>; rel=preload'] }, () =>
        response.end('whole'),
      );
    });
    const reply = await sendHttp2(session);
    assert.deepEqual(
      reply.interim.map(({ status }) => status),
      [103],
    );
    assert.equal(reply.body, 'whole');
  });

  test('answers without a body', async (context) => {
    const { session, outcomes } = await startShop(context, (request, response) => {
      const status = Number(request.url!.slice(1));
      response.writeHead(status, status === 200 ? { 'Content-Length': 10 } : {}).end();
    });
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 204],
      ['GET', 205],
      ['GET', 304],
    ] as const) {
      const reply = await sendHttp2(session, { method, path: `/${status}` });
      assert.deepEqual([reply.status, reply.body], [status, '']);
    }
    await eventually('the outcomes', () => outcomes.length === 4);
    assert.deepEqual(new Set(outcomes.map(({ ending }) => ending)), new Set(['complete']));
  });

  test('a status that HTTP/2 cannot carry is the fault of the server', async (context) => {
    const { session, outcomes } = await startRawShop(context, 'HTTP/1.1 999 No\r\nContent-Length: 2\r\n\r\nno');
    assert.equal((await sendHttp2(session)).status, 502);
    await eventually('the outcome', () => outcomes.length === 1);
    assert.equal(outcomes[0]!.faults[0]!.kind, 'protocol');
  });

  test('many at once on one connection, each its own', async (context) => {
    const { session } = await startShop(context, (request, response) => {
      setImmediate(() => response.end(`${request.url}`));
    });
    const paths = Array.from({ length: 300 }, (_, index) => `/${index}`);
    const replies = await Promise.all(paths.map((path) => sendHttp2(session, { path })));
    assert.deepEqual(
      replies.map(({ body }) => body),
      paths,
    );
  });
});

suite('what goes wrong', () => {
  test('a server that cuts its body resets the stream, and only that', async (context) => {
    const { session, outcomes } = await startShop(context, (request, response) => {
      if (request.url === '/whole') response.end('whole');
      else response.write('half', () => setImmediate(() => response.destroy()));
    });
    await assert.rejects(sendHttp2(session), /reset with 2|INTERNAL_ERROR/);
    assert.equal((await sendHttp2(session, { path: '/whole' })).body, 'whole');
    await eventually('the outcomes', () => outcomes.length === 2);
    assert.deepEqual(
      outcomes.map(({ ending, faults }) => [ending, faults.length]),
      [
        ['cut', 1],
        ['complete', 0],
      ],
    );
  });

  test('a client that goes away while it waits aborts the request to the server', async (context) => {
    const { session, upstream, outcomes } = await startShop(context, () => undefined);
    const stream = beginHttp2(session);
    await eventually('it is under way', () => upstream.requests.length === 1);
    stream.close(8);
    await eventually('the server is told', () => upstream.requests[0]!.aborted);
    await eventually('the outcome', () => outcomes.length === 1);
    assert.deepEqual([outcomes[0]!.status, outcomes[0]!.ending], [499, 'client-left']);
  });

  test('a client that resets without an error while the server takes nothing is noticed', async (context) => {
    const upstream = await startRawUpstream(context, ({ socket }) => void socket.pause());
    const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin, tls: tlsOf() }));
    const stream = beginHttp2(await openHttp2(context, port), { method: 'POST', body: '' });
    const chunk = Buffer.alloc(65_536);
    let isStill = false;
    stream.on('drain', () => (isStill = false));
    for (let looks = 0; looks < 5; looks = isStill ? looks + 1 : 0) {
      isStill = true;
      while (stream.write(chunk)) isStill = false;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    stream.close(0);
    await eventually('the outcome', () => outcomes.length === 1);
    assert.equal(outcomes[0]!.ending, 'client-left');
    await eventually('the server is told', () => upstream.connections[0]!.socket.resume().destroyed);
  });

  test('a body over the limit is refused, announced or not, and its rest not awaited', async (context) => {
    const { session, upstream, outcomes } = await startShop(context, 'recorded', {
      limits: { ...limits, bodyBytes: 1_000 },
    });
    const announced = beginHttp2(session, { method: 'POST', headers: ['content-length', '1001'], body: '' });
    assert.equal((await readHttp2(announced)).status, 413);
    const unannounced = beginHttp2(session, { method: 'POST', body: '' });
    unannounced.write(Buffer.alloc(1_001));
    assert.equal((await readHttp2(unannounced)).status, 413);
    assert.equal((await sendHttp2(session, { method: 'POST', body: 'x' })).status, 200);
    await eventually('the outcomes', () => outcomes.length === 3);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      [413, 413, 200],
    );
    assert.ok(upstream.requests.length <= 2);
  });

  test('headers over the limit get 431, and no server sees them', async (context) => {
    const { session, upstream } = await startShop(context, 'recorded', { limits: { ...limits, headerBytes: 2_048 } });
    const reply = await sendHttp2(session, { headers: ['x-large', 'x'.repeat(2_048)] });
    assert.deepEqual([reply.status, reply.header('content-type')], [431, 'application/problem+json']);
    const many = Array.from({ length: 400 }, (_, index) => [`a${index % 9}`, '']).flat();
    assert.equal((await sendHttp2(session, { headers: many })).status, 431);
    assert.equal(upstream.requests.length, 0);
  });

  const refusals: readonly [what: string, headers: string[], status: number][] = [
    ['a target that is no path', [':path', '*'], 400],
    ['a target with a byte above ASCII', [':path', '/\xe9'], 400],
    ['another host than the authority', ['host', 'b.test'], 400],
    ['an authority that is none', [':authority', 'a b'], 400],
    ['a method that is none', [':method', 'BREW'], 501],
    ['an expectation that nobody knows', ['expect', 'miracle'], 417],
  ];
  for (const [what, headers, status] of refusals) {
    test(`${what} gets ${status}`, async (context) => {
      const { session, upstream } = await startShop(context);
      const answer = sendHttp2(session, { headers });
      await answer.then(
        (reply) => assert.equal(reply.status, status),
        (error: Error) => assert.match(error.message, /reset with 1|PROTOCOL_ERROR/),
      );
      assert.equal(upstream.requests.length, 0);
      assert.equal((await sendHttp2(session)).status, 200);
    });
  }

  test('CONNECT without a protocol gets 501', async (context) => {
    const { session } = await startShop(context);
    const stream = session.request([':method', 'CONNECT', ':authority', 'shop.test:443'] as never);
    assert.equal((await readHttp2(stream)).status, 501);
  });

  test('what graygate answers by itself is a problem document', async (context) => {
    const { session } = await startShop(context, 'recorded', {
      rollout: { match: { hosts: [{ kind: 'exact', host: 'elsewhere.test' }], paths: [] } },
    });
    const reply = await sendHttp2(session);
    assert.equal(reply.status, 404);
    assert.equal((JSON.parse(reply.body) as { code: string }).code, 'no-rollout');
    assert.equal((await sendHttp2(session, { method: 'HEAD' })).body, '');
  });
});
