// Who counts as exposed to which version: by the split, once a day, and nobody else.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ExposureNotes } from '../../../src/gateway/events/exposure-notes.ts';
import { SeenToday } from '../../../src/gateway/events/seen-today.ts';
import { compileRollout } from '../../../src/rollout/compiled-rollout.ts';
import { decide } from '../../../src/rollout/decide.ts';
import type { Exposure } from '../../../src/rollout/experiment.ts';
import type { Rollout } from '../../../src/rollout/policy.ts';
import { layOutSplit } from '../../../src/rollout/split.ts';
import { anyOf, buildFacts, buildRollout, buildRule } from '../../support/decisions.ts';
import { experimentOn } from '../../support/experiments.ts';
import { startGateway } from '../../support/gateways.ts';
import { send } from '../../support/http-client.ts';
import { shopPolicy } from '../../support/policies.ts';
import { startRecordingUpstream } from '../../support/recording-upstream.ts';
import { openWebSocket, startEchoServer } from '../../support/websockets.ts';

const experiment = experimentOn('purchase', { timeZone: 'Asia/Shanghai' });
const hourMs = 3_600_000;

/** Notes of a rollout with a clock that the test turns. */
function notesOf(changes: Partial<Rollout> = {}) {
  const rollout = buildRollout({ experiment, ...changes });
  const compiled = compileRollout(rollout);
  const cell = { current: layOutSplit(rollout.versions, rollout.split) };
  const exposures: Exposure[] = [];
  const clock = { nowMs: Date.UTC(2026, 10, 22, 12) };
  const notes = new ExposureNotes(rollout, experiment, {
    cell,
    seen: new SeenToday(),
    nowMs: () => clock.nowMs,
    exposed: (exposure) => exposures.push(exposure),
  });
  const request = (user: string, headers: Record<string, string> = {}): void => {
    const facts = buildFacts({ headers: { ...(user === '' ? {} : { 'x-user-id': user }), ...headers } });
    notes.note(decide(compiled, cell.current, facts), facts);
  };
  return { exposures, clock, cell, rollout, request };
}

suite('a user whom the split sent to a version', () => {
  test('is said with all that the comparison needs', () => {
    const { request, exposures, clock } = notesOf();
    request('u-1');
    const [{ bucket, version, ...rest }] = exposures as [Exposure];
    assert.equal(version, bucket < 1_000 ? 'canary' : 'stable');
    assert.deepEqual(rest, { rollout: 'shop', release: 'r1', user: 'u-1', percents: [90, 10], atMs: clock.nowMs });
  });

  test('is said once a day, and the day ends at midnight of the time zone', () => {
    const { request, exposures, clock } = notesOf();
    for (let i = 0; i < 5; i += 1) request('u-1');
    clock.nowMs += 3.9 * hourMs;
    request('u-1');
    assert.equal(exposures.length, 1);
    clock.nowMs += 0.2 * hourMs;
    request('u-1');
    request('u-1');
    assert.equal(exposures.length, 2);
  });

  test('is said again by another split, because the one before may have exposed nobody', () => {
    const { request, exposures, cell, rollout } = notesOf();
    cell.current = layOutSplit(rollout.versions, {});
    request('u-2');
    cell.current = layOutSplit(rollout.versions, { canary: 0.01 });
    request('u-2');
    cell.current = layOutSplit(rollout.versions, { canary: 0.01 });
    request('u-2');
    assert.deepEqual(
      exposures.map(({ version, percents }) => [version, percents]),
      [
        ['stable', [100, 0]],
        ['stable', [99.99, 0.01]],
      ],
    );
  });

  test('is said again with another version, and by the percents of that moment', () => {
    const { request, exposures, cell, rollout } = notesOf();
    request('u-1');
    cell.current = layOutSplit(rollout.versions, { canary: exposures[0]!.version === 'stable' ? 100 : 0 });
    request('u-1');
    assert.equal(new Set(exposures.map(({ version }) => version)).size, 2);
    assert.deepEqual(exposures[1]?.percents, cell.current.percents);
  });
});

suite('nobody is exposed', () => {
  test('by a rule, by its split, by a rollback, or while standing aside', () => {
    const byRule = notesOf({ rules: [buildRule('testers', [{ on: 'user', matches: anyOf('u-1') }])] });
    const ruleSplit = { kind: 'split', split: { canary: 50 } } as const;
    const bySplitOfRule = notesOf({ rules: [buildRule('half', [{ on: 'user', matches: anyOf('u-1') }], ruleSplit)] });
    const heldOut = notesOf({ holdout: { salt: 'h', percent: 100 } });
    const elsewhere = notesOf({ layer: { name: 'l', salt: 'l', fromPercent: 0, toPercent: 0 } });
    const rolledBack = notesOf();
    rolledBack.cell.current = layOutSplit(rolledBack.rollout.versions, {}, true);
    for (const { request, exposures } of [byRule, bySplitOfRule, heldOut, elsewhere, rolledBack]) {
      request('u-1');
      assert.deepEqual(exposures, []);
    }
  });

  test('by a request that is excluded, and is by the next one that is not', () => {
    const { request, exposures } = notesOf({ exclude: [[{ on: 'header', name: 'x-probe', matches: anyOf('1') }]] });
    request('u-1', { 'x-probe': '1' });
    assert.deepEqual(exposures, []);
    request('u-1');
    assert.equal(exposures.length, 1);
  });
});

test('requests and users who get their ID only now are noted, and a reload repeats nobody', async (context) => {
  const upstream = await startRecordingUpstream(context, 'hello');
  const policy = shopPolicy({
    stable: upstream.origin,
    canary: upstream.origin,
    rollout: { experiment, split: { canary: 50 } },
  });
  const { port, exposures, gateway } = await startGateway(context, policy);
  const ask = (...headers: string[]) => send({ port, headers });
  await ask('x-user-id', 'u-1');
  await ask('x-user-id', 'u-1');
  await ask();
  assert.deepEqual(
    exposures.map(({ user }) => user === 'u-1' || /^[0-9a-f]{32}$/.test(user)),
    [true, true],
  );
  gateway.adopt({ ...policy });
  await ask('x-user-id', 'u-1');
  assert.equal(exposures.length, 2);
});

test('whoever opens a WebSocket is noted', async (context) => {
  const echo = await startEchoServer(context, 'echo');
  const policy = shopPolicy({ stable: echo.origin, canary: echo.origin, rollout: { experiment } });
  const { port, exposures } = await startGateway(context, policy);
  await openWebSocket(context, `ws://127.0.0.1:${port}`, { headers: { 'x-user-id': 'u-2' } });
  assert.deepEqual(
    exposures.map(({ user }) => user),
    ['u-2'],
  );
});

test('a rollout without an experiment notes nobody', async (context) => {
  const upstream = await startRecordingUpstream(context, 'hello');
  const { port, exposures } = await startGateway(context, shopPolicy({ stable: upstream.origin }));
  await send({ port, headers: ['x-user-id', 'u-1'] });
  assert.deepEqual(exposures, []);
});
