// Every request leaves exactly one outcome and is counted exactly once, whatever happens to it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateways.ts';
import { send } from '../support/http-client.ts';
import { sumOf } from '../support/metric-samples.ts';
import { shopPolicy } from '../support/policies.ts';
import { RawClient } from '../support/raw-client.ts';
import { startRecordingUpstream, type RecordingAnswer } from '../support/recording-upstream.ts';

/** Behaves as the path says. */
const behave: RecordingAnswer = (request, response) => {
  const status = Number(request.url!.split('/')[2] ?? 200);
  if (request.url!.startsWith('/cut')) response.write('some', () => request.socket.destroy());
  else if (request.url!.startsWith('/die')) request.socket.destroy();
  else if (request.url!.startsWith('/hang')) response.flushHeaders();
  else if (!request.url!.startsWith('/never')) request.on('end', () => response.writeHead(status).end('whole'));
  request.resume();
};

test('after exactly N requests of every kind the metrics say N, by version and code', async (context) => {
  const stable = await startRecordingUpstream(context, behave);
  const canary = await startRecordingUpstream(context, behave);
  const rollout = { split: { canary: 40 }, fallback: 'none' as const };
  const policy = shopPolicy({ stable: stable.origin, canary: canary.origin, rollout });
  const { port, outcomes, metrics } = await startGateway(context, policy);
  const paths = ['/ok/200', '/ok/404', '/ok/500', '/cut', '/die', '/never', '/hang', '/ok/201'];
  const total = 400;
  const expected = new Map<string, number>();
  const one = async (index: number): Promise<void> => {
    const path = paths[index % paths.length]!;
    const isPost = index % 3 === 0;
    const headers = ['x-user-id', `u-${index}`];
    if (path === '/never' || path === '/hang') return leaveEarly(path, headers.join(': '));
    await send({ port, path, headers, ...(isPost ? { method: 'POST', body: 'x' } : {}) }).catch(() => undefined);
  };
  const leaveEarly = async (path: string, header: string): Promise<void> => {
    const client = new RawClient(port);
    client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n${header}\r\n\r\n`);
    if (path === '/hang') await client.untilText('\r\n\r\n');
    else
      await eventually('it is asked', () =>
        [...stable.requests, ...canary.requests].some(
          (r) => r.url === '/never' && header.endsWith(r.header('x-user-id')!),
        ),
      );
    client.socket.resetAndDestroy();
  };
  for (let start = 0; start < total; start += 20) {
    await Promise.all(Array.from({ length: 20 }, async (_, offset) => one(start + offset)));
  }
  await eventually('all outcomes', () => outcomes.length >= total);
  await eventually('nothing is under way', async () => (await sumOf(metrics, 'graygate_requests_in_flight')) === 0);
  assert.equal(outcomes.length, total);
  assert.equal(new Set(outcomes).size, total);
  for (const { status, method, version } of outcomes) {
    const key = `${version!.name} ${status} ${method}`;
    expected.set(key, (expected.get(key) ?? 0) + 1);
  }
  for (const [key, count] of expected) {
    const [version, code, method] = key.split(' ') as [string, string, string];
    assert.equal(await sumOf(metrics, 'graygate_requests_total', { version, code, method }), count, key);
  }
  assert.equal(await sumOf(metrics, 'graygate_requests_total'), total);
  assert.equal(await sumOf(metrics, 'graygate_decisions_total'), total);
  assert.equal(await sumOf(metrics, 'graygate_request_duration_seconds_count'), total);
  const byStatus = (status: number): number => outcomes.filter((outcome) => outcome.status === status).length;
  assert.deepEqual([404, 500, 201, 502, 499].map(byStatus), [50, 50, 50, 50, 50]);
  assert.equal(byStatus(200), 150);
});

test('a gauge of requests under way goes up with them and back to 0', async (context) => {
  const upstream = await startRecordingUpstream(context, behave);
  const { port, metrics, outcomes } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  const clients = Array.from({ length: 5 }, () => new RawClient(port));
  for (const client of clients) client.send('GET /never HTTP/1.1\r\nHost: a\r\n\r\n');
  await eventually(
    'five',
    async () => (await sumOf(metrics, 'graygate_requests_in_flight', { version: 'stable' })) === 5,
  );
  for (const client of clients) client.socket.destroy();
  await eventually('none', async () => (await sumOf(metrics, 'graygate_requests_in_flight')) === 0);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    Array(5).fill(499),
  );
});
