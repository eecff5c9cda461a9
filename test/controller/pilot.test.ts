// One rollout at work on a disk that fails: what goes forward is saved before it moves, what goes back moves before it is saved.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, suite, test } from 'node:test';
import { createGate } from '../support/eventually.ts';
import { Cockpit, patientStaging, quickStaging } from './cockpit.ts';
import { type KeptStore, openMemoryStore, openSqlitePilotStore } from './faulty-store.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function openSqlite(): Promise<KeptStore> {
  const directory = await mkdtemp(join(tmpdir(), 'graygate-pilot-'));
  cleanUps.push(() => rm(directory, { recursive: true, force: true }));
  const store = openSqlitePilotStore(directory);
  cleanUps.push(() => store.close());
  await store.remembered('shop');
  return store;
}

for (const [kind, open] of [
  ['in memory', async () => openMemoryStore()],
  ['of SQLite', openSqlite],
] as const) {
  suite(`with a store ${kind}`, () => {
    test('a staged rollout begins at nothing, and at its first stage once that is saved', async () => {
      const cockpit = new Cockpit(await open());
      const pilot = await cockpit.start(quickStaging());
      assert.equal(cockpit.percent, 0);
      await pilot.settled();
      assert.equal(cockpit.percent, 10);
      assert.deepEqual(cockpit.kinds, ['begin']);
      assert.equal((await cockpit.store.inner.saved('shop'))?.state.percent, 10);
    });

    test('a fixed split is in force at once, saved or not', async () => {
      const cockpit = new Cockpit(await open());
      cockpit.store.mode = 'full';
      await cockpit.start(quickStaging({ stages: [], split: { canary: 30 } }));
      assert.equal(cockpit.percent, 30);
    });

    test('it goes forward stage by stage to the end, and every change is in the audit log once', async () => {
      const cockpit = new Cockpit(await open());
      await cockpit.start(quickStaging());
      await cockpit.fly(6);
      assert.equal(cockpit.phase, 'promoted');
      assert.equal(cockpit.percent, 100);
      const audit = await cockpit.store.inner.audit('shop');
      assert.deepEqual(
        audit.map((entry) => entry.kind),
        ['begin', 'advance', 'advance', 'promote'],
      );
      assert.deepEqual(cockpit.kinds, ['begin', 'advance', 'advance', 'promote']);
      assert.equal(cockpit.alertCount, 1, 'only the change of phase');
    });

    test('a forward move whose save fails moves no traffic and is not announced; when the disk is well again it goes on', async () => {
      const cockpit = new Cockpit(await open());
      await cockpit.start(quickStaging());
      await cockpit.fly(0.5);
      // So many that slices are short, and there is something to judge ten times a second.
      cockpit.traffic = { perSecond: 2_000 };
      for (const mode of ['full', 'lying'] as const) {
        cockpit.store.mode = mode;
        await cockpit.fly(4);
        if (mode === 'full') assert.match(cockpit.pilot.view().holds ?? '', /the store cannot save/);
        assert.deepEqual([cockpit.percent, cockpit.phase, cockpit.kinds], [10, 'progressing', ['begin']]);
        assert.equal((await cockpit.store.inner.saved('shop'))?.state.percent, 10);
      }
      assert.ok(cockpit.saveFailures.length <= 5, `${cockpit.saveFailures.length} attempts in four seconds`);
      cockpit.store.mode = 'well';
      await cockpit.fly(2.5);
      assert.equal(cockpit.kinds[1], 'advance');
      assert.ok(cockpit.percent >= 50);
    });

    test('a store that is dead at the start: nobody is sent to the candidate until it can be saved', async () => {
      const cockpit = new Cockpit(await open());
      cockpit.store.mode = 'full';
      await cockpit.start(patientStaging());
      await cockpit.fly(3);
      assert.deepEqual([cockpit.percent, cockpit.pilot.state], [0, null]);
      assert.deepEqual(await cockpit.act('promote'), {
        ok: false,
        code: 'phase',
        reason: 'cannot promote: the rollout has not begun yet',
      });
      cockpit.store.mode = 'well';
      await cockpit.fly(1.5);
      assert.equal(cockpit.percent, 10);
    });

    test('a store that dies does not stop a rollback; its line is saved once the store is well, once', async () => {
      const cockpit = new Cockpit(await open());
      await cockpit.start(patientStaging());
      await cockpit.fly(1);
      cockpit.store.mode = 'full';
      cockpit.traffic = { perSecond: 200, canary: 0.9 };
      await cockpit.fly(5);
      assert.deepEqual([cockpit.phase, cockpit.percent, cockpit.split.rolledBack], ['rolled-back', 0, true]);
      assert.deepEqual(cockpit.kinds, ['begin', 'rollback']);
      assert.equal((await cockpit.store.inner.saved('shop'))?.state.percent, 10, 'nothing was saved');
      cockpit.store.mode = 'well';
      await cockpit.fly(3);
      const saved = await cockpit.store.inner.saved('shop');
      assert.deepEqual(saved?.state, cockpit.pilot.state);
      assert.deepEqual(saved?.state.unsaved, []);
      const audit = await cockpit.store.inner.audit('shop');
      assert.deepEqual(
        audit.map((entry) => entry.kind),
        ['begin', 'rollback'],
      );
    });

    test('a rollback is in force while a forward save hangs, and the plan that waited for it is void', async () => {
      const cockpit = new Cockpit(await open());
      await cockpit.start(patientStaging());
      await cockpit.fly(1);
      cockpit.store.mode = 'hanging';
      const promotion = cockpit.act('promote');
      await cockpit.fly(0.3, { settle: false });
      assert.equal(cockpit.percent, 10, 'nothing moves before it is saved');
      const rollback = await cockpit.act('rollback');
      assert.ok(rollback.ok && rollback.state.phase === 'rolled-back');
      assert.deepEqual([cockpit.percent, cockpit.split.rolledBack], [0, true]);
      cockpit.store.release();
      const answer = await promotion;
      assert.deepEqual(answer, {
        ok: false,
        code: 'stale',
        reason: 'overtaken: canary is rolled back from 10 %, by ops: because',
      });
      await cockpit.fly(2);
      assert.deepEqual([cockpit.percent, cockpit.phase], [0, 'rolled-back']);
      assert.equal((await cockpit.store.inner.saved('shop'))?.state.phase, 'rolled-back');
      assert.deepEqual(cockpit.kinds, ['begin', 'rollback']);
    });

    test('a save of which nobody knows whether it happened does not make every later one a conflict', async () => {
      const cockpit = new Cockpit(await open());
      await cockpit.start(patientStaging());
      await cockpit.fly(1);
      cockpit.store.mode = 'silent';
      const answer = await cockpit.act('advance');
      assert.ok(!answer.ok && answer.code === 'store');
      assert.equal(cockpit.percent, 10);
      assert.equal((await cockpit.store.inner.saved('shop'))?.state.percent, 50, 'it did happen');
      cockpit.store.mode = 'well';
      await cockpit.fly(3);
      const saved = await cockpit.store.inner.saved('shop');
      assert.deepEqual(saved?.state, cockpit.pilot.state, 'the store has what is in force again');
      const next = await cockpit.act('advance');
      assert.ok(next.ok && next.state.percent === 50);
    });

    test('a rollback that was saved without anybody knowing is in the audit log once', async () => {
      const cockpit = new Cockpit(await open());
      await cockpit.start(patientStaging());
      await cockpit.fly(1);
      cockpit.store.mode = 'silent';
      await cockpit.act('rollback');
      cockpit.store.mode = 'well';
      await cockpit.fly(3);
      const audit = await cockpit.store.inner.audit('shop');
      assert.deepEqual(
        audit.map((entry) => entry.kind),
        ['begin', 'rollback'],
      );
      assert.deepEqual((await cockpit.store.inner.saved('shop'))?.state, cockpit.pilot.state);
    });

    test('what another process saved is not written over', async () => {
      const cockpit = new Cockpit(await open());
      await cockpit.start(patientStaging());
      await cockpit.fly(1);
      const saved = await cockpit.store.inner.saved('shop');
      const state = { ...saved!.state, reason: 'somebody else' };
      await cockpit.store.inner.save({ rollout: 'shop', revision: saved!.revision, atMs: 1, state, entries: [] });
      assert.equal((await cockpit.act('advance')).ok, false);
      await cockpit.fly(3);
      assert.equal((await cockpit.act('advance')).ok, false);
      assert.equal((await cockpit.store.inner.saved('shop'))?.state.reason, 'somebody else');
      assert.equal(cockpit.percent, 10);
    });
  });
}

suite('an action', () => {
  test('resolves with the state that it made', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(patientStaging());
    await cockpit.fly(1);
    const result = await cockpit.act('advance', { by: 'alice', reason: 'looks good' });
    assert.ok(result.ok);
    assert.equal(result.state, cockpit.pilot.state);
    const { kind, by, note } = cockpit.announced.at(-1)!;
    assert.deepEqual([kind, by, note], ['advance', 'alice', 'looks good']);
  });

  test('that the phase, the evidence or a newer state forbids says so and changes nothing', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(patientStaging({}, { onFail: 'pause' }));
    await cockpit.fly(1);
    const { revision } = cockpit.pilot.state!;
    const codeOf = async (...args: Parameters<Cockpit['act']>): Promise<string> => {
      const before = cockpit.pilot.state;
      const result = await cockpit.act(...args);
      assert.equal(cockpit.pilot.state, before);
      return result.ok ? 'ok' : result.code;
    };
    assert.equal(await codeOf('approve'), 'phase');
    assert.equal(await codeOf('retry'), 'phase');
    assert.equal(await codeOf('promote', { revision: revision - 1 }), 'stale');
    cockpit.traffic = { perSecond: 200, canary: 0.9 };
    await cockpit.fly(5);
    assert.equal(cockpit.phase, 'paused');
    assert.equal(await codeOf('promote'), 'blocked');
  });

  test('that cannot be saved says so and changes nothing', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(patientStaging());
    await cockpit.fly(1);
    cockpit.store.mode = 'full';
    const result = await cockpit.act('advance');
    assert.deepEqual(result, {
      ok: false,
      code: 'store',
      reason: 'the store could not save it, so nothing was changed',
    });
    assert.equal(cockpit.percent, 10);
  });

  test('waits for what is being saved, and sees the state that this makes', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(patientStaging());
    await cockpit.fly(1);
    cockpit.store.mode = 'hanging';
    const [first, second, third] = [cockpit.act('advance'), cockpit.act('advance'), cockpit.act('approve')];
    cockpit.store.release();
    const results = await Promise.all([first, second, third]);
    assert.deepEqual(
      results.map((result) => (result.ok ? result.state.percent : result.code)),
      [50, 100, 'phase'],
    );
  });

  test('that is being saved is not overtaken by what an earlier failure left to be saved', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(patientStaging());
    await cockpit.fly(1);
    cockpit.store.mode = 'full';
    await cockpit.act('rollback');
    cockpit.store.mode = 'hanging';
    cockpit.nowMs += 5_000;
    const retry = cockpit.act('retry');
    await cockpit.fly(2, { settle: false });
    cockpit.store.release();
    const result = await retry;
    assert.ok(result.ok && result.state.percent === 10);
    await cockpit.fly(2);
    const audit = await cockpit.store.inner.audit('shop');
    assert.deepEqual(
      audit.map((entry) => entry.kind),
      ['begin', 'rollback', 'retry'],
    );
  });

  test('of going back is answered although its save hangs', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(patientStaging());
    await cockpit.fly(1);
    cockpit.store.mode = 'hanging';
    const result = await cockpit.act('rollback');
    assert.ok(result.ok && result.state.phase === 'rolled-back');
    cockpit.store.release();
    await cockpit.pilot.settled();
    assert.equal((await cockpit.store.inner.saved('shop'))?.state.phase, 'rolled-back');
  });
});

test('a listener that throws stops neither the rollout nor the process', async () => {
  const cockpit = new Cockpit();
  const thrown = createGate();
  cockpit.parts.announced = () => {
    thrown.open();
    throw new Error('a broken listener');
  };
  await cockpit.start(quickStaging());
  await thrown.opened;
  await cockpit.fly(6);
  assert.equal(cockpit.phase, 'promoted');
  assert.ok(cockpit.failures.length >= 4);
});
