// Requests that two readers could understand differently: refused, the connection closed, and nothing of them sent on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateways.ts';
import { policyOf, shopPolicy } from '../support/policies.ts';
import { RawClient, sendUntilClosed } from '../support/raw-client.ts';
import { answering, startRawUpstream } from '../support/raw-upstream.ts';

const host = 'Host: shop.test\r\n';
const smuggled = `GET /smuggled HTTP/1.1\r\n${host}\r\n`;
const post = (headers: string, body: string): string => `POST /first HTTP/1.1\r\n${host}${headers}\r\n${body}`;
const chunkedHi = '2\r\nhi\r\n0\r\n\r\n';

/** What is sent before another request, and the status it is refused with (400 where none is given). */
const refused: Record<string, string | readonly [string, number]> = {
  'both Content-Length and Transfer-Encoding': post('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  'both Transfer-Encoding and Content-Length': post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', '0\r\n\r\n'),
  'two Content-Length that differ': post('Content-Length: 2\r\nContent-Length: 0\r\n', 'hi'),
  'two Content-Length that agree': post('Content-Length: 2\r\nContent-Length: 2\r\n', 'hi'),
  'a list as Content-Length': post('Content-Length: 2, 2\r\n', 'hi'),
  'a signed Content-Length': post('Content-Length: +2\r\n', 'hi'),
  'a negative Content-Length': post('Content-Length: -1\r\n', ''),
  'a hexadecimal Content-Length': post('Content-Length: 0x2\r\n', 'hi'),
  'an empty Content-Length': post('Content-Length: \r\n', ''),
  'a Content-Length beyond every number': post('Content-Length: 99999999999999999999\r\n', ''),
  'a Content-Length with a space inside': post('Content-Length: 1 0\r\n', 'hi'),
  'Transfer-Encoding before the colon': post('Transfer-Encoding : chunked\r\n', chunkedHi),
  'an unknown transfer coding': post('Transfer-Encoding: xchunked\r\n', chunkedHi),
  'a quoted transfer coding': post('Transfer-Encoding: "chunked"\r\n', chunkedHi),
  'gzip before chunked': post('Transfer-Encoding: gzip, chunked\r\n', chunkedHi),
  'chunked before gzip': post('Transfer-Encoding: chunked, gzip\r\n', chunkedHi),
  'chunked twice in one header': post('Transfer-Encoding: chunked, chunked\r\n', chunkedHi),
  'chunked in two headers': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', chunkedHi),
  'identity beside chunked': post('Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n', chunkedHi),
  'a vertical tab in the transfer coding': post('Transfer-Encoding: \x0bchunked\r\n', chunkedHi),
  'a folded transfer coding': post('Transfer-Encoding:\r\n chunked\r\n', chunkedHi),
  'an empty transfer coding': post('Transfer-Encoding: \r\n', ''),
  'a transfer coding in HTTP/1.0': `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n${chunkedHi}`,
  'a bare LF after the request line': `GET /first HTTP/1.1\n${host}\r\n`,
  'a bare LF after a header': `GET /first HTTP/1.1\r\nHost: shop.test\n\r\n`,
  'a bare LF as the end of the head': `GET /first HTTP/1.1\r\n${host}X: 1\n\n`,
  'a bare CR in a header': `GET /first HTTP/1.1\r\n${host}X: a\rb\r\n\r\n`,
  'a folded header': `GET /first HTTP/1.1\r\n${host}X: a\r\n b\r\n\r\n`,
  'a folded header at the start': `GET /first HTTP/1.1\r\n ${host}\r\n`,
  'a NUL in a header': `GET /first HTTP/1.1\r\n${host}X: a\0b\r\n\r\n`,
  'a NUL in a header name': `GET /first HTTP/1.1\r\n${host}X\0: a\r\n\r\n`,
  'a control character in a header': `GET /first HTTP/1.1\r\n${host}X: a\x01b\r\n\r\n`,
  'a header without a name': `GET /first HTTP/1.1\r\n${host}: a\r\n\r\n`,
  'a header line without a colon': `GET /first HTTP/1.1\r\n${host}nonsense\r\n\r\n`,
  'two Host headers': `GET /first HTTP/1.1\r\n${host}Host: other.test\r\n\r\n`,
  'two Host headers that agree': `GET /first HTTP/1.1\r\n${host}${host}\r\n`,
  'no Host header': 'GET /first HTTP/1.1\r\nX: 1\r\n\r\n',
  'a space in Host': 'GET /first HTTP/1.1\r\nHost: a b\r\n\r\n',
  'a path in Host': 'GET /first HTTP/1.1\r\nHost: a/b\r\n\r\n',
  'a user in Host': 'GET /first HTTP/1.1\r\nHost: u@a\r\n\r\n',
  'a list of hosts': 'GET /first HTTP/1.1\r\nHost: a, b\r\n\r\n'.replace('a, b', 'a,\tb'),
  'a user in the target': `GET http://u:p@a/first HTTP/1.1\r\n${host}\r\n`,
  'a foreign scheme': `GET ftp://a/first HTTP/1.1\r\n${host}\r\n`,
  'a target without a slash': `GET first HTTP/1.1\r\n${host}\r\n`,
  'a fragment': `GET /first#part HTTP/1.1\r\n${host}\r\n`,
  'raw bytes beyond ASCII in the target': `GET /caf\xc3\xa9 HTTP/1.1\r\n${host}\r\n`,
  'a space in the target': `GET /a b HTTP/1.1\r\n${host}\r\n`,
  'the server as a whole': `OPTIONS * HTTP/1.1\r\n${host}\r\n`,
  'a tunnel': ['CONNECT shop.test:443 HTTP/1.1\r\nHost: shop.test:443\r\n\r\n', 501],
  'HTTP/2.0 in the request line': `GET /first HTTP/2.0\r\n${host}\r\n`,
  'HTTP/0.9 in the request line': `GET /first HTTP/0.9\r\n${host}\r\n`,
  'HTTP/1.2 in the request line': `GET /first HTTP/1.2\r\n${host}\r\n`,
  'no version': 'GET /first\r\n\r\n',
  'a method in lower case': `get /first HTTP/1.1\r\n${host}\r\n`,
  'an unknown method': `SMUGGLE /first HTTP/1.1\r\n${host}\r\n`,
  'another protocol': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
  'an expectation that cannot be met': [`GET /first HTTP/1.1\r\n${host}Expect: the-impossible\r\n\r\n`, 417],
};

for (const [what, row] of Object.entries(refused)) {
  const [bytes, status] = typeof row === 'string' ? [row, 400] : row;
  test(`${what} is refused, and the server sees nothing`, async (context) => {
    const upstream = await startRawUpstream(context, answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
    const { port, outcomes, malformed } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
    const replies = await sendUntilClosed(port, bytes + smuggled);
    assert.deepEqual(
      replies.map((reply) => reply.status),
      [status],
    );
    const [reply] = replies;
    assert.equal(reply!.header('connection')?.toLowerCase(), 'close');
    assert.equal(reply!.header('content-type'), 'application/problem+json');
    assert.equal((JSON.parse(reply!.body) as { status: number }).status, status);
    assert.equal(upstream.received(), '');
    await eventually('it is counted', () => outcomes.length + malformed.length > 0);
    assert.equal(outcomes.length + malformed.length, 1, 'counted once');
  });
}

/** Bodies that go wrong after a sound head: the server may see the first request, never a second one. */
const badBodies: Record<string, string> = {
  'a chunk size that is no number': 'x\r\nhi\r\n0\r\n\r\n',
  'a negative chunk size': '-1\r\nhi\r\n0\r\n\r\n',
  'a chunk size with a sign': '+2\r\nhi\r\n0\r\n\r\n',
  'a chunk size in hexadecimal notation': '0x2\r\nhi\r\n0\r\n\r\n',
  'a chunk longer than its size': '2\r\nhi there\r\n0\r\n\r\n',
  'a chunk size beyond every number': 'fffffffffffffffff\r\nhi\r\n0\r\n\r\n',
  'a bare LF after a chunk size': '2\nhi\r\n0\r\n\r\n',
  'a bare LF after a chunk': '2\r\nhi\n0\r\n\r\n',
  'a bare LF at the end': '2\r\nhi\r\n0\n\n',
  'a bare LF in a chunk extension': '2;a=\nb\r\nhi\r\n0\r\n\r\n',
  'a bare CR in a chunk extension': '2;a\rb\r\nhi\r\n0\r\n\r\n',
  'a space after a chunk size': '2 \r\nhi\r\n0\r\n\r\n'.replace('2 ', '2 x'),
  'a folded trailer': '2\r\nhi\r\n0\r\nX: a\r\n b\r\n\r\n',
};

for (const [what, body] of Object.entries(badBodies)) {
  test(`${what} is refused, and nothing after it is served`, async (context) => {
    const upstream = await startRawUpstream(context, () => undefined);
    const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
    const replies = await sendUntilClosed(port, post('Transfer-Encoding: chunked\r\n', body) + smuggled);
    assert.deepEqual(
      replies.map((reply) => reply.status),
      [400],
    );
    await eventually('the outcomes', () => outcomes.length >= 1);
    assert.equal(outcomes.length, 1);
    assert.equal(outcomes[0]!.ending, 'refused');
    assert.ok(!upstream.received().includes('smuggled'), upstream.received());
    assert.ok(!upstream.received().endsWith('0\r\n\r\n'), 'the server must not take the body for whole');
  });
}

test('a sound chunk extension is dropped, and the body passes', async (context) => {
  const upstream = await startRawUpstream(context, ({ socket, text }) => {
    if (text.endsWith('0\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  });
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const client = new RawClient(port);
  client.send(post('Transfer-Encoding: chunked\r\n', '2;a=b;c\r\nhi\r\n0\r\n\r\n'));
  const [reply] = await client.untilReplies(1);
  assert.equal(reply!.status, 200);
  assert.ok(upstream.received().includes('\r\n2\r\nhi\r\n0\r\n\r\n'), upstream.received());
  client.socket.destroy();
});

test('headers beyond the limit get 431, with a little room for a request below it', async (context) => {
  const upstream = await startRawUpstream(context, answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  const limits = { headerBytes: 2_048, bodyBytes: Infinity, connections: Infinity, connectionsPerSecond: Infinity };
  const { port, malformed } = await startGateway(context, shopPolicy({ stable: upstream.origin, limits }));
  const many = Array.from({ length: 1_000 }, (_, index) => `X-${index}: 1\r\n`).join('');
  for (const bytes of [`X-Long: ${'x'.repeat(4_096)}\r\n`, many]) {
    const [reply] = await sendUntilClosed(port, `GET / HTTP/1.1\r\n${host}${bytes}\r\n${smuggled}`);
    assert.equal(reply!.status, 431);
  }
  const [long] = await sendUntilClosed(port, `GET /${'x'.repeat(4_096)} HTTP/1.1\r\n${host}\r\n`);
  assert.equal(long!.status, 431);
  assert.deepEqual(malformed, [431, 431, 431]);
  assert.equal(upstream.received(), '');
  const client = new RawClient(port);
  client.send(`GET / HTTP/1.1\r\n${host}X-Long: ${'x'.repeat(1_800)}\r\n\r\n`);
  assert.equal((await client.untilReplies(1))[0]!.status, 200);
  client.socket.destroy();
});

test('a request that no rollout takes gets 404, and its connection goes on', async (context) => {
  const { port, outcomes } = await startGateway(context, policyOf({}));
  const client = new RawClient(port);
  client.send(`GET /a HTTP/1.1\r\n${host}\r\nGET /b HTTP/1.1\r\n${host}\r\n`);
  const replies = await client.untilReplies(2);
  assert.deepEqual(
    replies.map((reply) => reply.status),
    [404, 404],
  );
  await eventually('the outcomes', () => outcomes.length >= 2);
  assert.deepEqual(
    outcomes.map(({ rollout, ending }) => [rollout, ending]),
    [
      [null, 'refused'],
      [null, 'refused'],
    ],
  );
  client.socket.destroy();
});
