// Server-sent events: each reaches the client when it is sent, whichever protocols both sides speak.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { createServer, get } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { suite, test } from 'node:test';
import type { Readable } from 'node:stream';
import type { ServerTls } from '../../src/rollout/policy.ts';
import { authority, pemOf } from '../support/certificates.ts';
import { startGateway, type TestContext } from '../support/gateways.ts';
import { startHttp2Upstream } from '../support/http2-upstream.ts';
import { shopPolicy, type VersionSketch } from '../support/policies.ts';

/** The stream of one client, for the test to say what the server sends. */
type Sender = { write(text: string): unknown; end(): unknown };
type Upstream = { readonly version: VersionSketch; readonly sender: Promise<Sender> };

const shop = { cert: pemOf('shop.pem'), key: pemOf('shop.key') };
const tls: ServerTls = { ca: authority, cert: null, key: null, servername: null, insecure: false };

async function startHttp1(context: TestContext, isSecure: boolean): Promise<Upstream> {
  const { promise, resolve } = Promise.withResolvers<Sender>();
  const server = isSecure ? createSecureServer(shop) : createServer();
  server.on('request', (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    resolve(response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const origin = `${isSecure ? 'https' : 'http'}://127.0.0.1:${port}`;
  return { version: { servers: [origin], tls: isSecure ? tls : null }, sender: promise };
}

async function startHttp2(context: TestContext, isSecure: boolean): Promise<Upstream> {
  const { promise, resolve } = Promise.withResolvers<Sender>();
  const upstream = await startHttp2Upstream(
    context,
    (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
      resolve(stream);
    },
    isSecure ? { tls: shop } : {},
  );
  return { version: { servers: [upstream.origin], http2: true, tls: isSecure ? tls : null }, sender: promise };
}

async function openHttp1(_context: TestContext, url: string): Promise<Readable> {
  const [answer] = (await once(get(url), 'response')) as [Readable];
  return answer;
}

async function openHttp2(context: TestContext, url: string): Promise<Readable> {
  const session = connectHttp2(url);
  context.after(() => session.destroy());
  const stream = session.request({ ':path': '/' });
  await once(stream, 'response');
  return stream;
}

const servers = [
  ['HTTP/1.1', startHttp1, false],
  ['HTTP/1.1 over TLS', startHttp1, true],
  ['HTTP/2', startHttp2, false],
  ['HTTP/2 over TLS', startHttp2, true],
] as const;
const clients = [
  ['HTTP/1.1', openHttp1],
  ['HTTP/2', openHttp2],
] as const;

for (const [serverName, startServer, isSecure] of servers) {
  suite(`events of a server that speaks ${serverName}`, () => {
    for (const [clientName, open] of clients) {
      test(`reach a client that speaks ${clientName} one by one`, async (t) => {
        const { version, sender } = await startServer(t, isSecure);
        const { url } = await startGateway(t, shopPolicy({ stable: version }));
        const events = await open(t, url);
        const sending = await sender;
        for (let i = 0; i < 5; i += 1) {
          const text = `data: ${i}\n\n`;
          sending.write(text);
          const [chunk] = (await once(events, 'data')) as [Buffer];
          assert.equal(chunk.toString(), text);
        }
        sending.end();
        await once(events, 'end');
      });
    }
  });
}
