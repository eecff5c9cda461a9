// Servers that reset the connection while the request's body is on its way to them. What they had said before is read first; each
// of these resets and writes happens in one turn, so that the write fails before anything was read.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createUpstreamClient } from '../../../src/gateway/upstream/create-client.ts';
import type { BodySink, UpstreamClient } from '../../../src/gateway/upstream/upstream-client.ts';
import { attempt, HandBody, type Recorded } from '../../support/attempts.ts';
import { eventually } from '../../support/eventually.ts';
import type { TestContext } from '../../support/gateways.ts';
import { type RawConnection, startRawUpstream } from '../../support/raw-upstream.ts';

const timeouts = { connectMs: 30_000, responseMs: 30_000, idleMs: 30_000 };
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const piece = Buffer.alloc(10_000, 'x');

type Scene = { client: UpstreamClient; connection: RawConnection; recorded: Recorded; body: HandBody; sink: BodySink };

/** An upload of which the server has the beginning. */
async function stage(context: TestContext, headers: readonly string[] = []): Promise<Scene> {
  const upstream = await startRawUpstream(context, () => undefined);
  const client = createUpstreamClient({ origin: upstream.origin, http2: false, tls: null, timeouts });
  context.after(() => client.destroy());
  const body = new HandBody();
  const recorded = attempt(client, { method: 'POST', headers: ['Host', 'a', ...headers], body });
  const sink = await body.started;
  sink.data(piece);
  await eventually('the server has it', () => upstream.received().includes('xxx'));
  return { client, connection: upstream.connections[0]!, recorded, body, sink };
}

function reset({ socket }: RawConnection, lastWords: string): void {
  socket.write(lastWords, 'latin1');
  socket.resetAndDestroy();
}

const uploads = { 'in chunks': [], 'of known length': ['Content-Length', '10000000'] };
const answers = {
  'of known length': 'HTTP/1.1 413 No\r\nContent-Length: 5\r\n\r\nlarge',
  'in chunks': 'HTTP/1.1 413 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nlarge\r\n0\r\n\r\n',
};

suite('a reset in the middle of an upload', () => {
  for (const [upload, headers] of Object.entries(uploads)) {
    for (const [what, answer] of Object.entries(answers)) {
      test(`${upload} leaves a whole answer ${what} whole`, async (t) => {
        const { connection, recorded, body, sink } = await stage(t, headers);
        reset(connection, answer);
        sink.data(piece);
        await recorded.ended;
        assert.deepEqual([recorded.events, recorded.status], [['sent', 'head', 'complete'], 413]);
        assert.deepEqual([recorded.body, body.isStopped], ['large', true]);
      });
    }

    test(`${upload} without an answer is a fault`, async (t) => {
      const { connection, recorded, body, sink } = await stage(t, headers);
      reset(connection, '');
      sink.data(piece);
      await recorded.ended;
      assert.deepEqual([recorded.events, recorded.kind, body.isStopped], [['sent', 'failed'], 'reset', true]);
    });
  }

  const parts = {
    'a part of a head': ['HTTP/1.1 413 N', ['sent', 'failed'], ''],
    'a part of a body': ['HTTP/1.1 413 No\r\nContent-Length: 9\r\n\r\nlarge', ['sent', 'head', 'failed'], 'large'],
    'a body of unknown length': ['HTTP/1.1 413 No\r\n\r\nlarge', ['sent', 'head', 'failed'], 'large'],
  } as const;
  for (const [what, [lastWords, events, read]] of Object.entries(parts)) {
    test(`leaves ${what} cut`, async (t) => {
      const { connection, recorded, sink } = await stage(t);
      reset(connection, lastWords);
      sink.data(piece);
      await recorded.ended;
      assert.deepEqual([recorded.events, recorded.body, recorded.kind], [events, read, 'reset']);
    });
  }

  test('leaves an answer whole whose last byte of the body is on its way', async (t) => {
    const { connection, recorded, sink } = await stage(t);
    reset(connection, answers['of known length']);
    sink.data(piece);
    sink.end(null);
    await recorded.ended;
    assert.deepEqual([recorded.events, recorded.status], [['sent', 'head', 'complete'], 413]);
  });

  test('leaves an answer whole that its reader does not take yet', async (t) => {
    const { connection, recorded, sink } = await stage(t);
    recorded.takes = false;
    connection.socket.write('HTTP/1.1 413 No\r\nContent-Length: 40001\r\n\r\na');
    await eventually('the beginning', () => recorded.byteCount === 1);
    reset(connection, 'b'.repeat(40_000));
    sink.data(piece);
    for (let i = 0; i < 20; i += 1) await nextTurn();
    assert.deepEqual([recorded.events, recorded.byteCount], [['sent', 'head'], 1]);
    recorded.takes = true;
    recorded.attempt.resume();
    await recorded.ended;
    assert.deepEqual([recorded.events, recorded.byteCount], [['sent', 'head', 'complete'], 40_001]);
  });

  test('can be given up while it is waited for', async (t) => {
    const { connection, recorded, sink, client } = await stage(t);
    recorded.takes = false;
    connection.socket.write('HTTP/1.1 413 No\r\nContent-Length: 9\r\n\r\na');
    await eventually('the beginning', () => recorded.byteCount === 1);
    reset(connection, 'b');
    sink.data(piece);
    await nextTurn();
    recorded.attempt.abort();
    await client.close();
    assert.deepEqual(recorded.events, ['sent', 'head']);
  });
});

test('what a server said before a request was written to it is no answer to it', async (t) => {
  const upstream = await startRawUpstream(t, ({ socket }) => void socket.write(ok));
  const client = createUpstreamClient({ origin: upstream.origin, http2: false, tls: null, timeouts });
  t.after(() => client.destroy());
  await attempt(client).ended;
  reset(upstream.connections[0]!, 'HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n');
  const body = new HandBody();
  const recorded = attempt(client, { method: 'POST', body });
  (await body.started).data(piece);
  await recorded.ended;
  assert.deepEqual([recorded.events, recorded.kind], [['sent', 'failed'], 'reset']);
});
