// Whole releases in simulated time, seeded: the real window, ledger, machine and pilot, with traffic that follows the split.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Check, Staging } from '../../src/rollout/staging.ts';
import { defaultAnalysis } from '../../src/rollout/staging.ts';
import { stageOf, stagingOf } from '../support/rollout-machine.ts';
import { outcomeOf } from '../telemetry/requests.ts';
import { Cockpit, patientStaging, type Traffic } from './cockpit.ts';

/** 5, 50 and 100 %, a minute each at least, with the default checks. */
function fullStaging(): Staging {
  const stages = [5, 50, 100].map((percent) => stageOf(percent, { holdMs: 60_000, minRequests: 100 }));
  return stagingOf({ stages, bake: null }, { checks: defaultAnalysis.checks });
}

async function take(staging: Staging, traffic: Traffic, seed = 1): Promise<Cockpit> {
  const cockpit = new Cockpit(undefined, seed);
  cockpit.traffic = traffic;
  await cockpit.start(staging);
  return cockpit;
}

test('a healthy release goes to everyone on evidence, through every stage and in order', async () => {
  const cockpit = await take(fullStaging(), { perSecond: 1_000, stable: 0.01, canary: 0.01 });
  await cockpit.fly(600);
  assert.equal(cockpit.phase, 'promoted', cockpit.pilot.view().holds ?? '');
  assert.deepEqual(
    cockpit.announced.map(({ to }) => to.percent),
    [5, 50, 100, 100],
  );
  for (const { reason, kind } of cockpit.announced.slice(1))
    assert.match(reason, /every guard passes|nothing is wrong/, kind);
  assert.deepEqual([cockpit.failures, cockpit.saveFailures], [[], []]);
});

suite('a bad release is rolled back', () => {
  test('within two seconds when it fails half of all requests, before ten users saw it', async () => {
    const cockpit = await take(fullStaging(), { perSecond: 200, stable: 0.001, canary: 0.001 });
    await cockpit.fly(20);
    const before = cockpit.pilot.view().stage.split[1]!.failures;
    cockpit.traffic = { perSecond: 200, stable: 0.001, canary: 0.5 };
    await cockpit.fly(3);
    assert.equal(cockpit.phase, 'rolled-back');
    const { atMs, reason, measured } = cockpit.announced.at(-1)!;
    assert.ok(atMs - (cockpit.nowMs - 3_000) <= 2_000, `after ${atMs - (cockpit.nowMs - 3_000)} ms`);
    assert.ok(measured!.figures.candidate.failures - before <= 10);
    assert.match(reason, /canary fails .* % of requests, stable .* %/);
  });

  test('when it fails 5 % of requests, on evidence and not on a stage that ends', async () => {
    const cockpit = await take(fullStaging(), { perSecond: 200, stable: 0.001, canary: 0.05 });
    await cockpit.fly(60);
    assert.equal(cockpit.phase, 'rolled-back');
    assert.deepEqual(cockpit.kinds, ['begin', 'rollback']);
  });

  test('when it turns bad late, in the middle of a stage', async () => {
    const cockpit = await take(patientStaging({}, { checks: defaultAnalysis.checks }), {
      perSecond: 200,
      stable: 0.001,
      canary: 0.001,
    });
    await cockpit.fly(300);
    assert.equal(cockpit.phase, 'progressing');
    cockpit.traffic = { perSecond: 200, stable: 0.001, canary: 0.1 };
    await cockpit.fly(30);
    assert.equal(cockpit.phase, 'rolled-back');
  });
});

test('users who are broken on both versions and retry do not roll a release back', async () => {
  const cockpit = await take(patientStaging({}, { checks: defaultAnalysis.checks }), {
    perSecond: 200,
    stable: 0.001,
    canary: 0.001,
  });
  await cockpit.fly(5);
  for (let second = 0; second < 120; second += 1) {
    // One on each version, ten times a second.
    for (let i = 0; i < 10; i += 1) {
      for (const index of [0, 1]) {
        cockpit.window.observe(outcomeOf(cockpit.pilot.rollout, index, { user: `broken${index}`, status: 500 }));
      }
    }
    await cockpit.fly(1);
  }
  assert.equal(cockpit.phase, 'progressing', cockpit.pilot.state?.reason);
});

test('an outage of both versions rolls nothing back', async () => {
  const cockpit = await take(patientStaging({}, { checks: defaultAnalysis.checks }), {
    perSecond: 200,
    stable: 0.001,
    canary: 0.001,
  });
  await cockpit.fly(30);
  cockpit.traffic = { perSecond: 200, stable: 0.3, canary: 0.3 };
  await cockpit.fly(120);
  assert.equal(cockpit.phase, 'progressing', cockpit.pilot.state?.reason);
});

test('equal versions are rolled back in none of a hundred releases', async () => {
  const guard: Check = { ...defaultAnalysis.checks[0]!, tolerate: { ratio: 1.1, plus: 0.0005 } } as Check;
  const phases: (string | undefined)[] = [];
  for (let seed = 1; seed <= 100; seed += 1) {
    const cockpit = await take(
      patientStaging({}, { checks: [guard] }),
      { perSecond: 50, stable: 0.05, canary: 0.05 },
      seed,
    );
    await cockpit.fly(60);
    phases.push(cockpit.phase);
  }
  assert.deepEqual(new Set(phases), new Set(['progressing']));
});
