// HTTP/2 with prior knowledge on a plain port, beside HTTP/1.1 on the same one.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { suite, test } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { startGateway, type TestContext } from '../../support/gateways.ts';
import { shopPolicy } from '../../support/policies.ts';
import { RawClient } from '../../support/raw-client.ts';
import { startRecordingUpstream } from '../../support/recording-upstream.ts';

async function startShop(context: TestContext, headerMs = 10_000) {
  const upstream = await startRecordingUpstream(context, 'recorded');
  const timeouts = { headerMs, idleMs: 75_000, drainMs: 30_000 };
  return { upstream, ...(await startGateway(context, shopPolicy({ stable: upstream.origin, timeouts }))) };
}

/** Sends the pieces one after the other, and hands back what comes until it holds this. */
async function converse(port: number, pieces: readonly string[], until: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  for (const piece of pieces) {
    socket.write(Buffer.from(piece, 'latin1'));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await eventually('the answer', () => text.includes(until));
  socket.destroy();
  return text;
}

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const emptySettings = '\0\0\0\x04\0\0\0\0\0';

suite('the first bytes of a connection', () => {
  test('a client with prior knowledge is served in HTTP/2, and its scheme is http', async (t) => {
    const { url, upstream } = await startShop(t);
    const session = connectHttp2(url);
    t.after(() => session.destroy());
    const stream = session.request({ ':path': '/a', 'x-user-id': 'u-1' });
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    assert.equal(headers[':status'], 200);
    await once(stream.resume(), 'end');
    const seen = upstream.requests[0]!;
    assert.equal(seen.url, '/a');
    assert.equal(seen.header('x-forwarded-proto'), 'http');
  });

  test('the preface may come a byte at a time', async (t) => {
    const { port } = await startShop(t);
    // The gateway's settings: a frame of type 4 on the connection.
    await converse(port, [...preface.slice(0, 6).split(''), preface.slice(6) + emptySettings], '\x04\0\0\0\0\0');
  });

  const methods = ['P', 'PR', 'PRO', 'PUT', 'POST', 'PROPFIND'];
  for (const first of methods) {
    test(`what begins with ${first} and goes on otherwise is HTTP/1.1`, async (t) => {
      const { port, upstream } = await startShop(t);
      const method = ['P', 'PR', 'PRO'].includes(first) ? 'PROPFIND' : first;
      const request = `${method} /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`;
      const answer = await converse(port, [request.slice(0, first.length), request.slice(first.length)], '\r\n\r\n');
      assert.match(answer, /^HTTP\/1\.1 200 /);
      assert.equal(upstream.requests[0]!.method, method);
    });
  }

  test('requests that are sent at once with their bodies arrive whole', async (t) => {
    const { port, upstream } = await startShop(t);
    const one = 'POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello';
    const client = new RawClient(port);
    client.send(one + one.replace('/1', '/2'));
    await client.untilReplies(2);
    client.socket.destroy();
    // They are under way at the same time, so either may be the first one at the server.
    assert.deepEqual(upstream.requests.map(({ url, body }) => `${url} ${body}`).toSorted(), ['/1 hello', '/2 hello']);
  });

  test('a connection on which nothing comes does not stay', async (t) => {
    const { port } = await startShop(t, 200);
    const socket = connect(port, '127.0.0.1');
    await once(socket.resume(), 'close');
  });

  test('a client that leaves without a word is forgotten', async (t) => {
    const { port, gateway } = await startShop(t);
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.end();
    await once(socket.resume(), 'close');
    await gateway.close(5_000);
  });
});
