// How bodies end, towards servers and clients of either protocol version: lengths, chunks, trailers, and no body at all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateways.ts';
import { send } from '../support/http-client.ts';
import { shopPolicy } from '../support/policies.ts';
import { RawClient, sendRaw, sendUntilClosed } from '../support/raw-client.ts';
import { answering, startRawUpstream } from '../support/raw-upstream.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const chunkedWithTrailers =
  'HTTP/1.1 200 OK\r\nTrailer: X-Sum, X-Two\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\nX-Two: 1\r\nX-two: 2\r\nContent-Type: x\r\nConnection: x\r\n\r\n';

test('a body of known length keeps its length in both directions', async (context) => {
  const upstream = await startRecordingUpstream(context, (request, response) => {
    request.on('end', () => response.writeHead(200, { 'Content-Length': 4 }).end('four'));
  });
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const reply = await send({ port, method: 'POST', body: 'three' });
  assert.equal(reply.header('content-length'), '4');
  assert.equal(reply.header('transfer-encoding'), undefined);
  assert.equal(upstream.requests[0]!.header('content-length'), '5');
  assert.equal(upstream.requests[0]!.header('transfer-encoding'), undefined);
});

test('a body of unknown length is chunked in both directions', async (context) => {
  const upstream = await startRecordingUpstream(context, (request, response) => {
    request.on('end', () => {
      response.write('one');
      response.end('two');
    });
  });
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
  const reply = await sendRaw(port, `${head}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`);
  assert.equal(reply.header('transfer-encoding'), 'chunked');
  assert.equal(reply.body, 'onetwo');
  assert.equal(upstream.requests[0]!.body, 'abcde');
  assert.equal(upstream.requests[0]!.header('transfer-encoding'), 'chunked');
});

test('an empty chunked body reaches the server as an empty one', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  for (const method of ['POST', 'GET', 'DELETE']) {
    const head = `${method} / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`;
    assert.equal((await sendRaw(port, `${head}0\r\n\r\n`)).status, 200);
    assert.equal(upstream.requests.at(-1)!.body, '');
  }
});

test('trailers come down, less what concerns the framing', async (context) => {
  const upstream = await startRawUpstream(context, answering(chunkedWithTrailers));
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const reply = await sendRaw(port, get);
  assert.equal(reply.body, 'abc');
  assert.equal(reply.header('trailer'), 'X-Sum, X-Two');
  assert.deepEqual(reply.trailers, [
    ['X-Sum', '7'],
    ['X-Two', '1'],
    ['X-two', '2'],
  ]);
});

test('trailers of a request go up, less what concerns the framing', async (context) => {
  const upstream = await startRawUpstream(context, ({ socket, text }) => {
    if (text.endsWith('X-Sum: 7\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  });
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n';
  const trailers = 'Content-Type: x\r\nKeep-Alive: 1\r\nX-Sum: 7\r\n';
  assert.equal((await sendRaw(port, `${head}3\r\nabc\r\n0\r\n${trailers}\r\n`)).status, 200);
  assert.match(upstream.received(), /\r\nTrailer: X-Sum\r\n(?:.+\r\n)*\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n$/);
});

test('announced trailers that cannot follow do not stop the response', async (context) => {
  const answers = {
    HEAD: 'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n',
    GET: 'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nContent-Length: 3\r\n\r\nabc',
    DELETE: 'HTTP/1.1 204 No Content\r\nTrailer: X-Sum\r\n\r\n',
  };
  const upstream = await startRawUpstream(context, ({ socket, text }) => {
    const [method] = /^(HEAD|GET|DELETE)(?= \/\S* HTTP\/1\.1\r\n(?!.*^(?:HEAD|GET|DELETE) \/))/ms.exec(text) ?? [];
    socket.write(answers[method as keyof typeof answers]);
  });
  const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  for (const [method, status] of [
    ['HEAD', 200],
    ['GET', 200],
    ['DELETE', 204],
  ] as const) {
    const reply = await sendRaw(port, `${method} /${method} HTTP/1.1\r\nHost: a\r\n\r\n`, method);
    assert.deepEqual([reply.status, reply.header('trailer')], [status, undefined], method);
  }
  await eventually('the outcomes', () => outcomes.length >= 3);
  assert.deepEqual(
    outcomes.map(({ ending }) => ending),
    ['complete', 'complete', 'complete'],
  );
});

test('responses without a body end with their head, and the connection goes on', async (context) => {
  const upstream = await startRecordingUpstream(context, (request, response) => {
    if (request.url === '/204') response.writeHead(204).end();
    else if (request.url === '/304') response.writeHead(304, { ETag: '"x"', 'Content-Length': 99 }).end();
    else response.writeHead(200, { 'Content-Length': 1_234 }).end(request.method === 'HEAD' ? '' : 'x'.repeat(1_234));
  });
  const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const client = new RawClient(port);
  const methods = ['GET', 'GET', 'HEAD', 'GET'];
  const paths = ['/204', '/304', '/head', '/get'];
  for (const [index, path] of paths.entries()) {
    client.send(`${methods[index]} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.untilReplies(index + 1, methods);
  }
  const replies = client.replies(methods);
  assert.deepEqual(
    replies.map(({ status, body }) => [status, body.length]),
    [
      [204, 0],
      [304, 0],
      [200, 0],
      [200, 1_234],
    ],
  );
  assert.deepEqual(
    replies.map((reply) => reply.header('content-length')),
    [undefined, '99', '1234', '1234'],
  );
  assert.ok(replies.every((reply) => reply.header('transfer-encoding') === undefined));
  await eventually('the outcomes', () => outcomes.length >= 4);
  assert.deepEqual(
    outcomes.map(({ responseByteCount }) => responseByteCount),
    [0, 0, 0, 1_234],
  );
  client.socket.destroy();
});

test('a response that ends with its connection is chunked for the client', async (context) => {
  const upstream = await startRawUpstream(context, ({ socket }) => {
    socket.end('HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nto the end');
  });
  const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const reply = await sendRaw(port, get);
  assert.deepEqual([reply.body, reply.header('transfer-encoding')], ['to the end', 'chunked']);
  await eventually('the outcomes', () => outcomes.length >= 1);
  assert.equal(outcomes[0]!.ending, 'complete');
});

test('an HTTP/1.0 client gets neither chunks nor interim responses, and its connection ends', async (context) => {
  const early = 'HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n';
  const upstream = await startRawUpstream(context, answering(early + chunkedWithTrailers));
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const [reply, ...more] = await sendUntilClosed(port, 'GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n');
  assert.deepEqual(more, []);
  assert.deepEqual([reply!.status, reply!.body, reply!.header('connection')], [200, 'abc', 'close']);
  assert.equal(reply!.header('transfer-encoding'), undefined);
  assert.match(upstream.received(), /^GET \/ HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\n/i);
});

test('an HTTP/1.0 client that asks for it keeps its connection', async (context) => {
  const upstream = await startRecordingUpstream(context, (request, response) => {
    request.on('end', () => response.writeHead(200, { 'Content-Length': 2 }).end('ok'));
  });
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const client = new RawClient(port);
  const request =
    'POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc';
  client.send(request);
  await client.untilReplies(1);
  client.send(request);
  const replies = await client.untilReplies(2);
  assert.deepEqual(
    replies.map(({ status, body }) => [status, body]),
    [
      [200, 'ok'],
      [200, 'ok'],
    ],
  );
  assert.deepEqual(
    upstream.requests.map(({ body }) => body),
    ['abc', 'abc'],
  );
  client.socket.destroy();
});

test('the bytes of bodies are counted in both directions', async (context) => {
  const upstream = await startRecordingUpstream(context, (request, response) => {
    request.on('end', () => {
      response.write('12345');
      response.end('678');
    });
  });
  const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  await send({ port, method: 'PUT', body: 'abc' });
  await eventually('the outcome', () => outcomes.length === 1);
  assert.deepEqual([outcomes[0]!.requestByteCount, outcomes[0]!.responseByteCount], [3, 8]);
});
