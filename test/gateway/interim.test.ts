// Responses that come before the last one, and last ones that come before the request has ended.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGate, eventually } from '../support/eventually.ts';
import { faultsBeforeHead } from '../support/faulty-upstreams.ts';
import { startGateway } from '../support/gateways.ts';
import { send, valuesOf } from '../support/http-client.ts';
import { shopPolicy } from '../support/policies.ts';
import { RawClient } from '../support/raw-client.ts';
import { answering, startRawUpstream } from '../support/raw-upstream.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';

const expecting = (length: number, more = ''): string =>
  `POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n${more}\r\n`;

test('102 and 103 reach the client before the answer, headers and all', async (context) => {
  const interim =
    'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\nConnection: x\r\n\r\n';
  const upstream = await startRawUpstream(
    context,
    answering(`${interim}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`),
  );
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const reply = await send({ port });
  assert.deepEqual(
    reply.interim.map(({ status }) => status),
    [102, 103],
  );
  assert.deepEqual(valuesOf(reply.interim[1]!.rawHeaders, 'link'), ['</a>', '</b>']);
  assert.deepEqual(valuesOf(reply.interim[1]!.rawHeaders, 'connection'), []);
  assert.deepEqual([reply.status, reply.body], [200, 'ok']);
});

test('100 Continue is sent when a server takes the body, and the expectation stays here', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const client = new RawClient(port);
  client.send(expecting(3));
  await client.untilText('HTTP/1.1 100 Continue\r\n\r\n');
  client.send('abc');
  const replies = await client.untilReplies(2);
  assert.deepEqual(
    replies.map(({ status }) => status),
    [100, 200],
  );
  assert.equal(upstream.requests[0]!.body, 'abc');
  assert.equal(upstream.requests[0]!.header('expect'), undefined);
  client.socket.destroy();
});

test('no 100 Continue is sent for a body that nobody will take', async (context) => {
  const gone = await faultsBeforeHead['refuses the connection']!.start(context);
  const limits = { headerBytes: 16_384, bodyBytes: 1_000, connections: Infinity, connectionsPerSecond: Infinity };
  const { port } = await startGateway(context, shopPolicy({ stable: gone, limits }));
  for (const [length, status] of [
    [1_001, 413],
    [1_000, 502],
  ] as const) {
    const client = new RawClient(port);
    client.send(expecting(length));
    await client.untilEnded();
    assert.deepEqual(
      client.replies().map((reply) => reply.status),
      [status],
    );
  }
});

test('a body that announces too much is refused with 413 before a server is asked', async (context) => {
  const upstream = await startRecordingUpstream(context);
  const limits = { headerBytes: 16_384, bodyBytes: 1_000, connections: Infinity, connectionsPerSecond: Infinity };
  const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin, limits }));
  const client = new RawClient(port);
  client.send(
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n${'x'.repeat(1_001)}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`,
  );
  await client.untilEnded();
  assert.deepEqual(
    client.replies().map(({ status }) => status),
    [413],
  );
  assert.equal(upstream.requests.length, 0);
  await eventually('the outcomes', () => outcomes.length >= 1);
  assert.equal(outcomes.length, 1);
  const exact = await send({ port, method: 'POST', body: 'x'.repeat(1_000) });
  assert.equal(exact.status, 200);
});

test('a body that turns out too long is refused with 413 while it streams', async (context) => {
  const upstream = await startRecordingUpstream(context, () => undefined);
  const limits = { headerBytes: 16_384, bodyBytes: 1_000, connections: Infinity, connectionsPerSecond: Infinity };
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin, limits }));
  const client = new RawClient(port);
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n${'x'.repeat(1_000)}\r\n`);
  await eventually('what is allowed has arrived', () => upstream.requests[0]?.body.length === 1_000);
  client.send('1\r\nx\r\n');
  // More than the buffers hold: the answer must survive what is still being sent.
  client.send(`800000\r\n${'x'.repeat(2 ** 23)}\r\n`);
  await client.untilEnded();
  assert.deepEqual(
    client.replies().map(({ status }) => status),
    [413],
  );
  await eventually('the server is told', () => upstream.requests[0]!.aborted);
  assert.equal(upstream.requests[0]!.body.length, 1_000);
});

test('a client that reads no answer before it has sent everything still gets its 413', async (context) => {
  const upstream = await startRecordingUpstream(context, () => undefined);
  const limits = { headerBytes: 16_384, bodyBytes: 1_000, connections: Infinity, connectionsPerSecond: Infinity };
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin, limits }));
  const client = new RawClient(port);
  client.socket.pause();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2000000\r\n');
  client.send('x'.repeat(2 ** 25));
  await eventually('all is sent', () => client.socket.writableLength === 0 || client.socket.destroyed);
  client.socket.resume();
  await client.untilReplies(1);
  assert.deepEqual(
    client.replies().map((reply) => reply.status),
    [413],
  );
  client.socket.destroy();
});

for (const status of [401, 413] as const) {
  test(`a server that answers ${status} before the body has ended is passed on at once`, async (context) => {
    const upstream = await startRecordingUpstream(context, (request, response) => {
      request.once('data', () => response.writeHead(status, { 'Content-Type': 'text/plain' }).end('not like this'));
    });
    const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
    const client = new RawClient(port);
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(1_000)}`);
    const [reply] = await client.untilReplies(1);
    assert.deepEqual([reply!.status, reply!.body], [status, 'not like this']);
    client.send(`${'x'.repeat(999_000)}GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    await eventually('the outcome', () => outcomes.length >= 1);
    assert.deepEqual([outcomes[0]!.status, outcomes[0]!.ending, outcomes[0]!.faults.length], [status, 'complete', 0]);
    client.socket.destroy();
  });
}

test('a response streams down while its request streams up', async (context) => {
  const upstream = await startRecordingUpstream(context, (request, response) => {
    request.on('data', (chunk: Buffer) => response.write(chunk.toString().toUpperCase()));
    request.on('end', () => response.end('!'));
  });
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const client = new RawClient(port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
  for (const text of ['one', 'two', 'six']) {
    client.send(`3\r\n${text}\r\n`);
    await client.untilText(text.toUpperCase());
  }
  client.send('0\r\n\r\n');
  const [reply] = await client.untilReplies(1);
  assert.equal(reply!.body, 'ONETWOSIX!');
  client.socket.destroy();
});

test('server-sent events arrive one by one, as they are sent', async (context) => {
  const gates = [createGate(), createGate()];
  const upstream = await startRecordingUpstream(context, (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.flushHeaders();
    void gates[0]!.opened.then(() => response.write('data: 1\n\n'));
    void gates[1]!.opened.then(() => response.write('data: 2\n\n'));
  });
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const client = new RawClient(port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n');
  await client.untilText('\r\n\r\n');
  assert.match(client.received, /text\/event-stream/);
  gates[0]!.open();
  await client.untilText('data: 1\n\n');
  gates[1]!.open();
  await client.untilText('data: 2\n\n');
  client.socket.destroy();
  await eventually('the server is told', () => upstream.requests[0]!.aborted);
});
