// A gateway that is killed and started again on the same store: same phase, stage and percent, and the evidence goes on.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { Staging } from '../../src/rollout/staging.ts';
import { skewedRatio } from '../support/rollout-machine.ts';
import { outcomeOf } from '../telemetry/requests.ts';
import { Cockpit, patientStaging, quickStaging } from './cockpit.ts';
import { openMemoryStore, openSqlitePilotStore } from './faulty-store.ts';

/** The next process: nothing is left of this one but the store. */
async function restart(before: Cockpit, staging: Staging, { afterMs = 60_000 } = {}): Promise<Cockpit> {
  const next = new Cockpit(before.store.inner, 77);
  next.nowMs = before.nowMs + afterMs;
  next.traffic = before.traffic;
  await next.start(staging);
  return next;
}

function placeOf({ pilot }: Cockpit): object {
  const { phase, percent, stay, release } = pilot.state!;
  return { phase, percent, release, stage: stay.stage, name: stay.name, sinceMs: stay.sinceMs };
}

for (const prepare of [
  { phase: 'progressing', async by() {} },
  { phase: 'paused', by: async (cockpit: Cockpit) => void (await cockpit.act('pause')) },
  { phase: 'promoted', by: async (cockpit: Cockpit) => void (await cockpit.act('promote')) },
  { phase: 'rolled-back', by: async (cockpit: Cockpit) => void (await cockpit.act('rollback')) },
]) {
  test(`a restart while ${prepare.phase} changes neither phase, stage, percent nor split`, async () => {
    const cockpit = new Cockpit();
    await cockpit.start(patientStaging());
    await cockpit.fly(1);
    await cockpit.act('advance');
    await prepare.by(cockpit);
    assert.equal(cockpit.phase, prepare.phase);
    const next = await restart(cockpit, patientStaging());
    assert.deepEqual(next.split, cockpit.split, 'at once');
    await next.fly(1.5);
    assert.deepEqual(placeOf(next), placeOf(cockpit));
    assert.deepEqual(next.split, cockpit.split);
  });
}

test('a restart keeps the revision, so that whoever saw the state before may still act on it', async () => {
  const cockpit = new Cockpit();
  await cockpit.start(patientStaging());
  await cockpit.fly(1);
  await cockpit.act('advance');
  const { revision, reason } = cockpit.pilot.state!;
  let next = cockpit;
  for (let count = 0; count < 3; count += 1) {
    next = await restart(next, patientStaging());
    await next.fly(1.5);
    next.pilot.follow(next.pilot.rollout, next.nowMs);
    await next.fly(0.5);
    assert.deepEqual([next.pilot.state!.revision, next.pilot.state!.reason], [revision, reason]);
  }
  assert.deepEqual((await next.store.inner.remembered('shop'))!.state, next.pilot.state);
  const acted = await next.pilot.act({ action: 'rollback', by: 'a link', reason: 'x', nowMs: next.nowMs, revision });
  assert.equal(acted.ok, true);
});

test('the same with the real store, closed in between', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'graygate-restart-'));
  const cockpit = new Cockpit(openSqlitePilotStore(directory));
  await cockpit.store.inner.remembered('shop');
  await cockpit.start(patientStaging());
  await cockpit.fly(20);
  await cockpit.act('advance');
  await cockpit.fly(20);
  await cockpit.pilot.saveProgress(cockpit.nowMs);
  await cockpit.store.inner.close();
  const next = new Cockpit(openSqlitePilotStore(directory), 2);
  next.nowMs = cockpit.nowMs + 5_000;
  await next.start(patientStaging());
  assert.deepEqual(placeOf(next), placeOf(cockpit));
  await next.fly(0.1);
  const [before, after] = [cockpit.pilot.view().measured!, next.pilot.view().measured!];
  assert.equal(after.sampleRatio.users, before.sampleRatio.users + 20);
  assert.ok(after.figures.candidate.requests >= before.figures.candidate.requests);
  await next.pilot.settled();
  await next.store.inner.close();
  await rm(directory, { recursive: true, force: true });
});

suite('the evidence', () => {
  test('of guards and stage goes on where it was saved', async () => {
    const cockpit = new Cockpit();
    cockpit.traffic = { perSecond: 200, stable: 0.01, canary: 0.01 };
    await cockpit.start(patientStaging());
    await cockpit.fly(30);
    await cockpit.pilot.saveProgress(cockpit.nowMs);
    const before = cockpit.pilot.view();
    const next = await restart(cockpit, patientStaging());
    next.traffic = { perSecond: 0 };
    await next.fly(0.1);
    const after = next.pilot.view();
    assert.deepEqual(after.measured?.verdicts, before.measured?.verdicts);
    assert.deepEqual(after.stage, before.stage);
    assert.deepEqual(after.measured?.sampleRatio, before.measured?.sampleRatio);
  });

  test('of an earlier stage proves nothing for the one that was saved after it', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(patientStaging());
    await cockpit.fly(30);
    await cockpit.pilot.saveProgress(cockpit.nowMs);
    const earlier = (await cockpit.store.inner.remembered('shop'))!.progress!;
    await cockpit.act('advance');
    // The crash came before anything of the new stage was kept.
    await cockpit.store.inner.saveProgress('shop', earlier);
    const next = await restart(cockpit, patientStaging());
    next.traffic = { perSecond: 0 };
    await next.fly(0.1);
    const { measured, stage } = next.pilot.view();
    assert.deepEqual(
      stage.split.map(({ requests }) => requests),
      [0, 0],
    );
    for (const { evidence } of measured!.verdicts) assert.ok(evidence.kind !== 'source' && evidence.logProof === 0);
    assert.ok(measured!.sampleRatio.users > 0, 'what holds for the whole release is kept');
  });

  test('that began anew with a stage is kept at once', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(patientStaging());
    await cockpit.fly(10);
    await cockpit.act('advance');
    const { progress, state } = (await cockpit.store.inner.remembered('shop'))!;
    assert.equal(progress?.stayedSinceMs, state.stay.sinceMs);
  });

  test('that users fall otherwise than the split says still freezes after a restart', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(quickStaging({}, { advance: 'time' }));
    await cockpit.pilot.settled();
    for (let i = 0; i < 2_000; i += 1) {
      const { rollout } = cockpit.pilot;
      cockpit.window.assigned({ rollout, version: rollout.versions[0], bucket: 1, user: `x${i}`, rule: null });
    }
    await cockpit.fly(3);
    assert.ok(cockpit.kinds.includes('freeze'));
    await cockpit.pilot.saveProgress(cockpit.nowMs);
    const next = await restart(cockpit, quickStaging({}, { advance: 'time' }));
    await next.fly(5);
    assert.deepEqual([next.percent, next.kinds.filter((kind) => kind !== 'restore')], [10, []]);
    assert.equal(next.pilot.view().measured?.sampleRatio.answer, skewedRatio.answer);
  });

  test('who failed before the restart does not fail again as somebody new', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(patientStaging());
    await cockpit.fly(1);
    cockpit.window.observe(outcomeOf(cockpit.pilot.rollout, 0, { user: 'bad', status: 500 }));
    await cockpit.fly(2);
    await cockpit.pilot.saveProgress(cockpit.nowMs);
    const next = await restart(cockpit, patientStaging());
    assert.deepEqual(next.window.riskSet(), ['bad']);
  });
});

test('the time in which nobody watched is not held', async () => {
  const staging = quickStaging({ stages: quickStaging().stages.map((stage) => ({ ...stage, holdMs: 20_000 })) });
  const cockpit = new Cockpit();
  await cockpit.start(staging);
  await cockpit.fly(15);
  await cockpit.pilot.saveProgress(cockpit.nowMs);
  const next = await restart(cockpit, staging, { afterMs: 3_600_000 });
  await next.fly(4);
  assert.equal(next.percent, 10);
  await next.fly(3);
  assert.equal(next.percent, 50);
});

test('a new release that cannot be saved sends nobody anywhere new after a restart', async () => {
  const cockpit = new Cockpit(openMemoryStore());
  await cockpit.start(patientStaging());
  await cockpit.fly(1);
  await cockpit.act('rollback');
  const next = new Cockpit(cockpit.store.inner);
  next.store.mode = 'lying';
  next.nowMs = cockpit.nowMs + 1_000;
  await next.start(patientStaging({ release: 'r2' }));
  await next.fly(3);
  assert.deepEqual([next.percent, next.split.rolledBack], [0, true]);
  next.store.mode = 'well';
  await next.fly(3);
  assert.deepEqual([next.percent, next.pilot.state?.release], [10, 'r2']);
});
