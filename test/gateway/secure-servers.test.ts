// Servers behind TLS as clients see them: what is passed on, and how little is said where one cannot be trusted.
import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { suite, test } from 'node:test';
import type { ServerTls } from '../../src/rollout/policy.ts';
import type { TlsFailure } from '../../src/rollout/tls-failure.ts';
import { authority, pemOf } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, type TestContext } from '../support/gateways.ts';
import { echo, startHttp2Upstream } from '../support/http2-upstream.ts';
import { sumOf } from '../support/metric-samples.ts';
import { shopPolicy } from '../support/policies.ts';
import { exchangeMessages, openWebSocket, startEchoServer } from '../support/websockets.ts';

const shop = { cert: pemOf('shop.pem'), key: pemOf('shop.key') };
const verified: ServerTls = { ca: authority, cert: null, key: null, servername: null, insecure: false };
const distrusting: ServerTls = { ...verified, ca: pemOf('client-authority.pem') };

async function startSecure(context: TestContext): Promise<string> {
  const server = createServer(shop, (request, response) => {
    response.setHeader('x-host', request.headers.host ?? '');
    request.pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

for (const http2 of [false, true]) {
  suite(`a version whose servers speak ${http2 ? 'HTTP/2' : 'HTTP/1.1'} over TLS`, () => {
    test('answers as any other', async (t) => {
      const origin = http2 ? (await startHttp2Upstream(t, echo, { tls: shop })).origin : await startSecure(t);
      const stable = { servers: [origin], tls: verified, http2 };
      const { url, outcomes } = await startGateway(t, shopPolicy({ stable }));
      const body = 'x'.repeat(300_000);
      const answer = await fetch(`${url}/a`, { method: 'POST', body });
      assert.equal(answer.status, 200);
      assert.equal(await answer.text(), body);
      await eventually('the outcome', () => outcomes.length === 1);
      assert.deepEqual([outcomes[0]!.ending, outcomes[0]!.faults, outcomes[0]!.server], ['complete', [], origin]);
    });

    test('that cannot be trusted is a refused connection, whose reason only operators are told', async (t) => {
      const origin = http2 ? (await startHttp2Upstream(t, echo, { tls: shop })).origin : await startSecure(t);
      const failures: TlsFailure[] = [];
      const stable = { servers: [origin], tls: distrusting, http2 };
      const tlsFailed = (failure: TlsFailure): void => void failures.push(failure);
      const { url, metrics } = await startGateway(t, shopPolicy({ stable }), { tlsFailed });
      const answer = await fetch(url);
      const text = await answer.text();
      assert.equal(answer.status, 502);
      assert.equal(JSON.parse(text).code, 'upstream-connect');
      assert.doesNotMatch(text, /certificate|127\.0\.0\.1/);
      assert.ok((await sumOf(metrics, 'graygate_upstream_errors_total', { kind: 'connect' })) >= 1);
      assert.equal(failures.length, 1);
      const { problem, ...rest } = failures[0]!;
      assert.match(problem, /unable to (verify|get)/);
      assert.deepEqual(rest, { rollout: 'shop', version: 'stable', server: origin, address: null });
    });
  });
}

test('a candidate that cannot be trusted is answered by the baseline', async (t) => {
  const baseline = await startSecure(t);
  const candidate = await startSecure(t);
  const stable = { servers: [baseline], tls: verified };
  const canary = { servers: [candidate], tls: distrusting };
  const { url, outcomes } = await startGateway(t, shopPolicy({ stable, canary }));
  const answer = await fetch(url, { headers: { 'x-user-id': 'u-1' } });
  assert.equal(answer.status, 200);
  await eventually('the outcome', () => outcomes.length === 1);
  assert.deepEqual([outcomes[0]!.fallback, outcomes[0]!.server], ['connect', baseline]);
});

suite('WebSockets to servers behind TLS', () => {
  for (const http2 of [false, true]) {
    test(`pass, ${http2 ? 'also where requests go in HTTP/2' : 'and are verified like requests'}`, async (t) => {
      const server = await startEchoServer(t, 'stable', shop);
      const stable = { servers: [server.origin], tls: verified, http2 };
      const { url, outcomes } = await startGateway(t, shopPolicy({ stable }));
      const socket = await openWebSocket(t, `${url}/chat`);
      assert.equal((await exchangeMessages(socket, 'hello')).toString(), 'stable:hello');
      const large = Buffer.alloc(2 ** 21, 'x');
      assert.ok((await exchangeMessages(socket, large)).equals(large));
      socket.close();
      await eventually('the outcome', () => outcomes.length === 1);
      assert.equal(outcomes[0]!.ending, 'upgraded');
    });
  }

  test('are refused where the server cannot be trusted', async (t) => {
    const server = await startEchoServer(t, 'stable', shop);
    const stable = { servers: [server.origin], tls: distrusting };
    const { url, outcomes } = await startGateway(t, shopPolicy({ stable }));
    await assert.rejects(openWebSocket(t, `${url}/chat`), /Unexpected server response: 502/);
    await eventually('the outcome', () => outcomes.length === 1);
    assert.deepEqual([server.handshakes.length, outcomes[0]!.faults[0]!.kind], [0, 'connect']);
  });
});
