import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TlsFailure } from '../../src/rollout/tls-failure.ts';
import { createTlsLog, logInsecure } from '../../src/telemetry/tls-log.ts';
import { shopPolicy } from '../support/policies.ts';

type Line = readonly [fields: object, message: string];

function recorder() {
  const lines: Line[] = [];
  return { lines, warn: (fields: object, message: string): void => void lines.push([fields, message]) };
}

const failure: TlsFailure = {
  rollout: 'shop',
  version: 'canary',
  server: 'https://shop.test',
  address: '10.0.0.1',
  problem: 'certificate has expired',
};

test('a failure is said with all that is known of it', () => {
  const logger = recorder();
  createTlsLog(logger)(failure);
  assert.deepEqual(logger.lines, [[failure, 'a server cannot be asked: TLS with it fails']]);
});

test('the same failure is said once a minute, another one at once', () => {
  const logger = recorder();
  let nowMs = 0;
  const log = createTlsLog(logger, () => nowMs);
  log(failure);
  nowMs = 59_999;
  log(failure);
  assert.equal(logger.lines.length, 1);
  log({ ...failure, address: '10.0.0.2' });
  log({ ...failure, problem: 'self-signed certificate' });
  assert.equal(logger.lines.length, 3);
  nowMs = 120_000;
  log({ ...failure, problem: 'self-signed certificate' });
  assert.equal(logger.lines.length, 4);
});

test('versions whose servers are not verified are named', () => {
  const logger = recorder();
  const tls = { ca: null, cert: null, key: null, servername: null, insecure: true };
  const stable = { servers: ['https://a.test'], tls: { ...tls, insecure: false } };
  logInsecure(shopPolicy({ stable, canary: { servers: ['https://b.test'], tls } }), logger);
  assert.deepEqual(logger.lines, [
    [{ rollout: 'shop', version: 'canary' }, 'tls.insecure: the servers of this version are not verified'],
  ]);
});
