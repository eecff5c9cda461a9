// Who looks on at a request: asked once each, told all that the user gets, in order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnswerTap, Onlooker, WatchedRequest } from '../../src/gateway/answer-tap.ts';
import { tapFor } from '../../src/gateway/answer-taps.ts';
import { createGate, eventually } from '../support/eventually.ts';
import { eventOf } from '../support/experiments.ts';
import { eventsOf, openShop } from './events/shop.ts';

const watched = { requestId: 'r-1', rawHeaders: [] } as unknown as WatchedRequest;

function onlooker(name: string, seen: string[], wants = true): Onlooker {
  const tap: AnswerTap = {
    sent: (chunk) => void seen.push(`${name} sent ${chunk.toString()}`),
    head: (status, rawHeaders) => void seen.push(`${name} head ${status} ${rawHeaders.join(':')}`),
    data: (chunk) => void seen.push(`${name} data ${chunk.toString()}`),
    end: (isWhole) => void seen.push(`${name} end ${isWhole}`),
  };
  return {
    needsClaims: false,
    watch({ requestId }) {
      seen.push(`${name} asked of ${requestId}`);
      return wants ? tap : null;
    },
  };
}

function play(tap: AnswerTap): void {
  tap.sent(Buffer.from('up'));
  tap.head(200, ['a', 'b']);
  tap.data(Buffer.from('down'));
  tap.end(true);
}

test('every onlooker that wants to is told everything, in the order in which they stand', () => {
  const seen: string[] = [];
  const tap = tapFor([onlooker('one', seen), onlooker('none', seen, false), onlooker('two', seen)], watched);
  play(tap!);
  assert.deepEqual(seen, [
    ...['one', 'none', 'two'].map((name) => `${name} asked of r-1`),
    ...['sent up', 'head 200 a:b', 'data down', 'end true'].flatMap((what) => [`one ${what}`, `two ${what}`]),
  ]);
});

test('one onlooker is told directly, and where nobody wants to look there is nothing to tell', () => {
  const seen: string[] = [];
  play(tapFor([onlooker('one', seen)], watched)!);
  assert.deepEqual(seen.slice(1), ['one sent up', 'one head 200 a:b', 'one data down', 'one end true']);
  assert.equal(tapFor([onlooker('none', seen, false)], watched), null);
  assert.equal(tapFor([], watched), null);
});

test('what an onlooker keeps of an answer stays as it was, whatever other answers bring', async (context) => {
  const gate = createGate();
  const document = `{"pad":"${'y'.repeat(30_000)}","order":{"total":7}}`;
  const purchase = eventOf('purchase', { value: { kind: 'json', path: ['order', 'total'] } });
  const shop = await openShop(context, { events: [purchase] }, (request, response) => {
    if (request.url === '/order') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(document.slice(0, 25_000));
      void gate.opened.then(() => response.end(document.slice(25_000)));
    } else response.end(Buffer.alloc(60_000, 'x'));
  });
  const ordered = shop.ask('/order');
  await eventually('the order is under way', async () => (await shop.ask('/other')) === 200);
  await Promise.all(Array.from({ length: 20 }, () => shop.ask('/other')));
  gate.open();
  assert.equal(await ordered, 200);
  await eventsOf(shop, 22);
  assert.deepEqual(
    shop.events.map(({ value }) => value),
    [7],
  );
});
