// Fields and cuts that the platform itself refuses to send on with an exception: they must neither end the process nor reach
// whoever would misread them. An exception that nobody catches fails the test it falls into.
import assert from 'node:assert/strict';
import { connect as connectSecure } from 'node:tls';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import { authority, tlsOf } from '../support/certificates.ts';
import { startGateway, type TestContext } from '../support/gateways.ts';
import { openHttp2, sendHttp2 } from '../support/http2-client.ts';
import { endStream, frameType, startFrameServer } from '../support/http2-frames.ts';
import { startHttp2Upstream } from '../support/http2-upstream.ts';
import { shopPolicy } from '../support/policies.ts';
import { RawClient, sendRaw } from '../support/raw-client.ts';
import { answering, type RawAnswer, startRawUpstream } from '../support/raw-upstream.ts';

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const handshake =
  'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const post = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n';

suite('answers to clients of HTTP/2', () => {
  test('lose HTTP2-Settings in their trailers and in interim answers', async (t) => {
    const ok =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nHTTP2-Settings: x\r\nX-Sum: 7\r\n\r\n';
    const upstream = await startRawUpstream(
      t,
      answering(`HTTP/1.1 103 Hi\r\nHTTP2-Settings: x\r\nLink: l\r\n\r\n${ok}`),
    );
    const { port } = await startGateway(t, shopPolicy({ stable: upstream.origin, tls: tlsOf() }));
    const reply = await sendHttp2(await openHttp2(t, port));
    assert.deepEqual([reply.status, reply.body, reply.rawTrailers], [200, 'abc', ['x-sum', '7']]);
    assert.deepEqual(reply.interim, [{ status: 103, rawHeaders: ['link', 'l'] }]);
  });

  test('lose it where the server speaks HTTP/2, too', async (t) => {
    const upstream = await startFrameServer(t, {
      onRequest(connection, id) {
        connection.headers(id, [':status', '103', 'http2-settings', 'x']);
        connection.headers(id, [':status', '200', 'http2-settings', 'x']);
        connection.send(frameType.data, 0, id, Buffer.from('abc'));
        connection.headers(id, ['http2-settings', 'x'], endStream);
      },
    });
    const stable = { servers: [upstream.origin], http2: true };
    const { port } = await startGateway(t, shopPolicy({ stable, tls: tlsOf() }));
    const reply = await sendHttp2(await openHttp2(t, port));
    assert.deepEqual([reply.status, reply.body, reply.rawTrailers], [200, 'abc', []]);
    assert.equal(reply.header('http2-settings'), undefined);
  });

  test('announce no length where there is no body, which would be a fault', async (t) => {
    const noContent = 'HTTP/1.1 103 Hi\r\nContent-Length: 5\r\n\r\nHTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n';
    const upstream = await startRawUpstream(t, answering(noContent));
    const { port } = await startGateway(t, shopPolicy({ stable: upstream.origin, tls: tlsOf() }));
    const reply = await sendHttp2(await openHttp2(t, port));
    assert.deepEqual([reply.status, reply.interim.length], [204, 1]);
  });
});

test('answers without a body announce no length to clients of HTTP/1.1', async (t) => {
  const noContent = 'HTTP/1.1 103 Hi\r\nContent-Length: 5\r\n\r\nHTTP/1.1 204 No\r\ncontent-length: 5\r\n\r\n';
  const upstream = await startRawUpstream(t, answering(noContent));
  const { port } = await startGateway(t, shopPolicy({ stable: upstream.origin }));
  const client = new RawClient(port);
  client.send(`${get}${get}`);
  await eventuallyTwice(client, 'HTTP/1.1 204 No\r\n');
  assert.doesNotMatch(client.received, /content-length/i);
  client.socket.destroy();
});

test('an answer of HTTP/2 with a status below 100 is a protocol fault', async (t) => {
  const upstream = await startFrameServer(t, {
    onRequest: (connection, id) => connection.headers(id, [':status', '099'], endStream),
  });
  const { port } = await startGateway(t, shopPolicy({ stable: { servers: [upstream.origin], http2: true } }));
  const reply = await sendRaw(port, get);
  assert.equal(reply.status, 502);
  assert.equal(JSON.parse(reply.body).code, 'upstream-protocol');
});

suite('trailers of a request', () => {
  for (const http2 of [false, true]) {
    test(`lose what the gateway vouches for and what belongs to a connection, on the way to HTTP/${http2 ? '2' : '1.1'}`, async (t) => {
      const { origin, seen } = http2 ? await startHttp2Trailers(t) : await startHttp1Trailers(t);
      const { port } = await startGateway(t, shopPolicy({ stable: { servers: [origin], http2 } }));
      const bad = 'HTTP2-Settings: x\r\nTE: x\r\nX-Forwarded-For: 9.9.9.9\r\nX_Real: 1\r\nX_Forwarded_Proto: x\r\n';
      const worse = 'X-Graygate-Version: canary\r\nForwarded: for=9.9.9.9\r\nHost: b\r\nX-Request-Id: 1\r\n';
      const good = 'ETag: a\r\nETag: b\r\n__proto__: p\r\n';
      assert.equal((await sendRaw(port, `${post}${bad}${worse}${good}\r\n`)).status, 200);
      const names = seen().map((text) => text.toLowerCase());
      assert.deepEqual(names.toSorted(), ['etag', 'etag', '__proto__', 'x_real', '1', 'a', 'b', 'p'].toSorted());
    });
  }
});

test('a WebSocket handshake that announces trailers is passed on without them', async (t) => {
  const upstream = await startRawUpstream(t, answering('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno'));
  const { port } = await startGateway(t, shopPolicy({ stable: upstream.origin }));
  assert.equal((await sendRaw(port, `${handshake}Trailer: x\r\n\r\n`)).status, 403);
  assert.doesNotMatch(upstream.received(), /^trailer:/im);
});

suite('an answer over TLS that its server cuts ends with the connection', () => {
  for (const [what, request, status] of [
    ['to a client of HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\n\r\n', '200 OK'],
    ['to a WebSocket handshake', `${handshake}\r\n`, '403 No'],
  ] as const) {
    test(what, async (t) => {
      const upstream = await startRawUpstream(t, cutting(status));
      const { port } = await startGateway(t, shopPolicy({ stable: upstream.origin, tls: tlsOf() }));
      const client = connectSecure({ port, host: '127.0.0.1', ca: authority, servername: 'shop.test' });
      t.after(() => void client.destroy());
      let received = '';
      client.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
      client.on('error', () => undefined);
      client.write(request);
      await once(client, 'close');
      assert.match(received, new RegExp(`^HTTP/1.1 ${status}\r\n[^]*\r\n\r\nabc$`));
    });
  }
});

function cutting(status: string): RawAnswer {
  const answer = `HTTP/1.1 ${status}\r\nContent-Length: 10\r\n\r\nabc`;
  return ({ socket }) => void socket.end(answer, () => socket.destroy());
}

async function eventuallyTwice(client: RawClient, text: string): Promise<void> {
  await client.untilText(text);
  while (client.received.split(text).length < 3) await once(client.socket, 'data');
}

type TrailerServer = { readonly origin: string; readonly seen: () => string[] };

async function startHttp2Trailers(context: TestContext): Promise<TrailerServer> {
  let trailers: string[] = [];
  const { origin } = await startHttp2Upstream(context, (stream) => {
    stream.on('trailers', (_fields, _flags, raw?: string[]) => (trailers = raw ?? []));
    stream.resume().on('end', () => {
      stream.respond({ ':status': 200 });
      stream.end();
    });
  });
  return { origin, seen: () => trailers };
}

async function startHttp1Trailers(context: TestContext): Promise<TrailerServer> {
  const upstream = await startRawUpstream(context, ({ socket, text }) => {
    if (/\r\n0\r\n(?:.*\r\n)*\r\n$/.test(text)) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  });
  const lines = (): string[] =>
    (upstream.received().split('\r\n0\r\n')[1] ?? '').split('\r\n').filter((line) => line !== '');
  return { origin: upstream.origin, seen: () => lines().flatMap((line) => line.split(': ')) };
}
