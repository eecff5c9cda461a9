// Copies of requests to a candidate: who gets them, what they carry, what is made of the answers, and that no user waits for them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Mirror } from '../../../src/rollout/mirror.ts';
import { eventually } from '../../support/eventually.ts';
import { startGateway, type TestContext } from '../../support/gateways.ts';
import { headersOf, send } from '../../support/http-client.ts';
import { sumOf } from '../../support/metric-samples.ts';
import { shopPolicy, versionOf } from '../../support/policies.ts';
import { answerWhole, type RecordingAnswer, startRecordingUpstream } from '../../support/recording-upstream.ts';

type Shop = {
  readonly stable?: RecordingAnswer;
  readonly canary?: RecordingAnswer;
  readonly mirror?: Partial<Mirror>;
  readonly responseMs?: number;
};

const diff = { status: true, headers: ['content-type'], json: { ignore: [['time']] } } as const;

/** A gateway whose baseline answers everyone, and which copies everything to the candidate. */
async function startShop(context: TestContext, { stable, canary, mirror = {}, responseMs = 30_000 }: Shop) {
  const timeouts = { connectMs: 30_000, responseMs, idleMs: 5_000 };
  const old = await startRecordingUpstream(context, stable ?? answerWhole('stable'));
  const fresh = await startRecordingUpstream(context, canary ?? answerWhole('canary'));
  const to = versionOf('canary', 1, { servers: [fresh.origin], timeouts });
  const whole: Mirror = { to, percent: 100, maxRequests: 10, bodyBytes: 10_000, diff: null, ...mirror };
  const policy = shopPolicy({
    stable: old.origin,
    canary: { servers: [fresh.origin], timeouts },
    rollout: { split: { canary: 0 }, mirror: whole },
  });
  const running = await startGateway(context, policy);
  const counted = (name: string, labels: Record<string, string> = {}) => sumOf(running.metrics, name, labels);
  return { ...running, stable: old, canary: fresh, counted };
}

function answerJson(value: unknown, headers: readonly string[] = []): RecordingAnswer {
  return (request, response) =>
    request.on('end', () => {
      response.writeHead(200, ['content-type', 'application/json', ...headers]);
      response.end(JSON.stringify(value));
    });
}

test('a copy goes to the candidate with all that the original says, marked as a copy, and the user gets the old answer', async (context) => {
  const { port, stable, canary } = await startShop(context, {});
  const headers = headersOf('X-User-Id: u1', 'X-Request-Id: r-1', 'Cookie: a=b');
  assert.equal((await send({ port, path: '/item?a=%20b', headers })).body, 'stable');
  const copy = await eventually('the copy', () => canary.requests[0]);
  assert.deepEqual([copy.method, copy.url], ['GET', '/item?a=%20b']);
  assert.equal(copy.header('x-graygate-mirror'), '1');
  assert.equal(copy.header('x-request-id'), 'r-1');
  assert.equal(copy.header('cookie'), 'a=b');
  assert.equal(copy.header('x-graygate-version'), 'canary');
  assert.equal(stable.requests[0]!.header('x-graygate-mirror'), undefined);
});

test('only safe requests that another version answers are copied', async (context) => {
  const { port, canary } = await startShop(context, {});
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) await send({ port, method, body: 'x' });
  await send({ port, method: 'OPTIONS' });
  await send({ port, method: 'HEAD' });
  await eventually('two copies', () => canary.requests.length >= 2);
  assert.deepEqual(canary.requests.map(({ method }) => method).toSorted(), ['HEAD', 'OPTIONS']);
});

test('a client cannot say that it is a copy', async (context) => {
  const { port, stable } = await startShop(context, {});
  await send({ port, headers: headersOf('X-Graygate-Mirror: 1') });
  assert.equal(stable.requests[0]!.header('x-graygate-mirror'), undefined);
});

test('a body is copied up to the limit, and a longer one is not copied at all', async (context) => {
  const { port, canary, counted } = await startShop(context, { mirror: { bodyBytes: 100 } });
  await send({ port, body: 'x'.repeat(100) });
  const copy = await eventually('the copy', () => canary.requests[0]);
  await eventually('its body', () => copy.body.length === 100);
  await send({ port, body: 'x'.repeat(101) });
  await eventually(
    'the skip',
    async () => (await counted('graygate_mirror_skipped_total', { reason: 'body-too-long' })) === 1,
  );
  assert.equal(canary.requests.length, 1);
});

test('copies to a candidate that does not answer slow nobody, and beyond so many at a time there are none', async (context) => {
  const { port, counted } = await startShop(context, { canary: () => undefined, mirror: { maxRequests: 2 } });
  for (let i = 0; i < 5; i += 1) assert.equal((await send({ port })).body, 'stable');
  await eventually(
    'three skips',
    async () => (await counted('graygate_mirror_skipped_total', { reason: 'busy' })) === 3,
  );
});

test('a candidate that does not answer in time, or is dead, is counted apart', async (context) => {
  const { port, canary, counted, metrics } = await startShop(context, { canary: () => undefined, responseMs: 300 });
  assert.equal((await send({ port })).body, 'stable');
  await eventually(
    'a time-out',
    async () => (await counted('graygate_mirror_requests_total', { code: 'timeout' })) === 1,
  );
  await canary.kill();
  assert.equal((await send({ port })).body, 'stable');
  await eventually(
    'a refusal',
    async () => (await counted('graygate_mirror_requests_total', { code: 'connect' })) === 1,
  );
  assert.equal(await sumOf(metrics, 'graygate_upstream_errors_total'), 0);
  assert.equal(await sumOf(metrics, 'graygate_requests_total', { version: 'canary' }), 0);
});

test('about so many percent of the requests are copied', async (context) => {
  const { port, counted } = await startShop(context, { mirror: { percent: 50, maxRequests: 1_000 } });
  for (let i = 0; i < 200; i += 1) await send({ port });
  // Fewer than 60 or more than 140 of 200 fair coins: one run in a hundred million.
  const copied = await eventually('copies', async () => {
    const count = await counted('graygate_mirror_requests_total');
    return count >= 60 ? count : null;
  });
  assert.ok(copied <= 140, `${copied} copies`);
});

test('answers that differ are counted by kind and kept with the request ID; the same ones are not', async (context) => {
  const { port, counted, metrics } = await startShop(context, {
    stable: answerJson({ price: 1, time: 1 }),
    canary: answerJson({ price: 2, time: 2 }),
    mirror: { diff },
  });
  await send({ port, path: '/item?id=1', headers: headersOf('X-Request-Id: r-7') });
  await eventually('a difference', async () => (await counted('graygate_mirror_diffs_total', { kind: 'json' })) === 1);
  const [pair] = metrics.mirror.recent('shop');
  assert.deepEqual(
    [pair!.requestId, pair!.method, pair!.target, pair!.differences],
    ['r-7', 'GET', '/item?id=1', [{ kind: 'json', place: '$.price', user: '1', copy: '2' }]],
  );
  assert.equal(await counted('graygate_mirror_diffs_total'), 1);
});

test('answers are compared once they are unpacked, whatever the order of their keys', async (context) => {
  const { port, counted, metrics } = await startShop(context, {
    stable: answerJson({ a: 1, b: [1] }),
    canary: (request, response) =>
      request.on('end', () => {
        response.writeHead(200, ['content-type', 'application/json', 'content-encoding', 'gzip']);
        response.end(gzipSync(JSON.stringify({ b: [1], a: request.url === '/other' ? 2 : 1 })));
      }),
    mirror: { diff },
  });
  await send({ port });
  await eventually('the copy', async () => (await counted('graygate_mirror_requests_total', { code: '200' })) === 1);
  // A difference after it shows that the first pair had been compared.
  await send({ port, path: '/other' });
  await eventually('a difference', () => metrics.mirror.recent('shop').length > 0);
  assert.deepEqual(
    metrics.mirror.recent('shop').map(({ target, differences }) => [target, differences.map(({ place }) => place)]),
    [['/other', ['$.a']]],
  );
});

test('a status and a header that differ are found', async (context) => {
  const { port, counted } = await startShop(context, {
    canary: (request, response) =>
      request.on('end', () => {
        response.writeHead(500, ['content-type', 'text/html']);
        response.end('broken');
      }),
    mirror: { diff },
  });
  assert.equal((await send({ port })).status, 200);
  await eventually('both kinds', async () => {
    const [status, header] = [
      await counted('graygate_mirror_diffs_total', { kind: 'status' }),
      await counted('graygate_mirror_diffs_total', { kind: 'header' }),
    ];
    return status === 1 && header === 1;
  });
});

test('an answer without an end is not held on to', async (context) => {
  const { port, canary, counted } = await startShop(context, {
    canary: (_request, response) => {
      response.writeHead(200, ['content-type', 'text/event-stream']);
      response.write('data: 1\n\n');
    },
  });
  await send({ port });
  await eventually('the answer', async () => (await counted('graygate_mirror_requests_total', { code: '200' })) === 1);
  await eventually('the end of the copy', () => canary.requests[0]!.aborted);
});

test('the baseline that answers with an error of its own is compared too', async (context) => {
  const { port, stable, counted } = await startShop(context, { mirror: { diff } });
  await stable.kill();
  assert.equal((await send({ port })).status, 502);
  await eventually(
    'a difference',
    async () => (await counted('graygate_mirror_diffs_total', { kind: 'status' })) === 1,
  );
});
