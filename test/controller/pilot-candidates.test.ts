// A pilot whose split has several candidates: each is watched as one alone would be, and whoever fails ends it for all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Staging } from '../../src/rollout/staging.ts';
import { beta, canary, stable } from '../support/decisions.ts';
import { Cockpit, patientStaging, type Traffic } from './cockpit.ts';
import { openMemoryStore } from './faulty-store.ts';

const versions = [stable, canary, beta] as const;

/** `canary` and `beta` at 20 % each, or as `changes` say. */
function severalWith(changes: Partial<Staging> = {}, analysis: Partial<Staging['analysis']> = {}): Staging {
  const split = { canary: 20, beta: 20 };
  return patientStaging({ stages: [], candidates: ['canary', 'beta'], split, ...changes }, analysis);
}

async function fly(traffic: Traffic, seconds: number, staging = severalWith()): Promise<Cockpit> {
  const cockpit = new Cockpit(openMemoryStore());
  cockpit.traffic = traffic;
  await cockpit.start(staging, { versions });
  await cockpit.fly(seconds);
  return cockpit;
}

for (const [name, traffic] of [
  ['first', { perSecond: 200, canary: 0.3 }],
  ['second', { perSecond: 200, others: [0.3] }],
] as const) {
  test(`when the ${name} of two candidates fails every user is back at the baseline within seconds`, async () => {
    const cockpit = await fly(traffic, 10);
    assert.equal(cockpit.phase, 'rolled-back');
    assert.deepEqual(cockpit.split.percents, [100, 0, 0]);
    const entry = cockpit.announced.find(({ kind }) => kind === 'rollback');
    const failing = name === 'first' ? 'canary' : 'beta';
    assert.match(
      entry?.reason ?? '',
      new RegExp(`^canary and beta are rolled back from 20 % and 20 %: ${failing} fails .* of requests, stable 0 %`),
    );
    assert.deepEqual(
      entry?.measured?.verdicts.map(({ version, check, answer }) => [version, check, answer]),
      [
        ['canary', 'error-rate', name === 'first' ? 'fail' : 'not-enough-data'],
        ['beta', 'error-rate', name === 'second' ? 'fail' : 'not-enough-data'],
      ],
    );
    assert.equal(entry?.alert, 'rolled-back');
  });
}

test('two good candidates stay', async () => {
  const cockpit = await fly({ perSecond: 200, stable: 0.01, canary: 0.01, others: [0.01] }, 60);
  assert.equal(cockpit.phase, 'steady');
  assert.deepEqual(cockpit.split.percents, [60, 20, 20]);
});

test('a candidate that gets one user in two hundred is found too, and nobody waits for it', async () => {
  const staging = severalWith({ split: { canary: 20, beta: 0.5 } });
  const cockpit = await fly({ perSecond: 200, others: [1] }, 60, staging);
  assert.equal(cockpit.phase, 'rolled-back');
  const loud = await fly({ perSecond: 200, canary: 0.5 }, 3, staging);
  assert.equal(loud.phase, 'rolled-back', 'slices close although the other had no request in them');
});

test('when another candidate refuses every connection it is rolled back after `down`, by its name', async () => {
  const cockpit = await fly({ perSecond: 20 }, 1);
  cockpit.otherHealth = { kind: 'refused', sinceMs: cockpit.nowMs };
  await cockpit.fly(4);
  assert.equal(cockpit.phase, 'steady');
  await cockpit.fly(1.5);
  assert.equal(cockpit.phase, 'rolled-back');
  assert.match(cockpit.pilot.state?.reason ?? '', /: every server of beta has refused connections for 5 s$/);
  assert.deepEqual(cockpit.announced.at(-1)?.measured?.others?.[0]?.version, 'beta');
});

test('evidence of every candidate survives a restart', async () => {
  const cockpit = await fly({ perSecond: 200, others: [0.02] }, 5, severalWith({}, { alpha: 1e-9 }));
  const before = cockpit.pilot.view().measured?.verdicts;
  assert.equal(before?.length, 2);
  await cockpit.pilot.saveProgress(cockpit.nowMs);
  await cockpit.start(severalWith({}, { alpha: 1e-9 }), { versions });
  cockpit.traffic = { perSecond: 0 };
  await cockpit.fly(1);
  assert.deepEqual(cockpit.pilot.view().measured?.verdicts, before);
});

test('an edit that takes a candidate’s users away ends its checks, also its failing ones', async () => {
  const cockpit = await fly({ perSecond: 200, others: [0.3] }, 10, severalWith({}, { onFail: 'pause' }));
  assert.equal(cockpit.phase, 'paused');
  assert.match(cockpit.pilot.state?.reason ?? '', /^canary and beta are paused at 20 % and 20 %: beta fails /);
  const edited = severalWith({ split: { canary: 20 } }, { onFail: 'pause' });
  cockpit.pilot.follow({ ...cockpit.pilot.rollout, staging: edited, split: edited.split }, cockpit.nowMs);
  assert.equal((await cockpit.act('resume')).ok, true);
  await cockpit.fly(5);
  assert.equal(cockpit.phase, 'steady');
  assert.deepEqual(
    cockpit.pilot.view().measured?.verdicts.map(({ version }) => version),
    ['canary'],
  );
});
