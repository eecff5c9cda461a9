// A part of the store over a link that the test plays: when it is ill, when it is probed, when it is well again.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { createHealthRecord } from '../../src/store/health-record.ts';
import { createStorePart } from '../../src/store/store-part.ts';
import type { WorkerAnswer } from '../../src/store/worker-link.ts';

type Verbs = { read: () => string };

const done: WorkerAnswer = { kind: 'done', output: 'read' };
const full: WorkerAnswer = { kind: 'refused', failure: { code: 'store-unavailable', message: 'the disk is full' } };
const stale: WorkerAnswer = { kind: 'refused', failure: { code: 'store-conflict', message: 'stale' } };
const mistake: WorkerAnswer = { kind: 'refused', failure: { code: 'internal', message: 'a mistake' } };

/** A part whose link gives these answers; what is not listed is well. */
function partWith(answers: { probes?: WorkerAnswer[]; calls?: WorkerAnswer[] }) {
  const clock = { nowMs: 0 };
  const seen = { probeCount: 0, healedCount: 0, changes: [] as (string | null)[] };
  const health = createHealthRecord({
    firstReason: 'being opened',
    nowMs: () => clock.nowMs,
    onChange: () => seen.changes.push(health.current().reason),
  });
  const link = {
    start: () => {},
    ask: async ({ verb }: { verb: string }) => {
      if (verb !== 'probe') return answers.calls?.shift() ?? done;
      seen.probeCount += 1;
      return answers.probes?.shift() ?? done;
    },
  };
  const part = createStorePart<Verbs>({
    name: 'decisions',
    link,
    health,
    backOff: { firstMs: 100, maxMs: 400 },
    onHealed: () => {
      seen.healedCount += 1;
    },
  });
  return { part, health, seen, clock };
}

/** Lets time pass in steps, and what was due come to its end. */
async function pass(ms: number): Promise<void> {
  mock.timers.tick(ms);
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

function withTimers(body: () => Promise<void>) {
  return async (): Promise<void> => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      await body();
    } finally {
      mock.timers.reset();
    }
  };
}

test(
  'an ill part is probed at growing intervals up to the longest, until it is well',
  withTimers(async () => {
    const { part, health, seen, clock } = partWith({ probes: [done, full, full, full, full, done], calls: [full] });
    await part.opened;
    await assert.rejects(part.call('read'), { code: 'store-unavailable', message: 'the disk is full' });
    const probesAfter: number[] = [];
    for (const ms of [99, 1, 199, 1, 399, 1, 399, 1, 399, 1, 10_000]) {
      clock.nowMs += ms;
      await pass(ms);
      probesAfter.push(seen.probeCount);
    }
    assert.deepEqual(probesAfter, [1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]);
    assert.deepEqual(health.current(), { ok: true, reason: null, sinceMs: 1_500 });
    assert.deepEqual(seen.changes, [null, 'the disk is full', null]);
    assert.equal(seen.healedCount, 2);
  }),
);

for (const [wellForMs, nextProbeAfterMs] of [
  [400, 200],
  [401, 100],
] as const) {
  test(
    `a part that was well for ${wellForMs} ms is probed ${nextProbeAfterMs} ms after it failed again`,
    withTimers(async () => {
      const { part, seen, clock } = partWith({ calls: [full, full] });
      await part.opened;
      await assert.rejects(part.call('read'));
      await pass(100);
      assert.equal(seen.probeCount, 2);
      clock.nowMs += wellForMs;
      await assert.rejects(part.call('read'));
      await pass(nextProbeAfterMs - 1);
      assert.equal(seen.probeCount, 2);
      await pass(1);
      assert.equal(seen.probeCount, 3);
    }),
  );
}

test(
  'a read that succeeds does not make an ill part well, for a full disk can be read',
  withTimers(async () => {
    const { part, health } = partWith({ calls: [full] });
    await part.opened;
    await assert.rejects(part.call('read'));
    assert.equal(await part.call('read'), 'read');
    assert.equal(health.current().ok, false);
  }),
);

test(
  'a stale writer and a mistake of the caller are told, and are no illness',
  withTimers(async () => {
    const { part, health } = partWith({ calls: [stale, mistake] });
    await part.opened;
    await assert.rejects(part.call('read'), { code: 'store-conflict' });
    await assert.rejects(part.call('read'), { code: 'internal' });
    assert.equal(health.current().ok, true);
  }),
);

test(
  'a part that could not be opened for whatever reason is ill and probed again',
  withTimers(async () => {
    const { part, health, seen } = partWith({ probes: [mistake] });
    await part.opened;
    assert.deepEqual(health.current(), { ok: false, reason: 'a mistake', sinceMs: 0 });
    await pass(100);
    assert.equal(health.current().ok, true);
    assert.equal(seen.healedCount, 1);
  }),
);

test(
  'a stopped part is not probed any more, neither when it was ill nor when it fails later',
  withTimers(async () => {
    for (const calls of [[full], [done, full]]) {
      const { part, seen } = partWith({ calls });
      await part.opened;
      await part.call('read').catch(() => {});
      part.stop();
      await part.call('read').catch(() => {});
      await pass(10_000);
      assert.equal(seen.probeCount, 1);
    }
  }),
);
