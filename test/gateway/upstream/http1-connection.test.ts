// A connection whose reader is slow: over TLS pieces that were decrypted already come although nobody reads, and must neither
// be lost nor leave the connection deaf.
import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createSecureServer } from 'node:tls';
import { suite, test } from 'node:test';
import { createUpstreamClient } from '../../../src/gateway/upstream/create-client.ts';
import type { UpstreamClient } from '../../../src/gateway/upstream/upstream-client.ts';
import { attempt, type Recorded } from '../../support/attempts.ts';
import { authority, pemOf } from '../../support/certificates.ts';
import type { TestContext } from '../../support/gateways.ts';

const timeouts = { connectMs: 30_000, responseMs: 30_000, idleMs: 30_000 };
const tls = { ca: authority, cert: null, key: null, servername: null, insecure: false };

async function stage(context: TestContext, isSecure: boolean, head: string, body: Buffer) {
  let connectionCount = 0;
  const answer = Buffer.concat([Buffer.from(head), body]);
  const onConnection = (socket: Socket): void => {
    connectionCount += 1;
    context.after(() => void socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('data', () => {
      if (head.includes('Content-Length')) socket.write(answer);
      else socket.end(answer);
    });
  };
  const secrets = { cert: pemOf('shop.pem'), key: pemOf('shop.key') };
  const server = isSecure ? createSecureServer(secrets, onConnection) : createServer(onConnection);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => void server.close());
  const origin = `${isSecure ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createUpstreamClient({ origin, http2: false, tls, timeouts });
  context.after(() => client.destroy());
  return { client, connectionCount: () => connectionCount };
}

/** Takes no more after the pieces that the pattern marks with `-`, and is back in the next turn but one. */
async function readSlowly(client: UpstreamClient, pattern: string): Promise<Recorded> {
  const recorded = attempt(client);
  let count = 0;
  recorded.onData = (chunk) => {
    recorded.chunks.push(chunk);
    const takes = pattern[count++] !== '-';
    if (!takes) setImmediate(() => setImmediate(() => recorded.attempt.resume()));
    return takes;
  };
  await recorded.ended;
  return recorded;
}

const patterns = ['-', '-+', '+-+', '++-', '+++-', '+++++-+', '-'.repeat(100)];

for (const isSecure of [true, false]) {
  suite(`a slow reader of an answer ${isSecure ? 'over TLS' : 'without TLS'}`, () => {
    for (const size of [60_000, 300_000]) {
      test(`of ${size} bytes gets all of it, and the connection goes on`, async (t) => {
        const body = Buffer.from(Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8)) % 256));
        const head = `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`;
        const { client, connectionCount } = await stage(t, isSecure, head, body);
        for (const pattern of patterns) {
          const { events, chunks } = await readSlowly(client, pattern);
          assert.deepEqual(events, ['sent', 'head', 'complete'], pattern);
          assert.ok(Buffer.concat(chunks).equals(body), pattern);
        }
        assert.equal(connectionCount(), 1);
      });
    }

    test('that ends with its connection gets all of it', async (t) => {
      const body = Buffer.alloc(300_000, 'x');
      const { client } = await stage(t, isSecure, 'HTTP/1.1 200 OK\r\n\r\n', body);
      for (const pattern of patterns) {
        const { events, byteCount } = await readSlowly(client, pattern);
        assert.deepEqual([events, byteCount], [['sent', 'head', 'complete'], body.length], pattern);
      }
    });
  });
}
