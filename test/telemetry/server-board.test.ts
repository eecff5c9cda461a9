// What the gateway says of servers, as it is kept, counted and shown.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerReport } from '../../src/rollout/server-report.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { ServerBoard } from '../../src/telemetry/server-board.ts';
import { createServerLog } from '../../src/telemetry/server-log.ts';
import { parseSamples } from '../support/metric-samples.ts';
import { shopPolicy } from '../support/policies.ts';

const a = 'http://10.0.0.1:3000';
const named = 'http://shop.test:3000';
const policy = shopPolicy({ stable: a, canary: named });

function report(changes: Partial<ServerReport>): ServerReport {
  return { rollout: 'shop', version: 'stable', server: a, address: null, state: 'up', reason: null, ...changes };
}

function boardWith(...reports: Partial<ServerReport>[]): ServerBoard {
  const board = new ServerBoard();
  board.policyLoaded(policy);
  for (const each of reports) board.changed(report(each));
  return board;
}

test('the last word about a server counts, and one that is gone is forgotten', () => {
  const board = boardWith({}, { state: 'down' });
  assert.deepEqual(board.addresses('shop', 'stable', a), [{ address: null, state: 'down' }]);
  board.changed(report({ state: 'gone' }));
  assert.deepEqual(board.addresses('shop', 'stable', a), []);
});

test('each address of a name stands for itself', () => {
  const canary = { version: 'canary', server: named };
  const board = boardWith(
    { ...canary, state: 'unresolved', reason: 'ENOTFOUND' },
    { ...canary, address: '10.0.0.8' },
    { ...canary, address: '10.0.0.9', state: 'ejected' },
    { ...canary, state: 'resolved' },
  );
  assert.deepEqual(board.addresses('shop', 'canary', named), [
    { address: '10.0.0.8', state: 'up' },
    { address: '10.0.0.9', state: 'ejected' },
  ]);
});

test('what the policy in force does not name is not shown', () => {
  const board = boardWith({}, { server: 'http://10.9.9.9:1', state: 'ejected' });
  assert.equal(board.standings().length, 1);
  board.policyLoaded(shopPolicy({ stable: 'http://10.9.9.9:1' }));
  assert.deepEqual(
    board.standings().map(({ server }) => server),
    ['http://10.9.9.9:1'],
  );
});

test('a baseline of which no server is up is a trouble, a candidate is not', () => {
  assert.deepEqual(boardWith({}).troubles(), []);
  assert.deepEqual(boardWith({ state: 'slow' }).troubles(), []);
  assert.deepEqual(boardWith({}, { version: 'canary', server: named, state: 'unresolved' }).troubles(), []);
  for (const state of ['down', 'ejected', 'unresolved'] as const) {
    assert.deepEqual(boardWith({ state }).troubles(), ['shop: no server of the baseline stable is up']);
  }
});

test('a name that could not be looked up again is a trouble until it can', () => {
  const canary = { version: 'canary', server: named };
  const board = boardWith({}, { ...canary, address: '10.0.0.8' }, { ...canary, state: 'stale', reason: 'ETIMEOUT' });
  assert.deepEqual(board.troubles(), [
    'shop: http://shop.test:3000 of canary could not be looked up (ETIMEOUT); its last addresses stay in use',
  ]);
  board.changed(report({ ...canary, state: 'resolved' }));
  assert.deepEqual(board.troubles(), []);
});

test('metrics say who is up, and count ejections', async () => {
  const metrics = new Metrics(
    { splitOf: () => ({ percents: [100, 0] }) as never, standings: () => [], isStoreWell: () => true },
    'test',
  );
  metrics.policyLoaded(policy, 0, false);
  const canary = { version: 'canary', server: named, address: '10.0.0.8' };
  for (const state of ['up', 'ejected', 'up', 'ejected', 'down', 'ejected'] as const)
    metrics.servers.changed(report({ state }));
  metrics.servers.changed(report({ ...canary, state: 'slow' }));
  const samples = parseSamples((await metrics.render('')).text).filter(({ name }) =>
    name.startsWith('graygate_server'),
  );
  const labels = { rollout: 'shop', version: 'stable', server: a };
  assert.deepEqual(samples, [
    { name: 'graygate_server_up', labels, value: 0 },
    { name: 'graygate_server_up', labels: { rollout: 'shop', ...canary }, value: 1 },
    { name: 'graygate_server_ejections_total', labels, value: 2 },
  ]);
});

test('the log says when a server goes out and comes back, not that all is as it should be', () => {
  const lines: string[] = [];
  const note = (level: string) => (fields: object, message: string) =>
    lines.push(`${level} ${(fields as ServerReport).state}: ${message}`);
  const log = createServerLog({ info: note('info'), warn: note('warn') });
  for (const state of ['up', 'ejected', 'slow', 'up', 'down', 'gone'] as const) log(report({ state }));
  assert.deepEqual(lines, [
    'warn ejected: a server is left alone for a while',
    'info slow: a server is well again',
    'warn down: a server fails its health checks',
  ]);
});
