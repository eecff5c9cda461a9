// The access log: a line a request with everything about it, and nothing at all when nobody wants it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAccessLog, type AccessLogger } from '../../src/telemetry/access-log.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateways.ts';
import { send } from '../support/http-client.ts';
import { rolloutOf, shopPolicy } from '../support/policies.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';
import { outcomeOf } from './requests.ts';

const shop = rolloutOf({
  versions: { stable: { servers: ['http://127.0.0.1:1'] }, canary: { servers: ['http://127.0.0.1:2'] } },
});

type Line = { level: string; message: string; fields: Record<string, unknown> };

function recordingLogger(level: 'debug' | 'info'): AccessLogger & { lines: Line[] } {
  const lines: Line[] = [];
  const write =
    (name: string) =>
    (fields: object, message: string): void =>
      void lines.push({ level: name, message, fields: { ...fields } });
  return {
    lines,
    isLevelEnabled: (asked) => asked === level || asked === 'info',
    info: write('info'),
    debug: write('debug'),
  };
}

test('there is no function to call when neither the policy nor the level asks for it', () => {
  assert.equal(createAccessLog(recordingLogger('info'), false), null);
});

test('the policy turns it on at level info, the level debug turns it on by itself', () => {
  for (const [level, isOn, expected] of [
    ['info', true, 'info'],
    ['debug', true, 'info'],
    ['debug', false, 'debug'],
  ] as const) {
    const logger = recordingLogger(level);
    createAccessLog(logger, isOn)!(outcomeOf(shop, 0));
    assert.deepEqual(
      logger.lines.map((line) => [line.level, line.message]),
      [[expected, 'request']],
    );
  }
});

test('a line says where the request went and why, in text that people read', () => {
  const logger = recordingLogger('info');
  const [stable, canary] = shop.versions;
  const user = Buffer.from('张三').toString('latin1');
  const fault = { version: canary!, server: 'http://127.0.0.1:2', kind: 'reset' as const };
  createAccessLog(logger, true)!(
    outcomeOf(shop, 1, {
      version: stable,
      user,
      target: '/caf\xc3\xa9',
      rule: 'testers',
      faults: [fault],
      retries: ['reset'],
      fallback: 'reset',
      durationMs: 1.23456,
    }),
  );
  assert.deepEqual(logger.lines[0]!.fields, {
    requestId: 'r',
    method: 'GET',
    target: '/café',
    ip: '192.0.2.1',
    rollout: 'shop',
    version: 'stable',
    reason: 'split',
    rule: 'testers',
    bucket: 17,
    user: '张三',
    upstream: 'http://127.0.0.1:2',
    status: 200,
    ending: 'complete',
    durationMs: 1.235,
    requestBytes: 0,
    responseBytes: 0,
    faults: [{ version: 'canary', server: 'http://127.0.0.1:2', kind: 'reset' }],
    retries: ['reset'],
    fallback: 'reset',
  });
});

test('a request through the gateway leaves one line with its figures', async (context) => {
  const upstream = await startRecordingUpstream(context, 'eleven char');
  const logger = recordingLogger('info');
  const log = createAccessLog(logger, true)!;
  const { port } = await startGateway(context, shopPolicy({ stable: upstream.origin }), { finished: log });
  const headers = ['x-user-id', 'u-1', 'x-request-id', 'req-1'];
  await send({ port, method: 'POST', path: '/a?b', headers, body: 'four' });
  await eventually('the line', () => logger.lines.length === 1);
  const { durationMs, bucket, ...fields } = logger.lines[0]!.fields as { durationMs: number; bucket: number };
  assert.ok(durationMs > 0 && durationMs < 15_000);
  assert.ok(bucket >= 0 && bucket < 10_000);
  assert.deepEqual(fields, {
    requestId: 'req-1',
    method: 'POST',
    target: '/a?b',
    ip: '127.0.0.1',
    rollout: 'shop',
    version: 'stable',
    reason: 'split',
    user: 'u-1',
    upstream: upstream.origin,
    status: 200,
    ending: 'complete',
    requestBytes: 4,
    responseBytes: 11,
  });
});
