// The HTTP/1.1 client to servers on real sockets: which connection a request goes onto, when one is given up, and what a body does.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createUpstreamClient } from '../../../src/gateway/upstream/create-client.ts';
import { UnsendableError } from '../../../src/gateway/upstream/unsendable.ts';
import type { UpstreamClient } from '../../../src/gateway/upstream/upstream-client.ts';
import { attempt, HandBody, type Recorded, type RequestSketch, wholeBody } from '../../support/attempts.ts';
import { eventually } from '../../support/eventually.ts';
import type { TestContext } from '../../support/gateways.ts';
import { answering, type RawAnswer, type RawUpstream, startRawUpstream } from '../../support/raw-upstream.ts';

const patience = { connectMs: 30_000, responseMs: 30_000, idleMs: 30_000 };
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const post = (headers: readonly string[], body: RequestSketch['body']): RequestSketch => ({
  method: 'POST',
  headers: ['Host', 'a', ...headers],
  body: body!,
});

type Scene = { readonly upstream: RawUpstream; readonly client: UpstreamClient };

async function stage(context: TestContext, answer: RawAnswer, timeouts = patience): Promise<Scene> {
  const upstream = await startRawUpstream(context, answer);
  const client = createUpstreamClient({ origin: upstream.origin, http2: false, tls: null, timeouts });
  context.after(() => client.destroy());
  return { upstream, client };
}

async function ask(client: UpstreamClient, sketch: RequestSketch = {}): Promise<Recorded> {
  const recorded = attempt(client, sketch);
  await recorded.ended;
  return recorded;
}

/** Asks a server that says so much and nothing more. */
async function askSilent(context: TestContext, timeouts: typeof patience, bytes: string): Promise<Recorded> {
  const { client } = await stage(context, ({ socket }) => void socket.write(bytes), timeouts);
  return ask(client);
}

suite('connections', () => {
  test('one after the other goes onto one connection, at once onto one each', async (t) => {
    const { upstream, client } = await stage(t, answering(ok));
    for (let i = 0; i < 3; i += 1) assert.equal((await ask(client)).body, 'ok');
    assert.equal(upstream.connections.length, 1);
    await Promise.all([ask(client), ask(client), ask(client)]);
    assert.equal(upstream.connections.length, 3);
  });

  test('the connection used last is used next', async (t) => {
    const { upstream, client } = await stage(t, answering(ok));
    const [first, second] = [attempt(client), attempt(client)];
    await Promise.all([first.ended, second.ended]);
    const lengths = (): number[] => upstream.connections.map(({ text }) => text.length);
    const before = lengths();
    for (let i = 0; i < 4; i += 1) await ask(client);
    const grown = lengths().filter((length, index) => length > before[index]!);
    assert.equal(grown.length, 1);
  });

  test('an idle connection that the server closes is not used again', async (t) => {
    const { upstream, client } = await stage(t, answering(ok));
    await ask(client);
    upstream.connections[0]!.socket.end();
    await eventually('it is closed on both sides', () => upstream.connections[0]!.closed);
    assert.equal((await ask(client)).body, 'ok');
    assert.equal(upstream.connections.length, 2);
  });

  const closing = {
    'that says so': 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok',
    'of HTTP/1.0': 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
    'that more follows than was asked for': `${ok}${ok}`,
    'that leaves no time': 'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok',
  };
  for (const [what, bytes] of Object.entries(closing)) {
    test(`an answer ${what} ends its connection`, async (t) => {
      const { upstream, client } = await stage(t, answering(bytes));
      assert.equal((await ask(client)).body, 'ok');
      assert.equal((await ask(client)).body, 'ok');
      assert.equal(upstream.connections.length, 2);
      await eventually('it is closed', () => upstream.connections[0]!.closed);
    });
  }

  test('what a server says unasked is no answer to the next request', async (t) => {
    const { upstream, client } = await stage(t, answering(ok));
    await ask(client);
    upstream.connections[0]!.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
    await eventually('it is closed', () => upstream.connections[0]!.closed);
    assert.equal((await ask(client)).body, 'ok');
  });

  test('an idle connection is closed before the server closes it', async (t) => {
    const bytes = 'HTTP/1.1 200 OK\r\nKeep-Alive: max=9, timeout=2\r\nContent-Length: 2\r\n\r\nok';
    t.mock.timers.enable({ apis: ['setInterval'] });
    const { upstream, client } = await stage(t, answering(bytes));
    await ask(client);
    t.mock.timers.tick(1_500);
    await eventually('it is closed', () => upstream.connections[0]!.closed);
  });
});

suite('the end of a client', () => {
  test('closing waits for what is under way, and takes nothing new', async (t) => {
    const gate = Promise.withResolvers<void>();
    const { upstream, client } = await stage(t, ({ socket }) => void gate.promise.then(() => socket.write(ok)));
    const last = attempt(client);
    await eventually('it is under way', () => upstream.requestLines().length === 1);
    let isClosed = false;
    const closed = client.close().then(() => (isClosed = true));
    const late = await ask(client);
    assert.deepEqual([late.kind, late.events, isClosed], ['connect', ['failed'], false]);
    gate.resolve();
    await Promise.all([closed, last.ended]);
    assert.equal(last.body, 'ok');
    await eventually('it is closed', () => upstream.connections[0]!.closed);
  });

  test('destroying cuts what is under way', async (t) => {
    const { upstream, client } = await stage(t, () => undefined);
    const recorded = attempt(client);
    await eventually('it is under way', () => upstream.requestLines().length === 1);
    client.destroy();
    await recorded.ended;
    assert.deepEqual(recorded.events, ['sent', 'failed']);
  });

  test('an attempt that is given up hears nothing more, and its connection is gone', async (t) => {
    const { upstream, client } = await stage(
      t,
      ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
    );
    const recorded = attempt(client);
    await eventually('the half', () => recorded.body === 'half');
    recorded.attempt.abort();
    recorded.attempt.abort();
    await eventually('it is closed', () => upstream.connections[0]!.closed);
    assert.deepEqual(recorded.events, ['sent', 'head']);
  });

  test('an attempt that is given up before it is connected is never sent', async (t) => {
    const { upstream, client } = await stage(t, answering(ok));
    const recorded = attempt(client);
    recorded.attempt.abort();
    await ask(client);
    assert.deepEqual([recorded.events, upstream.requestLines().length], [[], 1]);
  });
});

suite('bodies of requests', () => {
  test('a body of known length goes as it is, one of unknown length in chunks, with its trailers', async (t) => {
    const { upstream, client } = await stage(t, ({ socket, text }) => {
      if (text.endsWith('abc') || text.endsWith('\r\n\r\n')) socket.write(ok);
    });
    await ask(client, post(['Content-Length', '3'], wholeBody('abc')));
    assert.match(upstream.received(), /\r\nContent-Length: 3\r\n(?:.+\r\n)*\r\nabc$/);
    const before = upstream.received().length;
    const recorded = attempt(client, post([], wholeBody('abc', ['X-Sum', '7'])));
    await eventually('it has arrived', () => upstream.received().endsWith('0\r\nX-Sum: 7\r\n\r\n'));
    await recorded.ended;
    assert.match(
      upstream.received().slice(before),
      /^POST \/ HTTP\/1\.1\r\n(?:.+\r\n)*Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n$/,
    );
  });

  const wrong: Readonly<Record<string, RequestSketch['body']>> = {
    'more than it announced': wholeBody('abcd'),
    'less than it announced': wholeBody('ab'),
  };
  for (const [what, body] of Object.entries(wrong)) {
    test(`a body that gives ${what} is not passed off as a whole one`, async (t) => {
      const { upstream, client } = await stage(t, () => undefined);
      const recorded = await ask(client, post(['Content-Length', '3'], body));
      assert.ok(recorded.error instanceof UnsendableError);
      await eventually('it is closed', () => upstream.connections.every(({ closed }) => closed));
      assert.doesNotMatch(upstream.received(), /abcd/);
    });
  }

  test('a trailer that would begin another message is left out', async (t) => {
    const { upstream, client } = await stage(t, ({ socket, text }) => {
      if (text.endsWith('0\r\nOk: 1\r\n\r\n')) socket.write(ok);
    });
    await ask(client, post([], wholeBody('a', ['X', 'a\r\n\r\nGET / HTTP/1.1', 'Ok', '1', 'b c', '2'])));
    assert.match(upstream.received(), /1\r\na\r\n0\r\nOk: 1\r\n\r\n$/);
  });

  test('an answer that comes before the body has ended is whole, and ends the connection', async (t) => {
    const { upstream, client } = await stage(t, answering(ok));
    const body = new HandBody();
    const recorded = attempt(client, post([], body));
    (await body.started).data(Buffer.from('begun'));
    await recorded.ended;
    assert.deepEqual([recorded.events, recorded.body, body.isStopped], [['sent', 'head', 'complete'], 'ok', true]);
    await eventually('it is closed', () => upstream.connections[0]!.closed);
  });

  test('a server that takes no body holds it back, and goes on when it takes again', async (t) => {
    const { upstream, client } = await stage(t, ({ socket }) => void socket.pause());
    const body = new HandBody();
    attempt(client, post([], body));
    const sink = await body.started;
    const piece = Buffer.alloc(65_536);
    let givenCount = 1;
    while (sink.data(piece)) givenCount += 1;
    await eventually('it has stopped', () => upstream.connections[0]?.socket.isPaused());
    while (body.resumeCount > 0 && givenCount < 1_000) {
      body.resumeCount = 0;
      while (sink.data(piece) && givenCount < 1_000) givenCount += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.ok(givenCount < 1_000, 'the body was taken without an end');
    upstream.connections[0]!.socket.resume();
    await eventually('the body is wanted again', () => body.resumeCount > 0);
  });
});

suite('requests that cannot be sent', () => {
  const unsendable: Readonly<Record<string, RequestSketch>> = {
    'a method with a space': { method: 'GET /evil HTTP/1.1\r\n' },
    'an empty path': { path: '' },
    'a path with a space': { path: '/a b' },
    'a path with CR LF': { path: '/\r\nHost: evil' },
    'a path beyond bytes': { path: '/\u4f60' },
    'a header name with a colon': { headers: ['Host', 'a', 'X:', '1'] },
    'an empty header name': { headers: ['Host', 'a', '', '1'] },
    'a header value with CR LF': { headers: ['Host', 'a', 'X', '1\r\nY: 2'] },
    'a header value with a NUL': { headers: ['Host', 'a', 'X', '\0'] },
    'a header value beyond bytes': { headers: ['Host', 'a', 'X', '\u4f60'] },
    'a length without a body': { headers: ['Host', 'a', 'Content-Length', '3'] },
    'two lengths': post(['Content-Length', '3', 'content-length', '3'], wholeBody('abc')),
    'a length that is none': post(['Content-Length', '3x'], wholeBody('abc')),
    'a coding of its own': post(['Transfer-Encoding', 'gzip'], wholeBody('abc')),
  };
  for (const [what, sketch] of Object.entries(unsendable)) {
    test(`${what}: not a byte is written`, async (t) => {
      const { upstream, client } = await stage(t, answering(ok));
      const recorded = attempt(client, sketch);
      assert.deepEqual(recorded.events, []);
      await recorded.ended;
      assert.deepEqual(recorded.events, ['failed']);
      assert.ok(recorded.error instanceof UnsendableError);
      await ask(client);
      assert.equal(upstream.requestLines().length, 1);
    });
  }
});

suite('times', () => {
  const short = 150;

  test('a server that says nothing has so long, and begins anew with each interim answer', async (t) => {
    const timeouts = { ...patience, responseMs: short };
    assert.equal((await askSilent(t, timeouts, '')).kind, 'timeout');
    const { client } = await stage(
      t,
      ({ socket }) => {
        let count = 0;
        const timer = setInterval(() => {
          count += 1;
          socket.write(count < 8 ? 'HTTP/1.1 102 Processing\r\n\r\n' : ok);
          if (count === 8) clearInterval(timer);
        }, 60);
      },
      timeouts,
    );
    const recorded = await ask(client);
    assert.deepEqual([recorded.interims.length, recorded.body], [7, 'ok']);
  });

  test('a server that stops in the middle has so long', async (t) => {
    const recorded = await askSilent(
      t,
      { ...patience, idleMs: short },
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf',
    );
    assert.deepEqual([recorded.kind, recorded.body], ['timeout', 'half']);
  });

  test('a server that takes an upload is not idle, although it has begun to answer', async (t) => {
    const { upstream, client } = await stage(
      t,
      ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n'),
      { ...patience, idleMs: short },
    );
    const body = new HandBody();
    const recorded = attempt(client, post([], body));
    const sink = await body.started;
    for (let i = 0; i < 10; i += 1) {
      await new Promise((resolve) => setTimeout(resolve, short / 3));
      sink.data(Buffer.from('more'));
    }
    assert.deepEqual(recorded.events, ['sent', 'head']);
    upstream.connections[0]!.socket.write('ok');
    await recorded.ended;
    assert.equal(recorded.body, 'ok');
  });

  test('a server that is held back is not too slow', async (t) => {
    const bytes = `HTTP/1.1 200 OK\r\nContent-Length: ${2 ** 22}\r\n\r\n${'x'.repeat(2 ** 22)}`;
    const { client } = await stage(t, answering(bytes), { ...patience, idleMs: short });
    const recorded = attempt(client);
    recorded.takes = false;
    await eventually('it is held back', () => recorded.byteCount > 0);
    await new Promise((resolve) => setTimeout(resolve, short * 4));
    assert.equal(recorded.kind, null);
    const held = recorded.byteCount;
    recorded.attempt.resume();
    await eventually('more has come', () => recorded.byteCount > held);
    recorded.takes = true;
    recorded.attempt.resume();
    await recorded.ended;
    assert.equal(recorded.byteCount, 2 ** 22);
  });
});
