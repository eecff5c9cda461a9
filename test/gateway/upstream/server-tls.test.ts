// TLS towards servers, in HTTP/1.1 and HTTP/2: what a server must prove, what it is shown, and that handshakes are spared.
import assert from 'node:assert/strict';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { suite, test } from 'node:test';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { createUpstreamClient } from '../../../src/gateway/upstream/create-client.ts';
import type { ServerTls } from '../../../src/rollout/policy.ts';
import { attempt, type Recorded } from '../../support/attempts.ts';
import { authority, pemOf } from '../../support/certificates.ts';
import type { TestContext } from '../../support/gateways.ts';
import { saying, startHttp2Upstream } from '../../support/http2-upstream.ts';

const timeouts = { connectMs: 30_000, responseMs: 30_000, idleMs: 30_000 };
const verified: ServerTls = { ca: authority, cert: null, key: null, servername: null, insecure: false };
const shown = (name: string): TlsOptions => ({ cert: pemOf(`${name}.pem`), key: pemOf(`${name}.key`) });

type Secure = { readonly port: number; readonly sockets: TLSSocket[] };

/** A server of either protocol, over TLS with these options. */
async function startServer(context: TestContext, http2: boolean, options: TlsOptions): Promise<Secure> {
  const sockets: TLSSocket[] = [];
  if (http2) {
    const { port, server } = await startHttp2Upstream(context, saying('ok'), { tls: options });
    server.on('secureConnection', (socket: TLSSocket) => sockets.push(socket));
    return { port, sockets };
  }
  const server = createHttpsServer(options, (_request, response) => response.end('ok'));
  server.on('secureConnection', (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, sockets };
}

type Sent = { readonly recorded: Recorded; readonly reports: string[] };
type Ask = { readonly port: number; readonly http2: boolean; readonly tls: ServerTls | null; readonly host?: string };

async function ask(context: TestContext, { port, http2, tls, host = '127.0.0.1' }: Ask): Promise<Sent> {
  const reports: string[] = [];
  const report = (problem: string): void => void reports.push(problem);
  const origin = `https://${host}:${port}`;
  const client = createUpstreamClient({ origin, ip: '127.0.0.1', http2, tls, timeouts, report });
  context.after(() => client.destroy());
  const recorded = attempt(client);
  await recorded.ended;
  return { recorded, reports };
}

for (const http2 of [false, true]) {
  suite(http2 ? 'HTTP/2' : 'HTTP/1.1', () => {
    const good: readonly [what: string, certificate: string, tls: ServerTls | null, host?: string][] = [
      ['whose certificate has its address', 'shop', verified],
      ['whose certificate has its name', 'shop', verified, 'shop.test'],
      ['whose name is written', 'other', { ...verified, servername: 'other.test' }],
      ['that nobody is to verify, of another name', 'other', { ...verified, insecure: true }],
      ['that nobody is to verify, of an unknown authority', 'shop', { ...verified, ca: null, insecure: true }],
      ['that nobody is to verify, expired', 'expired', { ...verified, insecure: true }],
    ];
    for (const [what, certificate, tls, host] of good) {
      test(`a server ${what} is taken`, async (t) => {
        const { port } = await startServer(t, http2, shown(certificate));
        const { recorded, reports } = await ask(t, { port, http2, tls, ...(host === undefined ? {} : { host }) });
        assert.deepEqual([recorded.error, recorded.body, reports], [null, 'ok', []]);
      });
    }

    const bad: readonly [what: string, certificate: string, tls: ServerTls | null, report: RegExp, host?: string][] = [
      ['of an unknown authority', 'shop', null, /unable to verify|unable to get local issuer/],
      ['of another authority', 'shop', { ...verified, ca: pemOf('client-authority.pem') }, /unable to (verify|get)/],
      ['with the certificate of another', 'other', verified, /IP: 127\.0\.0\.1 is not in the cert's list/],
      ['with the certificate of another name', 'other', verified, /Host: shop\.test\. is not in/, 'shop.test'],
      ['that has not the written name', 'shop', { ...verified, servername: 'other.test' }, /Host: other\.test/],
      ['whose certificate has expired', 'expired', verified, /certificate has expired/],
    ];
    for (const [what, certificate, tls, report, host] of bad) {
      test(`a server ${what} is asked nothing, and the reason is reported`, async (t) => {
        const { port } = await startServer(t, http2, shown(certificate));
        const { recorded, reports } = await ask(t, { port, http2, tls, ...(host === undefined ? {} : { host }) });
        assert.deepEqual([recorded.kind, recorded.events], ['connect', ['failed']]);
        assert.equal(reports.length, 1);
        assert.match(reports[0]!, report);
      });
    }

    test('a server that wants a certificate is shown the one of the version', async (t) => {
      const wants = { ...shown('shop'), requestCert: true, ca: pemOf('client-authority.pem') };
      const { port, sockets } = await startServer(t, http2, wants);
      const tls = { ...verified, cert: pemOf('client.pem'), key: pemOf('client.key') };
      const { recorded } = await ask(t, { port, http2, tls });
      assert.equal(recorded.body, 'ok');
      assert.equal(sockets[0]!.getPeerCertificate().subject.CN, 'client');
    });

    test('a server that wants a certificate refuses who has none', async (t) => {
      const { port } = await startServer(t, http2, {
        ...shown('shop'),
        requestCert: true,
        ca: pemOf('client-authority.pem'),
        maxVersion: 'TLSv1.2',
      });
      const { recorded, reports } = await ask(t, { port, http2, tls: verified });
      assert.deepEqual([recorded.kind, recorded.events, reports.length], ['connect', ['failed'], 1]);
    });

    test('a server that refuses in TLS 1.3, after the handshake, is reported in plain words', async (t) => {
      const wants = {
        ...shown('shop'),
        requestCert: true,
        ca: pemOf('client-authority.pem'),
        minVersion: 'TLSv1.3',
      } as const;
      const { port } = await startServer(t, http2, wants);
      const { recorded, reports } = await ask(t, { port, http2, tls: verified });
      assert.match(recorded.kind!, http2 ? /^connect$/ : /^(protocol|reset)$/);
      assert.deepEqual(reports, ['tlsv13 alert certificate required']);
    });

    test('a server that speaks no TLS is reported once for as long as that stays so', async (t) => {
      const { port } = await startHttp2Upstream(t, saying('ok'));
      const reports: string[] = [];
      const client = createUpstreamClient({
        origin: `https://127.0.0.1:${port}`,
        http2,
        tls: verified,
        timeouts,
        report: (problem) => reports.push(problem),
      });
      t.after(() => client.destroy());
      for (let i = 0; i < 3; i += 1) {
        const recorded = attempt(client);
        await recorded.ended;
        assert.equal(recorded.kind, 'connect');
      }
      assert.equal(reports.length, 1);
    });

    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      test(`a second connection takes up the session of the first in ${version}`, async (t) => {
        const options = { ...shown('shop'), minVersion: version, maxVersion: version };
        const { port, sockets } = await startServer(t, http2, options);
        const client = createUpstreamClient({ origin: `https://127.0.0.1:${port}`, http2, tls: verified, timeouts });
        t.after(() => client.destroy());
        const first = attempt(client);
        await first.ended;
        const closed = new Promise((resolve) => sockets[0]!.once('close', resolve));
        sockets[0]!.end();
        await closed;
        const second = attempt(client);
        await second.ended;
        assert.deepEqual([first.body, second.error, second.body], ['ok', null, 'ok']);
        assert.equal(sockets.length, 2);
        assert.equal(sockets[1]!.isSessionReused(), true);
      });
    }
  });
}

suite('the protocol that TLS agrees on', () => {
  const rows: readonly [what: string, options: TlsOptions][] = [
    ['offers HTTP/1.1 only', { ALPNProtocols: ['http/1.1'] }],
    ['has never heard of ALPN', {}],
  ];
  for (const [what, options] of rows) {
    test(`a server that ${what} is not asked in HTTP/2`, async (t) => {
      const server = createTlsServer({ ...shown('shop'), ...options }, (socket) => socket.on('error', () => undefined));
      server.on('tlsClientError', () => undefined);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      t.after(() => void server.close());
      const { port } = server.address() as AddressInfo;
      const { recorded, reports } = await ask(t, { port, http2: true, tls: verified });
      assert.deepEqual([recorded.kind, recorded.events, reports.length], ['connect', ['failed'], 1]);
      assert.match(reports[0]!, /http2.*asks for|asks for HTTP\/2/);
    });
  }

  test('a server that offers both is asked in HTTP/1.1 unless the version says otherwise', async (t) => {
    const tls = { ...shown('shop'), allowHTTP1: true };
    const { port, heads, server } = await startHttp2Upstream(t, saying('two'), { tls });
    server.on('request', (request, response) => {
      if (request.httpVersion === '1.1') response.end('one');
    });
    const plain = await ask(t, { port, http2: false, tls: verified });
    assert.equal(plain.recorded.body, 'one');
    assert.deepEqual(heads, []);
    const { recorded } = await ask(t, { port, http2: true, tls: verified });
    assert.equal(recorded.body, 'two');
    assert.equal(heads.length, 1);
  });
});
