// What reaches a pilot besides its store: edited policies, candidates that are down, outside sources, users of several splits.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { source, stageOf } from '../support/rollout-machine.ts';
import { decisionOf, outcomeOf } from '../telemetry/requests.ts';
import { Cockpit, patientStaging, quickStaging, rolloutWith } from './cockpit.ts';

suite('a policy that is loaded while it runs', () => {
  test('keeps the percent and goes on from the first stage that is not below it', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(patientStaging());
    await cockpit.fly(1);
    await cockpit.act('advance');
    const stages = [stageOf(20), stageOf(60), stageOf(100)];
    cockpit.pilot.follow(rolloutWith(patientStaging({ stages })), cockpit.nowMs);
    await cockpit.fly(1.5);
    assert.equal(cockpit.percent, 50);
    assert.equal(cockpit.pilot.state?.stay.name, 's60');
  });

  test('keeps the split and what was gathered when nothing of it changed', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(patientStaging());
    await cockpit.fly(30);
    const before = cockpit.pilot.view();
    cockpit.pilot.follow(rolloutWith(patientStaging()), cockpit.nowMs);
    const after = cockpit.pilot.view();
    assert.deepEqual(after.split, before.split);
    // But for the tenth of a second before the first stage began.
    assert.equal(
      after.stage.split.reduce((sum, { requests }) => sum + requests, 0),
      6_000 - 20,
    );
    assert.equal(after.state, before.state);
  });

  test('and is loaded while a forward move is being saved: the move comes, and the store has what is in force', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(quickStaging());
    await cockpit.fly(0.5);
    cockpit.store.mode = 'hanging';
    await cockpit.fly(1, { settle: false });
    cockpit.pilot.follow(rolloutWith(quickStaging()), cockpit.nowMs);
    assert.equal(cockpit.percent, 10);
    cockpit.store.release();
    await cockpit.fly(1);
    assert.ok(cockpit.percent >= 50);
    assert.deepEqual((await cockpit.store.inner.saved('shop'))?.state, cockpit.pilot.state);
  });

  test('of a new release begins at its first stage with a window and evidence of its own', async () => {
    const cockpit = new Cockpit();
    cockpit.traffic = { perSecond: 200, canary: 0.02 };
    await cockpit.start(patientStaging());
    await cockpit.fly(3);
    await cockpit.act('advance');
    const old = cockpit.pilot.rollout;
    cockpit.pilot.follow(rolloutWith(patientStaging({ release: 'r2' })), cockpit.nowMs);
    await cockpit.pilot.settled();
    assert.deepEqual([cockpit.percent, cockpit.pilot.state?.release], [10, 'r2']);
    assert.equal(cockpit.sourcesAnewCount, 2, 'outside sources begin anew with each release');
    for (let i = 0; i < 500; i += 1) cockpit.window.observe(outcomeOf(old, 1, { user: `late${i}`, status: 500 }));
    cockpit.traffic = { perSecond: 200 };
    await cockpit.fly(10);
    assert.equal(cockpit.phase, 'progressing', 'late failures of the old release are not the new one’s');
    assert.equal(cockpit.pilot.view().stage.split[1]?.failures, 0);
  });

  test('of a new release while the old one is rolled back and nothing can be saved: rules stay off, too', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(patientStaging());
    await cockpit.fly(1);
    await cockpit.act('rollback');
    cockpit.store.mode = 'full';
    cockpit.pilot.follow(rolloutWith(patientStaging({ release: 'r2' })), cockpit.nowMs);
    await cockpit.fly(2);
    assert.deepEqual([cockpit.split.rolledBack, cockpit.percent], [true, 0]);
    cockpit.store.mode = 'well';
    await cockpit.fly(2);
    assert.deepEqual([cockpit.split.rolledBack, cockpit.percent], [false, 10]);
  });

  test('with other versions lays the split out for them, and counts no outcome of the old ones', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(patientStaging());
    await cockpit.fly(1);
    const old = cockpit.pilot.rollout;
    const [stable, canary] = old.versions;
    const versions = [stable, { ...canary!, name: 'beta', index: 1 }, { ...canary!, index: 2 }] as const;
    const staging = patientStaging({ candidates: ['canary', 'beta'] });
    cockpit.pilot.follow(rolloutWith(staging, { versions }), cockpit.nowMs);
    assert.deepEqual(cockpit.split.percents, [90, 0, 10]);
    cockpit.window.observe(outcomeOf(old, 1, { status: 500 }));
    cockpit.nowMs += 100;
    cockpit.pilot.tick(cockpit.nowMs + 1_000);
    assert.deepEqual(
      cockpit.pilot.view().stage.split.map(({ requests }) => requests),
      [0, 0, 0],
    );
  });

  test('turns a fixed split at once', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(patientStaging({ stages: [], split: { canary: 30 } }));
    cockpit.pilot.follow(rolloutWith(patientStaging({ stages: [], split: { canary: 35 } })), cockpit.nowMs);
    assert.equal(cockpit.percent, 35);
  });
});

suite('a candidate', () => {
  test('whose every server refuses connections is rolled back after `down`, not before', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(patientStaging());
    await cockpit.fly(1);
    cockpit.health = { kind: 'refused', sinceMs: cockpit.nowMs };
    await cockpit.fly(4.9);
    assert.equal(cockpit.phase, 'progressing');
    await cockpit.fly(0.1);
    assert.equal(cockpit.phase, 'rolled-back', 'at the tenth of a second in which it is due');
    assert.match(cockpit.pilot.state!.reason, /every server of canary has refused connections for 5 s/);
  });

  test('that receives requests and completes none is rolled back after its timeout', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(patientStaging());
    await cockpit.fly(1);
    cockpit.health = { kind: 'stalled', sinceMs: cockpit.nowMs, timeoutMs: 2_000 };
    await cockpit.fly(2);
    assert.equal(cockpit.phase, 'rolled-back');
    assert.match(cockpit.pilot.state!.reason, /completed none for 2 s/);
  });
});

suite('outside sources', () => {
  const hook = {
    name: 'cpu',
    role: 'guard',
    metric: 'webhook',
    url: 'http://x',
    everyMs: 1,
    timeoutMs: 1,
    failures: 3,
  } as const;
  const staging = patientStaging({}, { checks: [hook], onFail: 'pause' });

  test('stop a rollout as the policy says, and begin anew when a person resumes it', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(staging);
    await cockpit.fly(1);
    cockpit.sources = [source('fail')];
    await cockpit.fly(1);
    assert.equal(cockpit.phase, 'paused');
    const before = cockpit.sourcesAnewCount;
    cockpit.sources = [];
    await cockpit.fly(1);
    assert.ok((await cockpit.act('resume')).ok);
    assert.equal(cockpit.sourcesAnewCount, before + 1);
    await cockpit.fly(2);
    assert.equal(cockpit.phase, 'progressing');
  });

  test('are not asked to begin anew by a stage', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(staging);
    await cockpit.fly(1);
    const before = cockpit.sourcesAnewCount;
    assert.ok((await cockpit.act('advance')).ok);
    assert.equal(cockpit.sourcesAnewCount, before);
  });

  test('are told in the order of the policy, and of no check that it does not name', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(staging);
    cockpit.sources = [source('pass', { check: 'old' }), source('pass')];
    await cockpit.fly(1);
    assert.deepEqual(
      cockpit.pilot.view().measured?.verdicts.map(({ check }) => check),
      ['cpu'],
    );
  });
});

suite('users', () => {
  test('count for the split that they were assigned by, also those between a tick and a change of the split', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(patientStaging());
    await cockpit.fly(10);
    for (const percent of [50, 100]) {
      // Between the last tick and the change: still by the split before.
      cockpit.send(5_000);
      const result = await cockpit.act('advance');
      assert.ok(result.ok && result.state.percent === percent);
    }
    await cockpit.fly(1.1);
    const { sampleRatio } = cockpit.pilot.view().measured!;
    assert.equal(sampleRatio.answer, 'ok');
    // But for a few who share a bit with somebody before them, and the tenth of a second before the first stage began.
    assert.ok(Math.abs(sampleRatio.users - (1_980 + 10_000 + 220)) < 20, `${sampleRatio.users} users`);
    const expected = 198 + 500 + 2_500 + 220;
    assert.ok(Math.abs(sampleRatio.expectedCandidateUsers - expected) < 10, `${sampleRatio.expectedCandidateUsers}`);
  });

  test('who are counted again after the versions changed are no further evidence', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(patientStaging());
    await cockpit.pilot.settled();
    const [stable, canary] = cockpit.pilot.rollout.versions;
    const two = rolloutWith(patientStaging(), { versions: [stable, canary!] });
    const three = rolloutWith(patientStaging(), {
      versions: [stable, canary!, { ...canary!, name: 'beta', index: 2 }],
    });
    for (let round = 0; round < 60; round += 1) {
      // More than the split says, as it may happen by luck once.
      const rollout = round % 2 === 0 ? three : two;
      cockpit.pilot.follow(rollout, cockpit.nowMs);
      for (let i = 0; i < 1_000; i += 1)
        cockpit.window.assigned(decisionOf(rollout, i < 128 ? 1 : 0, { user: `u${i}` }));
    }
    await cockpit.fly(1);
    assert.equal(cockpit.pilot.view().measured?.sampleRatio.answer, 'ok');
  });

  test('who are sent by a rolled-back split count for nobody', async () => {
    const cockpit = new Cockpit();
    await cockpit.start(patientStaging());
    await cockpit.fly(5);
    await cockpit.act('rollback');
    await cockpit.fly(5);
    assert.equal(cockpit.pilot.view().measured?.sampleRatio.answer, 'ok');
  });
});

test('a whole second of figures comes once a second, and nothing when nothing came', async () => {
  const cockpit = new Cockpit();
  await cockpit.start(patientStaging());
  const seconds: (number | null)[] = [];
  for (let tick = 0; tick <= 30; tick += 1) {
    cockpit.nowMs += 100;
    if (tick < 21) cockpit.send(10);
    const figures = cockpit.pilot.tick(cockpit.nowMs);
    if (figures !== null || tick % 10 === 0)
      seconds.push(figures?.reduce((sum, each) => sum + each.splitCount, 0) ?? null);
    await cockpit.pilot.settled();
  }
  assert.deepEqual(seconds, [10, 100, 100, null]);
});

test('a clock that is set back stops nothing', async () => {
  const cockpit = new Cockpit();
  await cockpit.start(quickStaging());
  await cockpit.fly(0.5);
  cockpit.nowMs -= 3_600_000;
  cockpit.traffic = { perSecond: 200, canary: 0.9 };
  await cockpit.fly(3);
  assert.equal(cockpit.phase, 'rolled-back');
});
