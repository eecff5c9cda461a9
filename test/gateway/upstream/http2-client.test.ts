// The HTTP/2 client to servers, against the platform's own server and against one that speaks frame by frame.
import assert from 'node:assert/strict';
import type { ServerHttp2Stream } from 'node:http2';
import { suite, test } from 'node:test';
import { createUpstreamClient } from '../../../src/gateway/upstream/create-client.ts';
import type { UpstreamClient } from '../../../src/gateway/upstream/upstream-client.ts';
import { attempt, HandBody, wholeBody } from '../../support/attempts.ts';
import { eventually } from '../../support/eventually.ts';
import type { TestContext } from '../../support/gateways.ts';
import { endStream, type Frame, frameType, startFrameServer } from '../../support/http2-frames.ts';
import { echo, saying, startHttp2Upstream } from '../../support/http2-upstream.ts';

const timeouts = { connectMs: 30_000, responseMs: 30_000, idleMs: 30_000 };
const maxConcurrentStreams = 3;

const isCancel = ({ type, payload }: Frame): boolean => type === frameType.reset && payload.readUInt32BE() === 8;
const isEndOfBody = ({ type, flags }: Frame): boolean => type === frameType.data && (flags & endStream) !== 0;

function clientOf(context: TestContext, origin: string): UpstreamClient {
  const client = createUpstreamClient({ origin, http2: true, tls: null, timeouts });
  context.after(() => client.destroy());
  return client;
}

suite('what is said and heard', () => {
  test('headers keep their order and number, Host becomes the authority', async (t) => {
    const upstream = await startHttp2Upstream(t, saying('ok'));
    const headers = ['X-B', '1', 'Host', 'shop.test', 'authorization', 'a', 'X-A', 'caf\xe9', 'X-B', '2'];
    headers.push('authorization', 'b', 'TE', 'trailers', 'Cookie', 'a=1; b=2');
    const recorded = attempt(clientOf(t, upstream.origin), { path: '/a?b=%20', headers });
    await recorded.ended;
    assert.deepEqual(recorded.events, ['sent', 'head', 'complete']);
    assert.deepEqual(
      upstream.heads[0],
      [':method', 'GET', ':scheme', 'http', ':authority', 'shop.test', ':path', '/a?b=%20'].concat(
        ['x-b', '1', 'authorization', 'a', 'x-a', 'caf\xe9', 'x-b', '2', 'authorization', 'b'],
        ['te', 'trailers', 'cookie', 'a=1; b=2'],
      ),
    );
  });

  test('an answer keeps the order and number of its headers, interim answers and trailers', async (t) => {
    const server = await startFrameServer(t, {
      onRequest(connection, id) {
        connection.headers(id, [':status', '103', 'link', '</a.css>']);
        connection.headers(id, [':status', '200', 'set-cookie', 'a=1', 'x-a', '\xfc', 'set-cookie', 'b=2']);
        connection.send(frameType.data, 0, id, Buffer.from('body'));
        connection.headers(id, ['grpc-status', '0', 'x-t', '1', 'x-t', '2'], endStream);
      },
    });
    const recorded = attempt(clientOf(t, server.origin));
    await recorded.ended;
    assert.deepEqual(recorded.events, ['sent', 'interim', 'head', 'complete']);
    assert.deepEqual(recorded.interims, [{ status: 103, rawHeaders: ['link', '</a.css>'] }]);
    assert.equal(recorded.status, 200);
    assert.deepEqual(recorded.rawHeaders, ['set-cookie', 'a=1', 'x-a', '\xfc', 'set-cookie', 'b=2']);
    assert.equal(recorded.body, 'body');
    assert.deepEqual(recorded.trailers, ['grpc-status', '0', 'x-t', '1', 'x-t', '2']);
  });

  test('trailers without a body are the head', async (t) => {
    const server = await startFrameServer(t, {
      onRequest: (connection, id) => connection.headers(id, [':status', '200', 'grpc-status', '12'], endStream),
    });
    const recorded = attempt(clientOf(t, server.origin));
    await recorded.ended;
    assert.deepEqual([recorded.rawHeaders, recorded.trailers], [['grpc-status', '12'], null]);
  });

  test('a body and its trailers reach the server', async (t) => {
    let trailers: string[] = [];
    const upstream = await startHttp2Upstream(t, (stream) => {
      stream.on('trailers', (_headers, _flags, raw: string[]) => (trailers = raw));
      echo(stream, []);
    });
    const body = wholeBody('hello', ['X-B', '1', 'X-A', '2', 'X-B', '3']);
    const recorded = attempt(clientOf(t, upstream.origin), { method: 'POST', body });
    await recorded.ended;
    assert.equal(recorded.body, 'hello');
    assert.deepEqual(trailers, ['x-b', '1', 'x-b', '3', 'x-a', '2']);
  });

  test('an answer to HEAD, 204 and 304 may have a length and no body', async (t) => {
    for (const [method, status] of [
      ['HEAD', '200'],
      ['GET', '304'],
    ] as const) {
      const server = await startFrameServer(t, {
        onRequest: (connection, id) => connection.headers(id, [':status', status, 'content-length', '5'], endStream),
      });
      const recorded = attempt(clientOf(t, server.origin), { method });
      await recorded.ended;
      assert.deepEqual([recorded.status, recorded.kind, recorded.body], [Number(status), null, '']);
    }
  });

  test('a whole answer to a request that is still being sent ends the request', async (t) => {
    const server = await startFrameServer(t, {
      onRequest(connection, id) {
        connection.headers(id, [':status', '200']);
        connection.send(frameType.data, endStream, id, Buffer.from('enough'));
      },
    });
    const body = new HandBody();
    const recorded = attempt(clientOf(t, server.origin), { method: 'POST', body });
    (await body.started).data(Buffer.from('x'));
    await recorded.ended;
    assert.deepEqual([recorded.kind, recorded.body, body.isStopped], [null, 'enough', true]);
    await eventually('the server is told', () => server.connections[0]!.frames.some(isCancel));
    assert.equal(server.connections[0]!.frames.some(isEndOfBody), false);
  });

  test('a name that HTTP/2 cannot say is the fault of the request', async (t) => {
    const upstream = await startHttp2Upstream(t, saying('ok'));
    const recorded = attempt(clientOf(t, upstream.origin), { headers: ['Host', 'a', 'x y', '1'] });
    await recorded.ended;
    assert.equal(recorded.error?.name, 'UnsendableError');
    assert.deepEqual(recorded.events, ['failed']);
  });
});

suite('connections', () => {
  test('one carries many requests at once', async (t) => {
    const upstream = await startHttp2Upstream(t, saying('ok'));
    const client = clientOf(t, upstream.origin);
    const all = Array.from({ length: 50 }, () => attempt(client));
    await Promise.all(all.map(({ ended }) => ended));
    assert.deepEqual([...new Set(all.map(({ body, kind }) => `${kind} ${body}`))], ['null ok']);
    assert.equal(upstream.sessions.length, 1);
  });

  test('no more than the server takes are put on one, and others are opened', async (t) => {
    let most = 0;
    const open = new Map<unknown, number>();
    const upstream = await startHttp2Upstream(
      t,
      (stream) => {
        const count = (open.get(stream.session) ?? 0) + 1;
        open.set(stream.session, count);
        most = Math.max(most, count);
        setTimeout(() => {
          open.set(stream.session, open.get(stream.session)! - 1);
          saying('ok')(stream, []);
        }, 20);
      },
      { settings: { maxConcurrentStreams } },
    );
    const client = clientOf(t, upstream.origin);
    const all = Array.from({ length: 12 }, () => attempt(client));
    await Promise.all(all.map(({ ended }) => ended));
    assert.deepEqual([...new Set(all.map(({ body, kind }) => `${kind} ${body}`))], ['null ok']);
    assert.ok(most <= maxConcurrentStreams, `${most} at once`);
    assert.ok(
      upstream.sessions.length > 1 && upstream.sessions.length <= 12,
      `${upstream.sessions.length} connections`,
    );
  });

  test('a server that takes no streams fails its requests instead of being connected to for ever', async (t) => {
    const upstream = await startHttp2Upstream(t, saying('ok'), { settings: { maxConcurrentStreams: 0 } });
    const recorded = attempt(clientOf(t, upstream.origin));
    await recorded.ended;
    assert.equal(recorded.kind, 'connect');
    assert.equal(upstream.sessions.length, 1);
  });

  test('one that the server lets go ends its requests, and new ones go onto another', async (t) => {
    const bodies: HandBody[] = [];
    const upstream = await startHttp2Upstream(t, echo);
    const client = clientOf(t, upstream.origin);
    const send = () => {
      const body = new HandBody();
      bodies.push(body);
      return attempt(client, { method: 'POST', body });
    };
    const first = send();
    (await bodies[0]!.started).data(Buffer.from('a'));
    await eventually('the first bytes', () => first.body === 'a');
    upstream.sessions[0]!.close();
    await eventually('the news', () => upstream.sessions[0]!.closed);
    const second = send();
    (await bodies[1]!.started).end(null);
    await second.ended;
    bodies[0]!.sink!.data(Buffer.from('b'));
    bodies[0]!.sink!.end(null);
    await first.ended;
    assert.deepEqual([first.kind, first.body, second.kind], [null, 'ab', null]);
    assert.equal(upstream.sessions.length, 2);
  });

  test('what the server let go unseen begins again elsewhere, its body with it', async (t) => {
    let count = 0;
    const server = await startFrameServer(t, {
      onRequest(connection, id) {
        count += 1;
        // The client has sent its body by then; the server has looked at neither.
        if (count === 1) setTimeout(() => connection.goaway(0, 0), 20);
        else connection.headers(id, [':status', '200'], endStream);
      },
    });
    const recorded = attempt(clientOf(t, server.origin), { method: 'POST', body: wholeBody('order', ['x-t', '1']) });
    await recorded.ended;
    assert.deepEqual(recorded.events, ['sent', 'head', 'complete']);
    const sent = server.connections[1]!.frames.filter(({ type }) => type === frameType.data);
    assert.equal(Buffer.concat(sent.map(({ payload }) => payload)).toString(), 'order');
    assert.equal(server.connections.length, 2);
  });

  test('what a server that fails had not looked at begins again elsewhere, what it had looked at does not', async (t) => {
    const server = await startFrameServer(t, {
      onRequest(connection, id) {
        if (server.connections.length > 1) connection.headers(id, [':status', '200'], endStream);
        else if (id === 3) connection.goaway(1, 2);
      },
    });
    const client = clientOf(t, server.origin);
    const [seen, unseen] = [attempt(client), attempt(client)];
    await Promise.all([seen.ended, unseen.ended]);
    assert.deepEqual([seen.kind, unseen.kind, unseen.status], ['reset', null, 200]);
  });

  test('a body that is still coming goes on after a stream was refused', async (t) => {
    let count = 0;
    const upstream = await startHttp2Upstream(t, (stream) => {
      count += 1;
      if (count === 1) stream.once('data', () => stream.close(7));
      else echo(stream, []);
    });
    const body = new HandBody();
    const recorded = attempt(clientOf(t, upstream.origin), { method: 'POST', body });
    const sink = await body.started;
    sink.data(Buffer.from('one '));
    await eventually('the second beginning', () => count === 2);
    sink.data(Buffer.from('two'));
    sink.end(null);
    await recorded.ended;
    assert.deepEqual([recorded.kind, recorded.body], [null, 'one two']);
  });

  test('a body that is too large to be kept is not sent again', async (t) => {
    let count = 0;
    const upstream = await startHttp2Upstream(t, (stream) => {
      count += 1;
      let byteCount = 0;
      stream.on('data', (chunk: Buffer) => {
        byteCount += chunk.length;
        if (byteCount > 65_536 && !stream.closed) stream.close(7);
      });
    });
    const recorded = attempt(clientOf(t, upstream.origin), { method: 'POST', body: wholeBody('x'.repeat(100_000)) });
    await recorded.ended;
    assert.deepEqual([recorded.kind, count], ['connect', 1]);
  });

  test('one whose server does not answer pings is given up, with all that it carries', async (t) => {
    let isDeaf = false;
    const server = await startFrameServer(t, {
      onRequest: (_connection, id) => void (isDeaf = id > 0),
      onPing: () => undefined,
    });
    const patient = clientOf(t, server.origin);
    const impatient = createUpstreamClient({
      origin: server.origin,
      http2: true,
      tls: null,
      timeouts: { ...timeouts, responseMs: 1_000 },
    });
    t.after(() => impatient.destroy());
    assert.equal(isDeaf, false);
    const late = attempt(impatient);
    await late.ended;
    assert.equal(late.kind, 'timeout');
    // The next request goes onto the same connection until it is known to be dead, then onto a new one.
    await eventually('the connection is given up', () => server.connections[0]!.socket.destroyed);
    const next = attempt(impatient);
    await next.ended;
    assert.equal(server.connections.length, 2);
    await patient.close();
  });

  test('one with an answer under way is kept while its server answers pings', async (t) => {
    const server = await startFrameServer(t, {
      onRequest(connection, id) {
        if (id === 1) return;
        connection.headers(id, [':status', '200'], endStream);
      },
    });
    const client = createUpstreamClient({
      origin: server.origin,
      http2: true,
      tls: null,
      timeouts: { ...timeouts, responseMs: 1_000 },
    });
    t.after(() => client.destroy());
    const late = attempt(client);
    await late.ended;
    const next = attempt(client);
    await next.ended;
    assert.deepEqual([late.kind, next.kind, server.connections.length], ['timeout', null, 1]);
    assert.ok(server.connections[0]!.frames.some(({ type }) => type === frameType.ping));
    assert.ok(server.connections[0]!.frames.some(({ type, streamId }) => type === frameType.reset && streamId === 1));
  });
});

suite('back-pressure', () => {
  test('a server is held back while the handler takes nothing, and goes on after it', async (t) => {
    let sent = 0;
    const total = 50 * 2 ** 20;
    const chunk = Buffer.alloc(65_536, 'x');
    const upstream = await startHttp2Upstream(t, (stream) => {
      stream.respond({ ':status': 200 });
      const more = (): void => {
        let isFree = true;
        for (; isFree && sent < total; sent += chunk.length) isFree = stream.write(chunk);
        if (sent === total) stream.end();
      };
      stream.on('drain', more);
      more();
    });
    const recorded = attempt(clientOf(t, upstream.origin));
    recorded.takes = false;
    await eventually('the first bytes', () => recorded.byteCount > 0);
    let before = -1;
    await eventually('the server to stop', async () => {
      if (sent === before) return true;
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return false;
    });
    assert.ok(sent < 2 * 2 ** 20, `${sent} bytes were taken for nobody`);
    recorded.takes = true;
    recorded.attempt.resume();
    await recorded.ended;
    assert.deepEqual([recorded.kind, recorded.byteCount], [null, total]);
  });

  test('the time that the handler takes nothing is not the time of the server', async (t) => {
    const upstream = await startHttp2Upstream(t, saying('x'.repeat(2 ** 20)), { maxSessionMemory: 100 });
    const impatient = { ...timeouts, idleMs: 500 };
    const client = createUpstreamClient({ origin: upstream.origin, http2: true, tls: null, timeouts: impatient });
    t.after(() => client.destroy());
    const recorded = attempt(client);
    recorded.takes = false;
    await eventually('the first bytes', () => recorded.byteCount > 0);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    recorded.takes = true;
    recorded.attempt.resume();
    await recorded.ended;
    assert.deepEqual([recorded.error, recorded.byteCount], [null, 2 ** 20]);
  });

  test('a client is held back while the server takes nothing, and goes on after it', async (t) => {
    let byteCount = 0;
    const upstream = await startHttp2Upstream(t, (stream) => {
      stream.pause();
      stream.on('data', (chunk: Buffer) => (byteCount += chunk.length));
      setTimeout(() => stream.resume(), 50);
      stream.on('end', () => saying('ok')(stream, []));
    });
    const body = new HandBody();
    const recorded = attempt(clientOf(t, upstream.origin), { method: 'POST', body });
    const sink = await body.started;
    let sent = 0;
    const chunk = Buffer.alloc(65_536);
    for (let isFree = true; isFree; sent += chunk.length) isFree = sink.data(chunk);
    await eventually('the server takes again', () => body.resumeCount > 0);
    sink.end(null);
    await recorded.ended;
    assert.deepEqual([recorded.body, byteCount], ['ok', sent]);
  });

  test('the end of an answer that waits for its reader survives the connection', async (t) => {
    const server = await startFrameServer(t, {
      onRequest(connection, id) {
        connection.headers(id, [':status', '200']);
        for (let i = 0; i < 4; i += 1)
          connection.send(frameType.data, i === 3 ? endStream : 0, id, Buffer.from(`${i}`));
        connection.goaway(id, 0);
        setTimeout(() => connection.socket.end(), 20);
      },
    });
    const recorded = attempt(clientOf(t, server.origin));
    recorded.takes = false;
    await eventually('the connection is gone', () => server.connections[0]?.socket.destroyed === true);
    assert.equal(recorded.body, '0');
    recorded.takes = true;
    recorded.attempt.resume();
    await recorded.ended;
    assert.deepEqual([recorded.kind, recorded.body], [null, '0123']);
  });

  test('a slow reader does not hold up the others of its connection', async (t) => {
    const upstream = await startHttp2Upstream(t, saying('x'.repeat(4 * 2 ** 20)), { maxSessionMemory: 1_000 });
    const client = clientOf(t, upstream.origin);
    const slow = Array.from({ length: 20 }, () => attempt(client));
    for (const each of slow) each.takes = false;
    const quick = attempt(client);
    await quick.ended;
    assert.deepEqual([quick.kind, quick.error, quick.byteCount], [null, null, 4 * 2 ** 20]);
    assert.equal(upstream.sessions.length, 1);
    for (const each of slow) each.attempt.abort();
  });
});

suite('giving up', () => {
  for (const [what, headers] of [
    ['without a length', []],
    ['with a length', ['content-length', '100']],
  ] as const) {
    test(`a part of a body ${what} never looks like all of it`, async (t) => {
      const server = await startFrameServer(t, {
        onRequest: (connection, id) => void (id === 3 && connection.headers(id, [':status', '200'])),
      });
      const client = clientOf(t, server.origin);
      const send = async () => {
        const body = new HandBody();
        const recorded = attempt(client, { method: 'POST', headers: ['Host', 'a', ...headers], body });
        (await body.started).data(Buffer.from('part'));
        return recorded;
      };
      const sent = [await send(), await send(), await send()];
      const framesOf = (): readonly Frame[] => server.connections[0]!.frames;
      await eventually('the parts', () => framesOf().filter(({ type }) => type === frameType.data).length === 3);
      await eventually('the head', () => sent[1]!.status === 200);
      sent[0]!.attempt.abort();
      sent[1]!.attempt.abort();
      await eventually('both are told', () => framesOf().filter(isCancel).length === 2);
      client.destroy();
      await eventually('the connection is cut', () => server.connections[0]!.socket.destroyed);
      assert.deepEqual(framesOf().filter(isEndOfBody), []);
    });
  }

  test('an abort resets the stream, says nothing more, and leaves the connection to others', async (t) => {
    let code = -1;
    const upstream = await startHttp2Upstream(t, (stream) => {
      stream.on('close', () => (code = stream.rstCode));
      stream.respond({ ':status': 200 });
      stream.write('x');
    });
    const client = clientOf(t, upstream.origin);
    const recorded = attempt(client);
    await eventually('the first bytes', () => recorded.byteCount > 0);
    recorded.attempt.abort();
    await eventually('the news', () => code !== -1);
    assert.equal(code, 8);
    assert.deepEqual(recorded.events, ['sent', 'head']);
    const next = attempt(client);
    await eventually('the next answer', () => next.status === 200);
    assert.equal(upstream.sessions.length, 1);
  });

  test('one whose body ends in the turn in which its answer gives it up is reset, and the process goes on', async (t) => {
    const codes: number[] = [];
    const streams: ServerHttp2Stream[] = [];
    const upstream = await startHttp2Upstream(t, (stream) => {
      streams.push(stream);
      stream.resume().on('close', () => codes.push(stream.rstCode ?? 0));
    });
    const client = clientOf(t, upstream.origin);
    for (const event of ['onHead', 'onData'] as const) {
      const body = new HandBody();
      const recorded = attempt(client, { method: 'POST', body });
      recorded[event] = () => {
        for (const byteCount of [500, 20, 3_000]) body.sink!.data(Buffer.alloc(byteCount));
        body.sink!.end(null);
        recorded.attempt.abort();
        return true;
      };
      const stream = await eventually('the request', () => streams.pop());
      stream.respond({ ':status': 413 });
      stream.end('no');
      await eventually(`the reset after ${event}`, () => codes.length > 0);
      assert.deepEqual([codes.splice(0), recorded.events.includes('failed')], [[8], false]);
    }
  });

  test('an abort before there is a connection sends nothing', async (t) => {
    const upstream = await startHttp2Upstream(t, saying('ok'));
    const client = clientOf(t, upstream.origin);
    const aborted = attempt(client);
    aborted.attempt.abort();
    const waiting = attempt(client);
    setImmediate(() => waiting.attempt.abort());
    const other = attempt(client);
    await other.ended;
    assert.deepEqual([aborted.events, waiting.events], [[], []]);
    assert.equal(upstream.heads.length, 1);
  });

  test('close lets end what is under way and takes nothing new', async (t) => {
    const upstream = await startHttp2Upstream(t, echo);
    const client = clientOf(t, upstream.origin);
    const body = new HandBody();
    const recorded = attempt(client, { method: 'POST', body });
    const sink = await body.started;
    let isClosed = false;
    const closing = client.close().then(() => (isClosed = true));
    const refused = attempt(client);
    await refused.ended;
    assert.deepEqual([refused.kind, isClosed], ['connect', false]);
    sink.data(Buffer.from('last'));
    sink.end(null);
    await recorded.ended;
    await closing;
    assert.equal(recorded.body, 'last');
    await eventually('the connection is closed', () => upstream.sessions[0]!.closed);
  });

  test('close of a client without connections resolves', async (t) => {
    const upstream = await startHttp2Upstream(t, saying('ok'));
    await clientOf(t, upstream.origin).close();
    assert.equal(upstream.sessions.length, 0);
  });

  test('destroy cuts what is under way and what waits', async (t) => {
    const upstream = await startHttp2Upstream(t, (stream) => stream.respond({ ':status': 200 }));
    const client = clientOf(t, upstream.origin);
    const begun = attempt(client);
    await eventually('the head', () => begun.status === 200);
    const waiting = attempt(client);
    client.destroy();
    await Promise.all([begun.ended, waiting.ended]);
    assert.equal(begun.kind, 'reset');
    assert.notEqual(waiting.kind, null);
  });
});
