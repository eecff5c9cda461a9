// HTTPS on the public port: certificates by name, their exchange while clients are connected, clients with certificates, and
// handshakes that go wrong.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { suite, test } from 'node:test';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { authority, pemOf, tlsOf } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, type RunningGateway, type TestContext } from '../support/gateways.ts';
import { send, valuesOf } from '../support/http-client.ts';
import { shopPolicy } from '../support/policies.ts';
import { RawClient } from '../support/raw-client.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';
import { exchangeMessages, openWebSocket, startEchoServer } from '../support/websockets.ts';

const timeouts = { headerMs: 10_000, idleMs: 75_000, drainMs: 30_000 };

/** A connection whose handshake is done; rejects with the error that ended it. */
async function shakeHands(context: TestContext, port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', ca: authority, servername: 'shop.test', ...options });
  context.after(() => void socket.destroy());
  await once(socket, 'secureConnect');
  socket.on('error', () => undefined);
  return socket;
}

/** The common name of the certificate that the gateway shows. */
function nameShown(socket: TLSSocket): string {
  return String(socket.getPeerCertificate().subject.CN);
}

/** Sends a request on an open connection and hands back what comes until the answer's end. */
async function ask(socket: TLSSocket, path = '/'): Promise<string> {
  let text = '';
  const read = (chunk: Buffer): void => void (text += chunk.toString('latin1'));
  socket.on('data', read);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: shop.test\r\n\r\n`);
  await eventually('the answer', () => text.endsWith('recorded'));
  socket.off('data', read);
  return text;
}

async function startShop(context: TestContext, policy: Partial<Parameters<typeof shopPolicy>[0]> = {}) {
  const upstream = await startRecordingUpstream(context);
  const running = await startGateway(context, shopPolicy({ stable: upstream.origin, tls: tlsOf(), ...policy }));
  return { upstream, ...running };
}

test('a request over TLS reaches the server, which is told so', async (context) => {
  const { port, upstream, outcomes } = await startShop(context);
  const request = httpsRequest({
    port,
    host: '127.0.0.1',
    ca: authority,
    servername: 'shop.test',
    method: 'POST',
    path: '/a?b',
    agent: false,
  });
  request.setHeader('X-Forwarded-Proto', 'http');
  request.end('body');
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  assert.equal(response.statusCode, 200);
  assert.match(response.headers['set-cookie']![0]!, /^graygate_uid=.*; Secure$/);
  const [seen] = upstream.requests;
  assert.deepEqual([seen!.url, seen!.body, seen!.header('x-forwarded-proto')], ['/a?b', 'body', 'https']);
  await eventually('the outcome', () => outcomes.length === 1);
  assert.deepEqual([outcomes[0]!.status, outcomes[0]!.ending, outcomes[0]!.ip], [200, 'complete', '127.0.0.1']);
});

suite('certificates by the name that a client asks for', () => {
  const rows: readonly [asked: string | undefined, shown: string][] = [
    ['shop.test', 'shop'],
    ['SHOP.test', 'shop'],
    ['www.shop.test', 'shop'],
    ['other.test', 'other'],
    ['api.shop.test', 'other'],
    ['a.www.shop.test', 'shop'],
    ['unknown.test', 'shop'],
    [undefined, 'shop'],
  ];
  for (const [asked, shown] of rows) {
    test(`${asked ?? 'no name'} is shown the certificate of ${shown}`, async (context) => {
      const { port } = await startShop(context, { tls: tlsOf('shop', 'other') });
      const options: ConnectionOptions = { checkServerIdentity: () => undefined };
      const socket = await shakeHands(context, port, { ...options, servername: asked ?? '' });
      assert.equal(nameShown(socket), shown);
    });
  }
});

suite('a change of certificates', () => {
  test('is for new connections; open ones go on, a request under way among them', async (context) => {
    const { gateway, port, upstream } = await startShop(context);
    const before = await shakeHands(context, port);
    assert.equal(nameShown(before), 'shop');
    await ask(before, '/1');
    gateway.adopt(shopPolicy({ stable: upstream.origin, tls: tlsOf('shop-renewed') }));
    assert.match(await ask(before, '/2'), /^HTTP\/1.1 200 /);
    const after = await shakeHands(context, port);
    assert.equal(nameShown(after), 'shop-renewed');
    assert.match(await ask(after, '/3'), /^HTTP\/1.1 200 /);
    assert.deepEqual(
      upstream.requests.map(({ url }) => url),
      ['/1', '/2', '/3'],
    );
  });

  test('of TLS to plain and back is for new connections too', async (context) => {
    const { gateway, port, upstream } = await startShop(context);
    const encrypted = await shakeHands(context, port);
    gateway.adopt(shopPolicy({ stable: upstream.origin }));
    assert.equal((await send({ port })).status, 200);
    await ask(encrypted);
    gateway.adopt(shopPolicy({ stable: upstream.origin, tls: tlsOf() }));
    await ask(await shakeHands(context, port));
  });

  test('that changes something else keeps the sessions of clients', async (context) => {
    const { gateway, port, upstream } = await startShop(context);
    const first = await shakeHands(context, port, { maxVersion: 'TLSv1.2' });
    const session = first.getSession();
    gateway.adopt(
      shopPolicy({
        stable: upstream.origin,
        tls: tlsOf(),
        limits: { headerBytes: 4_096, bodyBytes: 1, connections: 9, connectionsPerSecond: Infinity },
      }),
    );
    const second = await shakeHands(context, port, {
      maxVersion: 'TLSv1.2',
      ...(session === undefined ? {} : { session }),
    });
    assert.equal(second.isSessionReused(), true);
  });
});

suite('clients with certificates', () => {
  const mutual = { ...tlsOf('shop', 'other'), clientCa: pemOf('client-authority.pem') };
  const client = { cert: pemOf('client.pem'), key: pemOf('client.key') };
  const stranger = { cert: pemOf('stranger.pem'), key: pemOf('stranger.key') };

  test('are served where the authority signed them', async (context) => {
    const { port } = await startShop(context, { tls: mutual });
    assert.match(await ask(await shakeHands(context, port, client)), / 200 /);
    assert.match(await ask(await shakeHands(context, port, { ...client, servername: 'other.test' })), / 200 /);
  });

  for (const [what, options] of [
    ['without a certificate', {}],
    ['with one of another authority', stranger],
    ['that name a host of another certificate', { ...stranger, servername: 'other.test' }],
    ['that speak TLS 1.2', { ...stranger, maxVersion: 'TLSv1.2' }],
    ['that speak HTTP/2', { ...stranger, ALPNProtocols: ['h2'] }],
  ] as const) {
    test(`${what} get no byte of an answer`, async (context) => {
      const { port, upstream, malformed } = await startShop(context, { tls: mutual });
      const socket = connect({
        port,
        host: '127.0.0.1',
        ca: authority,
        servername: 'shop.test',
        ...options,
      } as ConnectionOptions);
      socket.on('error', () => undefined);
      let received = '';
      socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
      socket.on('secureConnect', () => socket.write('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n'));
      await new Promise<void>((resolve) => socket.once('close', () => resolve()));
      await eventually('it is counted', () => malformed.length === 1);
      assert.deepEqual([received, malformed, upstream.requests.length], ['', [400], 0]);
    });
  }
});

/** What happens to a connection of which `begin` is all that is sent. */
async function outcomeOf(context: TestContext, { port }: RunningGateway, begin: string): Promise<string> {
  const client = new RawClient(port);
  context.after(() => void client.socket.destroy());
  if (begin !== '') client.send(begin);
  await client.untilEnded();
  return client.received;
}

suite('handshakes that go wrong', () => {
  for (const [what, bytes] of [
    ['a plain request', 'GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n'],
    ['no TLS at all', '\x16\x03\x01\x00\x05hello'],
  ] as const) {
    test(`${what} is malformed and harms nobody`, async (context) => {
      const running = await startShop(context);
      assert.doesNotMatch(await outcomeOf(context, running, bytes), /HTTP/);
      await eventually('it is counted', () => running.malformed.length === 1);
      assert.deepEqual([running.malformed, running.outcomes], [[400], []]);
      await ask(await shakeHands(context, running.port));
    });
  }

  test('one that takes longer than headers may is cut', async (context) => {
    const running = await startShop(context, { timeouts: { ...timeouts, headerMs: 200 } });
    assert.equal(await outcomeOf(context, running, '\x16\x03\x01'), '');
    assert.deepEqual(running.malformed, [408]);
  });

  test('a client that knows no version from 1.2 on, or none of the protocols, is refused', async (context) => {
    const { port, malformed } = await startShop(context);
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await assert.rejects(shakeHands(context, port, old), /alert protocol version|unsupported protocol/);
    await assert.rejects(shakeHands(context, port, { ALPNProtocols: ['spdy/3'] }), /no application protocol/);
    await eventually('both are counted', () => malformed.length === 2);
  });

  test('clients that leave in the middle are not counted', async (context) => {
    const { port, malformed } = await startShop(context);
    for (const bytes of ['', '\x16\x03\x01\x02']) {
      const socket = connectPlain(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write(bytes, 'latin1');
      socket.resetAndDestroy();
    }
    await ask(await shakeHands(context, port));
    assert.deepEqual(malformed, []);
  });

  test('a client cannot have the handshake made again', async (context) => {
    const { port } = await startShop(context);
    const socket = await shakeHands(context, port, { maxVersion: 'TLSv1.2' });
    socket.renegotiate({}, () => undefined);
    await assert.rejects(once(socket, 'close'), /no renegotiation/);
    await ask(await shakeHands(context, port));
  });
});

test('a connection beyond the limit is closed without a word', async (context) => {
  const limits = { headerBytes: 16_384, bodyBytes: Infinity, connections: 1, connectionsPerSecond: Infinity };
  const { port, malformed } = await startShop(context, { limits });
  const first = await shakeHands(context, port);
  const second = new RawClient(port);
  await second.untilEnded();
  assert.deepEqual([second.received, malformed], ['', [503]]);
  await ask(first);
});

test('WebSockets pass over TLS', async (context) => {
  const echo = await startEchoServer(context, 'stable');
  const { port } = await startGateway(context, shopPolicy({ stable: echo.origin, tls: tlsOf() }));
  const socket = await openWebSocket(context, `https://127.0.0.1:${port}/chat`, { ca: authority });
  assert.equal((await exchangeMessages(socket, 'hello')).toString(), 'stable:hello');
  const large = Buffer.alloc(2 ** 22, 'x');
  assert.ok((await exchangeMessages(socket, large)).equals(large));
  assert.deepEqual(valuesOf(echo.handshakes[0]!.rawHeaders, 'x-forwarded-proto'), ['https']);
});

test('the end closes idle and unused connections at once, and cuts half a handshake at the deadline', async (context) => {
  const { port, gateway } = await startShop(context);
  const [idle, unused] = [await shakeHands(context, port), await shakeHands(context, port)];
  await ask(idle);
  const silent = new RawClient(port);
  const half = new RawClient(port);
  half.send('\x16\x03\x01');
  await Promise.all([once(silent.socket, 'connect'), once(half.socket, 'connect')]);
  const closed = [once(idle, 'close'), once(unused, 'close')];
  for (const socket of [idle, unused]) socket.resume();
  const end = gateway.close(500);
  await Promise.all([...closed, silent.untilEnded()]);
  await half.untilEnded();
  await end;
});
