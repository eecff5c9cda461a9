// The headers that the gateway takes away, sets and believes, in both directions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateways.ts';
import { headersOf, send, valuesOf } from '../support/http-client.ts';
import { everyAddress, shopPolicy } from '../support/policies.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';

const tid = '0af7651916cd43dd8448eb211c80319c';
const pid = 'b7ad6b7169203331';

/** A gateway before a recording server, and the headers that the server saw of a request. */
async function startShop(
  context: Parameters<typeof startGateway>[0],
  policy: Partial<Parameters<typeof shopPolicy>[0]> = {},
) {
  const upstream = await startRecordingUpstream(context);
  const running = await startGateway(context, shopPolicy({ stable: upstream.origin, ...policy }));
  const seenOf = async (...headers: string[]): Promise<(name: string) => string[]> => {
    const { status } = await send({ port: running.port, headers });
    assert.equal(status, 200);
    const { rawHeaders } = upstream.requests.at(-1)!;
    return (name) => valuesOf(rawHeaders, name);
  };
  return { ...running, seenOf, upstream };
}

test('hop-by-hop headers of a request, and what Connection names, do not reach the server', async (context) => {
  const { seenOf } = await startShop(context);
  const seen = await seenOf(
    ...headersOf(
      'Connection: X-Hop, close',
      'X-Hop: 1',
      'X-Stays: 2',
      'connection: x-other,, keep-alive',
      'X-Other: 3',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'TE: gzip;q=0.5, trailers',
      'Proxy-Authorization: Basic x',
      'Proxy-Authenticate: Basic',
      'Upgrade: h2c',
      'x-hop: 4',
    ),
  );
  for (const name of [
    'x-hop',
    'x-other',
    'keep-alive',
    'proxy-connection',
    'proxy-authorization',
    'proxy-authenticate',
  ]) {
    assert.deepEqual(seen(name), [], name);
  }
  assert.deepEqual(seen('upgrade'), []);
  assert.deepEqual(seen('x-stays'), ['2']);
  assert.deepEqual(seen('te'), ['trailers']);
  assert.deepEqual(seen('connection'), ['keep-alive']);
});

test('Connection cannot take away the host, the length or what the gateway sets', async (context) => {
  const { port, upstream } = await startShop(context);
  const named = 'Host, Content-Length, X-Forwarded-For, X-Request-Id, traceparent, x-graygate-version, TE';
  await send({ port, method: 'POST', headers: ['Connection', named, 'TE', 'trailers'], body: 'abc' });
  const request = upstream.requests[0]!;
  assert.equal(request.body, 'abc');
  assert.equal(request.header('host'), 'shop.test');
  assert.equal(request.header('te'), 'trailers');
  for (const name of ['content-length', 'x-forwarded-for', 'x-request-id', 'traceparent', 'x-graygate-version']) {
    assert.ok(request.header(name), name);
  }
});

test('hop-by-hop headers of a response, and what Connection names, do not reach the client', async (context) => {
  const upstream = await startRecordingUpstream(context, (_request, response) => {
    response.writeHead(
      200,
      headersOf(
        'Connection: keep-alive, X-Hop',
        'X-Hop: 1',
        'X-Stays: 2',
        'Keep-Alive: timeout=7',
        'Proxy-Authenticate: Basic',
        'Proxy-Connection: close',
        'Upgrade: h2c',
        'TE: x',
        'X-Graygate-Version: forged',
        'X-Graygate-Else: stays',
      ),
    );
    response.end('body');
  });
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const { rawHeaders } = await send({ port, headers: ['Connection', 'keep-alive'] });
  for (const name of ['x-hop', 'proxy-authenticate', 'proxy-connection', 'upgrade', 'te']) {
    assert.deepEqual(valuesOf(rawHeaders, name), [], name);
  }
  assert.deepEqual(valuesOf(rawHeaders, 'x-stays'), ['2']);
  assert.deepEqual(valuesOf(rawHeaders, 'keep-alive'), ['timeout=75']);
  assert.deepEqual(valuesOf(rawHeaders, 'x-graygate-version'), ['stable']);
  assert.deepEqual(valuesOf(rawHeaders, 'x-graygate-else'), ['stays']);
});

test('a client that is not a trusted proxy is not believed', async (context) => {
  const { seenOf } = await startShop(context);
  const seen = await seenOf(
    ...headersOf(
      'X-Forwarded-For: 1.2.3.4',
      'x-forwarded-for: 5.6.7.8',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: evil.test',
      'X-Forwarded-Port: 444',
      'X-Forwarded-Prefix: /x',
      'Forwarded: for=1.2.3.4',
    ),
  );
  assert.deepEqual(seen('x-forwarded-for'), ['127.0.0.1']);
  assert.deepEqual(seen('x-forwarded-proto'), ['http']);
  assert.deepEqual(seen('x-forwarded-host'), ['shop.test']);
  for (const name of ['x-forwarded-port', 'x-forwarded-prefix', 'forwarded']) assert.deepEqual(seen(name), [], name);
});

test('what a trusted proxy says is passed on, and its own address added', async (context) => {
  const { seenOf, outcomes } = await startShop(context, { trustedProxies: { has: (ip) => ip !== '1.2.3.4' } });
  const seen = await seenOf(
    ...headersOf(
      'X-Forwarded-For: 9.9.9.9, 1.2.3.4',
      'x-forwarded-for: 10.0.0.1',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: public.test',
      'X-Forwarded-Port: 443',
      'Forwarded: for=1.2.3.4',
      'forwarded: for=b',
    ),
  );
  assert.deepEqual(seen('x-forwarded-for'), ['9.9.9.9, 1.2.3.4, 10.0.0.1, 127.0.0.1']);
  assert.deepEqual(seen('x-forwarded-proto'), ['https']);
  assert.deepEqual(seen('x-forwarded-host'), ['public.test']);
  assert.deepEqual(seen('x-forwarded-port'), ['443']);
  assert.deepEqual(seen('forwarded'), ['for=1.2.3.4', 'for=b']);
  await eventually('the outcomes', () => outcomes.length >= 1);
  assert.equal(outcomes[0]!.ip, '1.2.3.4');
});

test('the cookie that is issued is marked Secure when a trusted proxy ended TLS', async (context) => {
  const { port } = await startShop(context, { trustedProxies: everyAddress });
  const plain = await send({ port });
  assert.match(
    plain.header('set-cookie')!,
    /^graygate_uid=[0-9a-f]{32}; Path=\/; Max-Age=31536000; HttpOnly; SameSite=Lax$/,
  );
  const secure = await send({ port, headers: ['X-Forwarded-Proto', 'https'] });
  assert.match(secure.header('set-cookie')!, /; SameSite=Lax; Secure$/);
  const again = await send({ port, headers: ['Cookie', plain.header('set-cookie')!.split(';')[0]!] });
  assert.equal(again.header('set-cookie'), undefined);
});

test('x-graygate headers of a client are replaced by what was decided', async (context) => {
  const { seenOf } = await startShop(context);
  const forged = ['x-graygate-version', 'canary', 'X-Graygate-Rollout', 'forged', 'X-GRAYGATE-ELSE', '1'];
  const seen = await seenOf(...forged);
  assert.deepEqual(seen('x-graygate-version'), ['stable']);
  assert.deepEqual(seen('x-graygate-rollout'), ['shop']);
  assert.deepEqual(seen('x-graygate-else'), []);
});

test('a rollout that is not exposed does not tell the client its version', async (context) => {
  const { port } = await startShop(context, { rollout: { expose: false } });
  assert.equal((await send({ port })).header('x-graygate-version'), undefined);
});

test('a request ID is kept when it is fit to be logged, and made otherwise', async (context) => {
  const { seenOf, outcomes } = await startShop(context);
  assert.deepEqual((await seenOf('X-Request-ID', 'abc-1'))('x-request-id'), ['abc-1']);
  await eventually('the outcomes', () => outcomes.length >= 1);
  assert.equal(outcomes[0]!.requestId, 'abc-1');
  for (const unfit of ['', 'a b', '\xe4', 'x'.repeat(201)]) {
    const [made] = (await seenOf('X-Request-ID', unfit))('x-request-id');
    assert.match(made!, /^[0-9a-f]{32}$/);
  }
  await eventually('the outcomes', () => outcomes.length >= 5);
  assert.equal(new Set(outcomes.map(({ requestId }) => requestId)).size, 5);
});

test('a valid trace is continued as it is', async (context) => {
  const { seenOf } = await startShop(context);
  for (const value of [`00-${tid}-${pid}-00`, `cc-${tid}-${pid}-01-what-the-future-is-like`]) {
    const seen = await seenOf('Traceparent', value, 'tracestate', 'a=1', 'tracestate', 'b=2');
    assert.deepEqual(seen('traceparent'), [value]);
    assert.deepEqual(seen('tracestate'), ['a=1', 'b=2']);
  }
});

test('a trace is begun for a request without a valid one, whose state is dropped', async (context) => {
  const { seenOf } = await startShop(context);
  const zeroes = `00-${'0'.repeat(32)}-${pid}-01`;
  const invalid = [
    `00-${tid.toUpperCase()}-${pid}-01`,
    zeroes,
    `ff-${tid}-${pid}-01`,
    `00-${tid}-${pid}-01-x`,
    'nonsense',
  ];
  for (const value of invalid) {
    const seen = await seenOf('traceparent', value, 'tracestate', 'a=1');
    assert.match(seen('traceparent')[0]!, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    assert.notEqual(seen('traceparent')[0], value);
    assert.deepEqual(seen('tracestate'), []);
  }
  const twice = await seenOf('traceparent', `00-${tid}-${pid}-01`, 'traceparent', `00-${tid}-${pid}-01`);
  assert.equal(twice('traceparent').length, 1);
  assert.ok(!twice('traceparent')[0]!.includes(tid));
});
