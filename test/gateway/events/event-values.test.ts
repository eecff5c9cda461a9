// What an event is worth: read from headers, the query and small JSON answers, or the reason why it cannot be.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { ValueSource } from '../../../src/rollout/experiment.ts';
import { eventOf } from '../../support/experiments.ts';
import type { TestContext } from '../../support/gateways.ts';
import type { Sending } from '../../support/http-client.ts';
import { sumOf } from '../../support/metric-samples.ts';
import type { RecordingAnswer } from '../../support/recording-upstream.ts';
import { eventsOf, openShop } from './shop.ts';

const jsonPurchase = eventOf('purchase', { value: { kind: 'json', path: ['order', 'total'] } });

function answering(body: string | Buffer, headers: Record<string, string>, status = 200): RecordingAnswer {
  return (request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(status, headers).end(body));
  };
}

/** A document of so many bytes. */
function padded(bytes: number): string {
  return `{"order":{"total":7},"pad":"${'x'.repeat(bytes - 30)}"}`;
}

/** The value of the one event that a request was, or why there is none. */
async function valuesOf(
  context: TestContext,
  value: ValueSource,
  {
    answer = 'thanks',
    sending = {},
    path = '/',
  }: { answer?: RecordingAnswer | string; sending?: Partial<Sending>; path?: string },
) {
  const shop = await openShop(context, { events: [eventOf('purchase', { value })] }, answer);
  await shop.ask(path, sending);
  await eventsOf(shop, 1);
  await shop.gateway.close(1_000);
  const reasons = await Promise.all(
    ['absent', 'not-a-number', 'not-json', 'unknown-coding', 'too-large', 'busy'].map(async (reason) =>
      (await sumOf(shop.metrics, 'graygate_events_unread_total', { reason })) > 0 ? [reason] : [],
    ),
  );
  return [...shop.events.map((event) => event.value), ...reasons.flat()];
}

suite('the value of an event', () => {
  test("is the answer's header, or else the request's", async (context) => {
    const value = { kind: 'header', name: 'x-amount' } as const;
    const sending = { headers: ['x-user-id', 'u-1', 'X-Amount', '5'] };
    const answer = answering('ok', { 'X-Amount': ' 59.90 ' });
    assert.deepEqual(await valuesOf(context, value, { answer, sending }), [59.9]);
    assert.deepEqual(await valuesOf(context, value, { sending }), [5]);
    assert.deepEqual(await valuesOf(context, value, {}), ['absent']);
  });

  test('is in the query, percent-decoded', async (context) => {
    const value = { kind: 'query', name: 'amount' } as const;
    assert.deepEqual(await valuesOf(context, value, { path: '/?x=1&amount=1%32.5' }), [12.5]);
    assert.deepEqual(await valuesOf(context, value, { path: '/?amount=-1' }), ['not-a-number']);
  });

  const document = JSON.stringify({ order: { total: '12.50', items: [{ price: 3 }] } });
  const json = { 'content-type': 'application/json; charset=utf-8' };
  const packedBy = (coding: string) => ({ ...json, 'content-encoding': coding });
  const atTotal = { kind: 'json', path: ['order', 'total'] } as const;
  const cases: readonly [what: string, path: readonly string[], answer: RecordingAnswer, outcome: unknown][] = [
    ['text that is a number', atTotal.path, answering(document, json), 12.5],
    ['a number in a list', ['order', 'items', '0', 'price'], answering(document, json), 3],
    ['nowhere', ['order', 'sum'], answering(document, json), 'absent'],
    ['an object', ['order'], answering(document, json), 'not-a-number'],
    ['a property that every object inherits', ['constructor', 'length'], answering(document, json), 'absent'],
    ['broken JSON', atTotal.path, answering('{"order":', json), 'not-json'],
    ['no JSON by its type', atTotal.path, answering(document, { 'content-type': 'text/html' }), 'not-json'],
    ['JSON of a kind', atTotal.path, answering(document, { 'content-type': 'application/vnd.api+json' }), 12.5],
    ['packed by gzip', atTotal.path, answering(gzipSync(document), packedBy('gzip')), 12.5],
    ['packed by deflate', atTotal.path, answering(deflateSync(document), packedBy('deflate')), 12.5],
    ['packed by Brotli', atTotal.path, answering(brotliCompressSync(document), packedBy('br')), 12.5],
    ['packed by zstd', atTotal.path, answering(zstdCompressSync(document), packedBy('zstd')), 12.5],
    ['said to be packed and is not', atTotal.path, answering(document, packedBy('gzip')), 'not-json'],
    ['packed twice', atTotal.path, answering(gzipSync(gzipSync(document)), packedBy('gzip, gzip')), 'unknown-coding'],
    ['packed by something else', atTotal.path, answering(document, packedBy('compress')), 'unknown-coding'],
    ['a bomb', atTotal.path, answering(gzipSync(padded(20_000_000)), packedBy('gzip')), 'too-large'],
    ['just small enough', atTotal.path, answering(padded(65_536), json), 7],
    [
      'announced as too long',
      atTotal.path,
      answering(padded(65_600), { ...json, 'content-length': '65600' }),
      'too-large',
    ],
    [
      'too long in chunks',
      atTotal.path,
      answering(padded(65_600), { ...json, 'transfer-encoding': 'chunked' }),
      'too-large',
    ],
  ];
  for (const [what, path, answer, outcome] of cases) {
    test(`in a JSON answer that is ${what} is ${String(outcome)}`, async (context) => {
      assert.deepEqual(await valuesOf(context, { kind: 'json', path }, { answer }), [outcome]);
    });
  }

  test('is read from every answer of many at once, and what waits is read before the gateway is closed', async (context) => {
    const shop = await openShop(context, { events: [jsonPurchase] }, answering(document, json));
    await Promise.all(Array.from({ length: 200 }, (_, i) => shop.ask('/', { headers: ['x-user-id', `u-${i}`] })));
    await shop.gateway.close(1_000);
    assert.equal(new Set(shop.events.map(({ user }) => user)).size, 200);
  });
});
