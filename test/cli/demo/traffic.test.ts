import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { maxOpenCount, noVersion, startTraffic } from '../../../src/cli/demo/traffic.ts';

test('it sends the rate it was asked for, from the population it was asked for, and counts every request by version', async (t) => {
  const seen: IncomingMessage[] = [];
  const target = await serve(t, (request, response) => {
    seen.push(request);
    response.writeHead(seen.length % 4 === 0 ? 503 : 200, {
      'x-graygate-version': seen.length % 2 ? 'stable' : 'canary',
    });
    response.end('tea');
  });
  const startedAt = performance.now();
  const traffic = startTraffic({ target, requestsPerSecond: 100, userCount: 5 });
  t.after(() => traffic.stop());
  await until(() => seen.length >= 100);
  await traffic.stop();
  const seconds = (performance.now() - startedAt) / 1_000;
  assert.ok(seconds >= 0.99, `100 requests at 100 a second took ${seconds} s`);
  const users = new Set(seen.map((request) => request.headers['x-user-id']));
  assert.deepEqual(users, new Set(['u-1', 'u-2', 'u-3', 'u-4', 'u-5']));
  const tallies = traffic.tally.take();
  assert.deepEqual(
    tallies.map(({ version }) => version),
    ['canary', 'stable'],
  );
  assert.equal(tallies[0]!.requestCount + tallies[1]!.requestCount, seen.length);
  assert.equal(tallies[0]!.failureCount, Math.floor(seen.length / 4));
  assert.equal(tallies[1]!.failureCount, 0);
  assert.deepEqual(traffic.tally.take(), []);
});

test('while nothing is answered it holds back what is over the bound, and it can still be stopped', async (t) => {
  let openCount = 0;
  const target = await serve(t, () => (openCount += 1));
  const traffic = startTraffic({ target, requestsPerSecond: 1_000, userCount: 500 });
  t.after(() => traffic.stop());
  await until(() => traffic.heldBackCount > 200 && openCount >= maxOpenCount);
  assert.equal(openCount, maxOpenCount);
  await traffic.stop();
  assert.deepEqual(traffic.tally.take(), [
    { version: noVersion, requestCount: maxOpenCount, failureCount: maxOpenCount },
  ]);
});

test('an answer that is cut off counts as a failure of the version that began it', async (t) => {
  let cutCount = 0;
  const target = await serve(t, (_, response) => {
    response.writeHead(200, { 'x-graygate-version': 'canary', 'content-length': '100' });
    response.write('half', () => response.destroy());
    response.on('close', () => (cutCount += 1));
  });
  const traffic = startTraffic({ target, requestsPerSecond: 50, userCount: 1 });
  t.after(() => traffic.stop());
  await until(() => cutCount > 3);
  await traffic.stop();
  const [canary] = traffic.tally.take();
  assert.equal(canary?.version, 'canary');
  assert.ok(canary.requestCount > 0);
  assert.equal(canary.failureCount, canary.requestCount);
});

for (const target of ['http://shop.example.com', 'http://10.0.0.1:8080', 'https://127.0.0.1:8080']) {
  test(`it refuses to send anything to ${target}`, () => {
    assert.throws(() => startTraffic({ target, requestsPerSecond: 1, userCount: 1 }), RangeError);
  });
}

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer((request, response) => listener(request.resume(), response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}`;
}

async function until(isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!isTrue()) {
    assert.ok(performance.now() < deadline, 'expected it within a minute');
    await delay(10);
  }
}
