// What a server is sent and a client gets back: byte for byte what the other side said.
import assert from 'node:assert/strict';
import { METHODS } from 'node:http';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateways.ts';
import { send, valuesOf } from '../support/http-client.ts';
import { shopPolicy } from '../support/policies.ts';
import { sendRaw } from '../support/raw-client.ts';
import { answering, startRawUpstream } from '../support/raw-upstream.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';

const targets = [
  '/',
  '//a',
  '//a//b/',
  '/a/../b/./c',
  '/..',
  '/%zz',
  '/%2e%2E/x%2Fy',
  '/a;b=c;d',
  '/a?',
  '/a?b=1&&c=%20+&d=%zz?e',
  '/?x=/../',
  "/!$&'()*+,=:@~_-.",
  '/caf%C3%A9?q=%E4%BD%A0',
  '/a|b"c<d>^`{}\\',
  '/x?user=u-1&url=http://other/',
] as const;

test('the path and the query reach the server byte for byte', async (context) => {
  const upstream = await startRawUpstream(context, answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  for (const target of targets) {
    const reply = await sendRaw(port, `GET ${target} HTTP/1.1\r\nHost: shop.test\r\n\r\n`);
    assert.equal(reply.status, 200, target);
  }
  const lines = upstream.received().match(/^GET .* HTTP\/1\.1(?=\r$)/gm);
  assert.deepEqual(
    lines,
    targets.map((target) => `GET ${target} HTTP/1.1`),
  );
});

test('an absolute-form target is sent on in origin form, its authority as the host', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const cases = [
    ['http://other.test:81/x/../y?z=%zz', '/x/../y?z=%zz', 'other.test:81'],
    ['HTTP://other.test', '/', 'other.test'],
    ['http://other.test?q=1', '/?q=1', 'other.test'],
    ['https://[::1]:8443//b', '//b', '[::1]:8443'],
  ] as const;
  for (const [target, path, host] of cases) {
    const reply = await sendRaw(port, `GET ${target} HTTP/1.1\r\nHost: ignored.test\r\n\r\n`);
    assert.equal(reply.status, 200, target);
    const request = upstream.requests.at(-1)!;
    assert.deepEqual([request.url, request.header('host')], [path, host]);
    assert.equal(request.header('x-forwarded-host'), host);
  }
});

test('header names keep their case, order and number in both directions', async (context) => {
  const back =
    'X-One: 1\r\nset-cookie: a=1; Path=/\r\nSET-COOKIE: b=2\r\nX-one: 2\r\nSet-Cookie: a=3\r\nVary: A\r\nvary: B\r\n';
  const upstream = await startRawUpstream(context, answering(`HTTP/1.1 200 OK\r\n${back}Content-Length: 0\r\n\r\n`));
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const sent =
    'X-B: 1\r\nx-a: \xe4\xbd\xa0\xff\r\nX-b: 2\r\nCookie: a=1\r\nACCEPT: */*\r\nCookie: b=2\r\nX-Empty: \r\nx-user-id: u-1\r\n';
  const reply = await sendRaw(port, `GET / HTTP/1.1\r\nHost: Shop.Test:80\r\n${sent}\r\n`);
  const own = new Set(['x-graygate-version', 'date', 'connection', 'keep-alive']);
  const returned = reply.headers.filter(([name]) => !own.has(name.toLowerCase()));
  assert.equal(returned.map(([name, value]) => `${name}: ${value}\r\n`).join(''), `${back}Content-Length: 0\r\n`);
  const received = upstream.received();
  assert.ok(received.includes(sent.trimEnd()), received);
  assert.match(received, /\r\nhost: Shop\.Test:80\r\n/i);
});

test('every method that Node knows is forwarded, and counted under its name or as OTHER', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const methods = METHODS.filter((method) => method !== 'CONNECT');
  for (const method of methods) assert.equal((await send({ port, method })).status, 200, method);
  assert.deepEqual(
    upstream.requests.map((request) => request.method),
    methods,
  );
  await eventually('the outcomes', () => outcomes.length >= methods.length);
  assert.deepEqual(
    outcomes.map((outcome) => outcome.method),
    methods,
  );
  const purge = await send({ port, method: 'PURGE', body: 'with a body' });
  assert.equal(purge.status, 200);
  assert.equal(upstream.requests.at(-1)!.body, 'with a body');
});

test('a body passes unread whatever its content type says', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const every = Buffer.from(Array.from({ length: 1_024 }, (_, index) => index % 256));
  const types = [
    null,
    'application/json',
    'text/plain',
    'nonsense',
    '',
    'multipart/form-data',
    'application/json; charset=x',
  ];
  for (const type of types) {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'GET', 'OPTIONS', 'QUERY', 'PROPFIND']) {
      const headers = type === null ? [] : ['Content-Type', type];
      const reply = await send({ port, method, headers, body: every });
      assert.equal(reply.status, 200, `${method} with ${type}`);
      const request = upstream.requests.at(-1)!;
      assert.equal(request.body, every.toString('latin1'));
      assert.equal(request.header('content-type'), type ?? undefined);
      assert.equal(request.header('content-length'), '1024');
    }
  }
});

test('the status line, an odd status and a Location header come back as they are', async (context) => {
  const phrases = {
    OK: 'OK',
    'All good?': 'All good?',
    '\xe7\xa1\xae\xe5\xae\x9a': '\xe7\xa1\xae\xe5\xae\x9a',
    '\xfcbel': '\xfcbel',
    '': '',
  };
  let answer = '';
  const upstream = await startRawUpstream(context, ({ socket }) => void socket.write(Buffer.from(answer, 'latin1')));
  const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  for (const [phrase, expected] of Object.entries(phrases)) {
    const location = 'http://127.0.0.1:1/a b/../%zz?\xe4';
    answer = `HTTP/1.1 299 ${phrase}\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`;
    const reply = await sendRaw(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.equal(reply.status, 299);
    assert.equal(reply.header('location'), location);
    assert.equal(reply.statusText, expected);
  }
  await eventually('the outcomes', () => outcomes.length >= Object.keys(phrases).length);
  assert.deepEqual(
    outcomes.map(({ status, ending }) => `${status} ${ending}`),
    Object.keys(phrases).map(() => '299 complete'),
  );
});

test('several values of one header are not merged for a client that reads them one by one', async (context) => {
  const upstream = await startRecordingUpstream(context, (_request, response) => {
    response.writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Link', '<a>', 'Link', '<b>']).end();
  });
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const reply = await send({ port, headers: ['x-user-id', 'u-1'] });
  assert.deepEqual(valuesOf(reply.rawHeaders, 'set-cookie'), ['a=1', 'b=2']);
  assert.deepEqual(valuesOf(reply.rawHeaders, 'link'), ['<a>', '<b>']);
});
