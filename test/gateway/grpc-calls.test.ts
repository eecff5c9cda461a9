// gRPC from end to end: real clients and servers, over plain connections and over TLS, with graygate between them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import type { Outcome } from '../../src/rollout/outcome.ts';
import type { ServerTls } from '../../src/rollout/policy.ts';
import { hasFailed } from '../../src/telemetry/window.ts';
import { authority, pemOf, tlsOf } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { type RunningGateway, startGateway, type TestContext } from '../support/gateways.ts';
import { EchoClient, type EchoService, echoing, startGrpcServer } from '../support/grpc-peers.ts';
import { shopPolicy } from '../support/policies.ts';

function asIs(bytes: Buffer): Buffer {
  return bytes;
}

type Shop = RunningGateway & { readonly client: EchoClient };

async function startShop(context: TestContext, methods: Partial<EchoService> = {}): Promise<Shop> {
  const server = await startGrpcServer(context, { ...echoing('stable'), ...methods });
  return openShop(context, { stable: { servers: [server.origin], http2: true } });
}

async function openShop(context: TestContext, sketch: Parameters<typeof shopPolicy>[0]): Promise<Shop> {
  const running = await startGateway(context, shopPolicy(sketch));
  const client = new EchoClient(running.port);
  context.after(() => client.close());
  return { ...running, client };
}

async function outcomeOf({ outcomes }: RunningGateway): Promise<Outcome> {
  await eventually('the outcome', () => outcomes.length > 0);
  return outcomes[0]!;
}

/** Everything a stream of answers brings, one after the other. */
async function textsOf(stream: AsyncIterable<Buffer>): Promise<string[]> {
  const texts: string[] = [];
  for await (const message of stream) texts.push(message.toString());
  return texts;
}

suite('calls of every kind', () => {
  test('unary', async (t) => {
    const shop = await startShop(t);
    assert.equal((await shop.client.unary('hello')).toString(), 'stable:hello');
    const outcome = await outcomeOf(shop);
    assert.deepEqual([outcome.status, outcome.grpcStatus, outcome.ending], [200, 0, 'complete']);
    assert.equal(hasFailed(outcome), false);
  });

  test('many messages up', async (t) => {
    const { client } = await startShop(t);
    const { call, answer } = client.upload();
    for (let i = 0; i < 100; i += 1) call.write(Buffer.alloc(1_000));
    call.end();
    assert.equal((await answer).toString(), 'stable:100000');
  });

  test('many messages down', async (t) => {
    const { client } = await startShop(t);
    const texts = await textsOf(client.download(100));
    assert.deepEqual([texts.length, texts[0], texts[99]], [100, 'stable:0', 'stable:99']);
  });

  test('both ways, each answer before the next question', async (t) => {
    const { client } = await startShop(t);
    const call = client.chat();
    for (let i = 0; i < 20; i += 1) {
      call.write(Buffer.from(String(i)));
      const [answer] = (await once(call, 'data')) as [Buffer];
      assert.equal(answer.toString(), `stable:${i}`);
    }
    call.end();
    await once(call, 'end');
  });

  test('messages larger than every window, both ways', async (t) => {
    const { client } = await startShop(t);
    const message = Buffer.alloc(8 * 2 ** 20, 'x');
    const answer = await client.unary(message);
    assert.equal(answer.length, message.length + 'stable:'.length);
  });

  test('over TLS on both sides', async (t) => {
    const pair = { cert: pemOf('shop.pem'), key: pemOf('shop.key') };
    const server = await startGrpcServer(t, echoing('stable'), pair);
    const tls: ServerTls = { ca: authority, cert: null, key: null, servername: null, insecure: false };
    const stable = { servers: [server.origin], http2: true, tls };
    const { port } = await startGateway(t, shopPolicy({ stable, tls: tlsOf() }));
    const client = new EchoClient(port, credentials.createSsl(Buffer.from(authority)));
    t.after(() => client.close());
    assert.equal((await client.unary('hello')).toString(), 'stable:hello');
    assert.equal((await textsOf(client.download(3))).length, 3);
  });

  test('a reader that takes its time holds the server back', async (t) => {
    let writtenCount = 0;
    const message = Buffer.alloc(65_536);
    const { client } = await startShop(t, {
      download(call) {
        const more = (): void => {
          let isFree = true;
          for (; isFree && writtenCount < 800; writtenCount += 1) isFree = call.write(message);
          if (writtenCount === 800) call.end();
          else call.once('drain', more);
        };
        more();
      },
    });
    const call = client.download(1);
    call.pause();
    call.once('readable', () => undefined);
    let before = -1;
    await eventually('the server is held back', async () => {
      const isStill = writtenCount > 0 && writtenCount === before;
      before = writtenCount;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return isStill;
    });
    assert.ok(writtenCount < 800, `${writtenCount} messages were taken for nobody`);
    assert.equal((await textsOf(call)).length, 800);
  });
});

suite('how calls end', () => {
  test('the status and message of the server reach the client, and count as its kind', async (t) => {
    const rows: readonly [code: number, isFailure: boolean][] = [
      [status.INVALID_ARGUMENT, false],
      [status.NOT_FOUND, false],
      [status.CANCELLED, false],
      [status.UNKNOWN, true],
      [status.DEADLINE_EXCEEDED, true],
      [status.UNIMPLEMENTED, true],
      [status.INTERNAL, true],
      [status.UNAVAILABLE, true],
      [status.DATA_LOSS, true],
    ];
    for (const [code, isFailure] of rows) {
      const shop = await startShop(t, { unary: (_call, callback) => callback({ code, details: 'sold out: 售罄' }) });
      await assert.rejects(shop.client.unary('x'), (error: ServiceError) => {
        assert.deepEqual([error.code, error.details], [code, 'sold out: 售罄']);
        return true;
      });
      const outcome = await outcomeOf(shop);
      assert.deepEqual([outcome.status, outcome.grpcStatus, hasFailed(outcome)], [200, code, isFailure]);
    }
  });

  test('a status after messages reaches the client', async (t) => {
    const shop = await startShop(t, {
      download(call) {
        call.write(Buffer.from('one'));
        call.emit('error', { code: status.INTERNAL, details: 'broken' });
      },
    });
    const call = shop.client.download(1);
    const texts: string[] = [];
    call.on('data', (message: Buffer) => texts.push(message.toString()));
    const [error] = (await once(call, 'error')) as [ServiceError];
    assert.deepEqual([texts, error.code, error.details], [['one'], status.INTERNAL, 'broken']);
    const outcome = await outcomeOf(shop);
    assert.deepEqual([outcome.ending, outcome.grpcStatus, hasFailed(outcome)], ['complete', 13, true]);
  });

  test('a method that there is not is said so by the server', async (t) => {
    const { client } = await startShop(t);
    const { promise, resolve } = Promise.withResolvers<ServiceError | null>();
    client.makeUnaryRequest('/test.Echo/None', asIs, asIs, Buffer.alloc(0), (error) => resolve(error));
    assert.equal((await promise)?.code, status.UNIMPLEMENTED);
  });

  test('a deadline ends the call on both sides', async (t) => {
    const server = { isAsked: false, isCancelled: false };
    const unary: EchoService['unary'] = (call) => {
      server.isAsked = true;
      call.on('cancelled', () => (server.isCancelled = true));
    };
    const shop = await startShop(t, { unary });
    // On a busy machine a call may be over before it has come to the server.
    for (let patienceMs = 300; !server.isAsked; patienceMs *= 2) {
      await assert.rejects(shop.client.unary('x', Date.now() + patienceMs), { code: status.DEADLINE_EXCEEDED });
    }
    await eventually('the server is told', () => server.isCancelled);
    const outcome = await outcomeOf(shop);
    assert.equal(outcome.faults.length, 0);
  });

  test('a cancelled stream is cancelled at the server', async (t) => {
    let isCancelled = false;
    const shop = await startShop(t, {
      chat(call) {
        call.on('data', (message: Buffer) => call.write(message));
        call.on('cancelled', () => (isCancelled = true));
      },
    });
    const call = shop.client.chat();
    call.write(Buffer.from('one'));
    await once(call, 'data');
    call.on('error', () => undefined);
    call.cancel();
    await eventually('the server is told', () => isCancelled);
    const outcome = await outcomeOf(shop);
    assert.deepEqual([outcome.ending, outcome.faults.length], ['client-left', 0]);
  });

  test('a server that dies in the middle of a stream does not look as if it had ended', async (t) => {
    const server = await startGrpcServer(t, {
      ...echoing('stable'),
      download: (call) => void call.write(Buffer.from('one')),
    });
    const shop = await openShop(t, { stable: { servers: [server.origin], http2: true } });
    const call = shop.client.download(1);
    await once(call, 'data');
    server.server.forceShutdown();
    const [error] = (await once(call, 'error')) as [ServiceError];
    assert.notEqual(error.code, status.OK);
    const outcome = await outcomeOf(shop);
    assert.deepEqual([outcome.ending, outcome.faults.length, hasFailed(outcome)], ['cut', 1, true]);
  });
});

suite('what graygate itself answers', () => {
  const rows: readonly [what: string, code: number, sketch: Parameters<typeof shopPolicy>[0], details: RegExp][] = [
    [
      'no server',
      status.UNAVAILABLE,
      { stable: { servers: ['http://127.0.0.1:1'], http2: true } },
      /^no connection to the server$/,
    ],
    [
      'no rollout',
      status.UNIMPLEMENTED,
      { stable: 'http://127.0.0.1:1', rollout: { match: { hosts: [{ kind: 'exact', host: 'a.test' }], paths: [] } } },
      /^no rollout matches/,
    ],
    [
      'a message that is too large',
      status.RESOURCE_EXHAUSTED,
      {
        stable: { servers: ['http://127.0.0.1:1'], http2: true },
        limits: { headerBytes: 16_384, bodyBytes: 1, connections: Infinity, connectionsPerSecond: Infinity },
      },
      /larger than allowed/,
    ],
  ];
  for (const [what, code, sketch, details] of rows) {
    test(what, async (t) => {
      const settled = what.includes('large')
        ? { ...sketch, stable: { servers: [(await startGrpcServer(t, echoing('stable'))).origin], http2: true } }
        : sketch;
      const shop = await openShop(t, settled);
      await assert.rejects(shop.client.unary('hello'), (error: ServiceError) => {
        assert.equal(error.code, code);
        assert.match(error.details, details);
        return true;
      });
      const outcome = await outcomeOf(shop);
      assert.deepEqual([outcome.status, outcome.grpcStatus, outcome.ending], [200, code, 'refused']);
    });
  }

  test('a server that takes too long is a deadline', async (t) => {
    const server = await startGrpcServer(t, { ...echoing('stable'), unary: () => undefined });
    const timeouts = { connectMs: 30_000, responseMs: 200, idleMs: 60_000 };
    const shop = await openShop(t, { stable: { servers: [server.origin], http2: true, timeouts } });
    await assert.rejects(shop.client.unary('x'), { code: status.DEADLINE_EXCEEDED });
    assert.equal(hasFailed(await outcomeOf(shop)), true);
  });
});

suite('candidates and restarts', () => {
  test('a user stays with their version, whatever is called', async (t) => {
    const [stable, canary] = await Promise.all([
      startGrpcServer(t, echoing('stable')),
      startGrpcServer(t, echoing('canary')),
    ]);
    const { client } = await openShop(t, {
      stable: { servers: [stable.origin], http2: true },
      canary: { servers: [canary.origin], http2: true },
    });
    assert.equal((await client.unary('x')).toString(), 'canary:x');
    assert.deepEqual(await textsOf(client.download(1)), ['canary:0']);
  });

  test('a candidate that is down is answered by the baseline, the message unread until then', async (t) => {
    const [stable, canary] = await Promise.all([
      startGrpcServer(t, echoing('stable')),
      startGrpcServer(t, echoing('canary')),
    ]);
    const shop = await openShop(t, {
      stable: { servers: [stable.origin], http2: true },
      canary: { servers: [canary.origin], http2: true },
    });
    assert.equal((await shop.client.unary('a')).toString(), 'canary:a');
    canary.server.forceShutdown();
    await eventually('the baseline answers', async () => {
      const answer = await shop.client.unary('b').catch(() => null);
      return answer?.toString() === 'stable:b';
    });
    await eventually('the outcome', () => shop.outcomes.at(-1)?.fallback === 'connect');
  });

  test('a server that leaves gracefully loses no call', async (t) => {
    const { client, outcomes } = await startRestarting(t);
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        await new Promise((resolve) => setTimeout(resolve, i * 5));
        return client.unary(String(i)).then(
          (answer) => answer.toString(),
          (error: unknown) => String(error),
        );
      }),
    );
    assert.deepEqual(
      answers,
      answers.map((_, i) => `stable:${i}`),
    );
    await eventually('the outcomes', () => outcomes.length === 200);
    assert.deepEqual([...new Set(outcomes.map(({ faults }) => faults.length))], [0]);
  });
});

/** A server that ends every connection after a tenth of a second, as those behind balancers do to be found anew. */
async function startRestarting(context: TestContext): Promise<Shop> {
  const server = await startGrpcServer(context, echoing('stable'), undefined, {
    'grpc.max_connection_age_ms': 100,
    'grpc.max_connection_age_grace_ms': 5_000,
  });
  return openShop(context, { stable: { servers: [server.origin], http2: true } });
}
