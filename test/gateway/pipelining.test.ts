// Several requests on one connection, sent without waiting: each is decided by itself, and none suffers for another.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGate, eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateways.ts';
import { shopPolicy } from '../support/policies.ts';
import { RawClient } from '../support/raw-client.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';
import { sumOf } from '../support/metric-samples.ts';

const get = (path: string, headers = ''): string => `GET ${path} HTTP/1.1\r\nHost: shop.test\r\n${headers}\r\n`;

test('pipelined requests are decided one by one and answered in order', async (context) => {
  const slow = createGate();
  const stable = await startRecordingUpstream(context, (request, response) => {
    void slow.opened.then(() => response.end(`stable ${request.url}`));
  });
  const canary = await startRecordingUpstream(
    context,
    (request, response) => void response.end(`canary ${request.url}`),
  );
  const isCanary = { kind: 'any-of' as const, values: new Set(['yes']) };
  const policy = shopPolicy({ stable: stable.origin, canary: canary.origin });
  const [shop] = policy.rollouts;
  const rules = [
    {
      name: 'ask',
      when: [{ on: 'header' as const, name: 'x-canary', matches: isCanary }],
      then: { kind: 'use' as const, version: shop!.versions[1]! },
    },
  ];
  const { port, outcomes } = await startGateway(context, { ...policy, rollouts: [{ ...shop!, rules, split: {} }] });
  const client = new RawClient(port);
  client.send(
    get('/1', 'x-user-id: u\r\n') +
      get('/2', 'x-canary: yes\r\n') +
      get('/3', 'x-user-id: u\r\n') +
      get('/4', 'x-canary: yes\r\n'),
  );
  await eventually('the quick ones have been asked', () => canary.requests.length === 2);
  slow.open();
  const replies = await client.untilReplies(4);
  assert.deepEqual(
    replies.map((reply) => reply.body),
    ['stable /1', 'canary /2', 'stable /3', 'canary /4'],
  );
  await eventually('the outcomes', () => outcomes.length >= 4);
  assert.deepEqual(outcomes.map(({ target, reason }) => `${target} ${reason}`).toSorted(), [
    '/1 split',
    '/2 rule',
    '/3 split',
    '/4 rule',
  ]);
  client.socket.destroy();
});

test('what is wrong with a later request is answered after the earlier ones', async (context) => {
  const slow = createGate();
  const upstream = await startRecordingUpstream(context, (_request, response) => {
    void slow.opened.then(() => response.end('whole'));
  });
  const { port, outcomes, malformed } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const client = new RawClient(port);
  client.send(`${get('/1') + get('/2')}GET /3 HTTP/1.1\r\nHost: a\r\nContent-Length: nonsense\r\n\r\n`);
  await eventually('the malformed one was seen', () => malformed.length === 1);
  slow.open();
  await client.untilEnded();
  assert.deepEqual(
    client.replies().map((reply) => reply.status),
    [200, 200, 400],
  );
  await eventually('the outcomes', () => outcomes.length >= 2);
  assert.deepEqual(
    outcomes.map(({ ending }) => ending),
    ['complete', 'complete'],
  );
});

test('garbage after a request that closes the connection does not harm its answer', async (context) => {
  const slow = createGate();
  const upstream = await startRecordingUpstream(context, (_request, response) => {
    void slow.opened.then(() => response.end('whole'));
  });
  const { port, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const client = new RawClient(port);
  client.send(`${get('/1', 'Connection: close\r\n')}\r\n\r\nnonsense`);
  await eventually('the request was asked', () => upstream.requests.length === 1);
  slow.open();
  await client.untilEnded();
  assert.deepEqual(client.replies().map(({ status, body }) => [status, body])[0], [200, 'whole']);
  await eventually('the outcomes', () => outcomes.length >= 1);
  assert.equal(outcomes[0]!.ending, 'complete');
});

for (const [what, bytes] of [
  ['an upgrade', get('/ws', 'Connection: Upgrade\r\nUpgrade: websocket\r\n')],
  ['a CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'],
] as const) {
  test(`${what} behind a request that is not answered yet closes the connection`, async (context) => {
    const upstream = await startRecordingUpstream(context, () => undefined);
    const { port, outcomes, malformed, metrics } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
    const client = new RawClient(port);
    client.send(get('/slow'));
    await eventually('the first is under way', () => upstream.requests.length === 1);
    client.send(bytes);
    await client.untilEnded();
    assert.equal(client.received, '');
    await eventually('the first has ended', () => outcomes.length === 1);
    assert.deepEqual(
      outcomes.map(({ status, ending }) => [status, ending]),
      [[499, 'client-left']],
    );
    assert.deepEqual(malformed, [400]);
    assert.equal(await sumOf(metrics, 'graygate_requests_in_flight'), 0);
  });
}

test('a client that leaves ends every request that it had pipelined', async (context) => {
  const upstream = await startRecordingUpstream(context, () => undefined);
  const { port, outcomes, metrics } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const client = new RawClient(port);
  client.send(get('/1') + get('/2') + get('/3'));
  await eventually('all are under way', () => upstream.requests.length === 3);
  assert.equal(await sumOf(metrics, 'graygate_requests_in_flight'), 3);
  client.socket.resetAndDestroy();
  await eventually('all have ended', () => outcomes.length === 3);
  assert.deepEqual(
    outcomes.map(({ ending, status }) => `${ending} ${status}`),
    Array(3).fill('client-left 499'),
  );
  assert.equal(await sumOf(metrics, 'graygate_requests_in_flight'), 0);
  await eventually('the servers are told', () => upstream.requests.every(({ aborted }) => aborted));
});
