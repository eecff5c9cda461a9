// Every way in which a server can fail over HTTP/2, each as a server that does it frame by frame to a real client.
import assert from 'node:assert/strict';
import { connect as connectTo, createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { FaultKind } from '../../../src/rollout/outcome.ts';
import type { VersionTimeouts } from '../../../src/rollout/policy.ts';
import { createUpstreamClient } from '../../../src/gateway/upstream/create-client.ts';
import { attempt, type RequestSketch, wholeBody } from '../../support/attempts.ts';
import { endStream, type FrameConnection, frameType, startFrameServer } from '../../support/http2-frames.ts';

const patience: VersionTimeouts = { connectMs: 30_000, responseMs: 30_000, idleMs: 30_000 };
const short = 500;

type Row = {
  readonly kind: FaultKind;
  readonly timeouts?: Partial<VersionTimeouts>;
  readonly request?: RequestSketch;
  readonly onRequest?: (connection: FrameConnection, streamId: number) => void;
  readonly greet?: (connection: FrameConnection) => void;
  /** What the handler hears; default: that it was sent, and that it failed. */
  readonly events?: readonly string[];
};

const head = (connection: FrameConnection, streamId: number): void => connection.headers(streamId, [':status', '200']);
const part = (connection: FrameConnection, streamId: number): void => {
  head(connection, streamId);
  connection.send(frameType.data, 0, streamId, Buffer.from('part'));
};
const unsent = ['failed'];
const cut = ['sent', 'head', 'failed'];
const post = { method: 'POST', body: wholeBody('x') };

const rows: Readonly<Record<string, Row>> = {
  'accepts and closes': { kind: 'connect', greet: ({ socket }) => socket.end(), events: unsent },
  'accepts and resets': { kind: 'connect', greet: ({ socket }) => socket.resetAndDestroy(), events: unsent },
  'never greets': { kind: 'timeout', timeouts: { connectMs: short }, greet: () => undefined, events: unsent },
  'speaks HTTP/1.1': {
    kind: 'protocol',
    greet: ({ socket }) => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'),
    events: unsent,
  },
  'speaks SSH': { kind: 'protocol', greet: ({ socket }) => socket.write('SSH-2.0-OpenSSH_9.9\r\n'), events: unsent },
  'closes the connection': { kind: 'reset', onRequest: ({ socket }) => socket.end() },
  'resets the connection': { kind: 'reset', onRequest: ({ socket }) => socket.resetAndDestroy() },
  'never answers': { kind: 'timeout', timeouts: { responseMs: short }, onRequest: () => undefined },
  'never answers a request with a body': {
    kind: 'timeout',
    timeouts: { responseMs: short },
    request: post,
    onRequest: () => undefined,
  },
  'answers with an interim answer only': {
    kind: 'timeout',
    timeouts: { responseMs: short },
    onRequest: (connection, streamId) => connection.headers(streamId, [':status', '103']),
    events: ['sent', 'interim', 'failed'],
  },
  'resets the stream without an error': { kind: 'reset', onRequest: (connection, id) => connection.reset(id, 0) },
  'resets the stream, having failed': { kind: 'reset', onRequest: (connection, id) => connection.reset(id, 2) },
  'cancels the stream': { kind: 'reset', onRequest: (connection, id) => connection.reset(id, 8) },
  'calls the request a protocol error': { kind: 'protocol', onRequest: (connection, id) => connection.reset(id, 1) },
  'asks for HTTP/1.1': { kind: 'protocol', onRequest: (connection, id) => connection.reset(id, 13) },
  'refuses the stream, every time': { kind: 'connect', onRequest: (connection, id) => connection.reset(id, 7) },
  'says goodbye with an error': { kind: 'reset', onRequest: (connection, id) => connection.goaway(id, 2) },
  'says goodbye because of the protocol': { kind: 'protocol', onRequest: (connection, id) => connection.goaway(id, 1) },
  'sends a frame that is too large': {
    kind: 'protocol',
    onRequest: (connection, id) => connection.send(frameType.data, 0, id, Buffer.alloc(20_000)),
  },
  'sends a head that cannot be unpacked': {
    kind: 'protocol',
    onRequest: (connection, id) => connection.send(frameType.headers, 4, id, Buffer.from([0xff, 0xff, 0xff, 0xff])),
  },
  'sends a head without a status': {
    kind: 'protocol',
    onRequest: (connection, id) => connection.headers(id, ['x-a', '1']),
  },
  'sends a status that is no number': {
    kind: 'protocol',
    onRequest: (connection, id) => connection.headers(id, [':status', 'abc']),
  },
  'switches protocols': { kind: 'protocol', onRequest: (connection, id) => connection.headers(id, [':status', '101']) },
  'sends a name in upper case': {
    kind: 'protocol',
    onRequest: (connection, id) => connection.headers(id, [':status', '200', 'X-A', '1']),
  },
  'sends a header that only HTTP/1.1 has': {
    kind: 'protocol',
    onRequest: (connection, id) => connection.headers(id, [':status', '200', 'connection', 'close']),
  },
  'sends data before the head': {
    kind: 'protocol',
    onRequest: (connection, id) => connection.send(frameType.data, endStream, id, Buffer.from('x')),
  },
  'sends a head that is too large': {
    kind: 'protocol',
    onRequest(connection, id) {
      const field = packLong('x-a', 15_000);
      connection.send(frameType.headers, 0, id, Buffer.concat([packLong(':status', 0, '200'), field]));
      for (let i = 0; i < 8; i += 1) connection.send(9, i === 7 ? 4 : 0, id, field);
    },
  },
  'ends short of its length': {
    kind: 'protocol',
    onRequest(connection, id) {
      connection.headers(id, [':status', '200', 'content-length', '10']);
      connection.send(frameType.data, endStream, id, Buffer.from('short'));
    },
    events: cut,
  },
  'sends more than its length': {
    kind: 'protocol',
    onRequest(connection, id) {
      connection.headers(id, [':status', '200', 'content-length', '2']);
      connection.send(frameType.data, endStream, id, Buffer.from('too much'));
    },
    events: cut,
  },
  'cuts the body without an error': {
    kind: 'reset',
    onRequest(connection, id) {
      part(connection, id);
      connection.reset(id, 0);
    },
    events: cut,
  },
  'cancels within the body': {
    kind: 'reset',
    onRequest(connection, id) {
      part(connection, id);
      connection.reset(id, 8);
    },
    events: cut,
  },
  'closes the connection within the body': {
    kind: 'reset',
    onRequest(connection, id) {
      part(connection, id);
      setImmediate(() => connection.socket.end());
    },
    events: cut,
  },
  'says goodbye with an error within the body': {
    kind: 'reset',
    onRequest(connection, id) {
      part(connection, id);
      connection.goaway(id, 2);
    },
    events: cut,
  },
  'stops within the body': { kind: 'timeout', timeouts: { idleMs: short }, onRequest: part, events: cut },
  'stops after the head': { kind: 'timeout', timeouts: { idleMs: short }, onRequest: head, events: cut },
};

for (const [name, row] of Object.entries(rows)) {
  test(`a server that ${name} has a fault of kind ${row.kind}`, async (context) => {
    const { onRequest = () => undefined, greet } = row;
    const server = await startFrameServer(context, { onRequest, ...(greet === undefined ? {} : { greet }) });
    const timeouts = { ...patience, ...row.timeouts };
    const client = createUpstreamClient({ origin: server.origin, http2: true, tls: null, timeouts });
    context.after(() => client.destroy());
    const recorded = attempt(client, row.request);
    await recorded.ended;
    assert.equal(recorded.kind, row.kind, recorded.error?.message);
    assert.deepEqual(recorded.events, row.events ?? ['sent', 'failed']);
  });
}

test('a server that refuses the connection has a fault of kind connect', async (context) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  // A port that stays taken and refuses: the local end of a connection.
  const held = connectTo(port, '127.0.0.1');
  await new Promise((resolve) => held.once('connect', resolve));
  context.after(() => {
    held.destroy();
    server.close();
  });
  const origin = `http://127.0.0.1:${held.localPort}`;
  const client = createUpstreamClient({ origin, http2: true, tls: null, timeouts: patience });
  const recorded = attempt(client);
  await recorded.ended;
  assert.equal(recorded.kind, 'connect');
  assert.deepEqual(recorded.events, unsent);
});

/** One literal field whose value is as long as asked, or as given. */
function packLong(name: string, byteCount: number, value = 'x'.repeat(byteCount)): Buffer {
  const length =
    value.length < 127 ? [value.length] : [127, ((value.length - 127) & 127) | 128, (value.length - 127) >> 7];
  return Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from(length), Buffer.from(value)]);
}
