// A pilot whose rollout is judged by what the business counts, and whose experiment ends it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BusinessSight } from '../../src/rollout/business-ledger.ts';
import { reportOf } from '../../src/rollout/experiment-report/report-of.ts';
import { standingOf } from '../../src/rollout/experiment-standing.ts';
import type { Experiment } from '../../src/rollout/experiment.ts';
import type { BusinessCheck } from '../../src/rollout/staging.ts';
import {
  conversion,
  counted,
  dayMs,
  experiment,
  figures,
  proportion,
} from '../rollout/experiment-report/experiments.ts';
import { beta, canary, stable } from '../support/decisions.ts';
import { Cockpit, patientStaging } from './cockpit.ts';

const check: BusinessCheck = {
  name: 'conversion',
  role: 'guard',
  metric: 'conversion',
  measure: conversion,
  tolerate: { ratio: 0.95 },
  prove: { ratio: 0.8 },
};

/** Of 20,000 users of each version so many buy; the release is that of `patientStaging`. */
function sightOf(hits: readonly number[], changes: Partial<Experiment> = {}): BusinessSight {
  const asked = experiment(changes);
  const seen = figures(
    [
      counted(
        conversion,
        hits.map((each) => proportion(20_000, each)),
      ),
    ],
    { release: 'r1' },
  );
  return { figures: seen, standing: standingOf(reportOf(seen, asked, 10 * dayMs), asked), tightestAt: null };
}

test('a guard of the business that fails rolls back, with the numbers in the audit log', async () => {
  const cockpit = new Cockpit();
  await cockpit.start(patientStaging({}, { checks: [check] }));
  cockpit.sight = sightOf([1_000, 1_000]);
  await cockpit.fly(2);
  assert.equal(cockpit.phase, 'progressing');
  cockpit.sight = sightOf([1_000, 700]);
  await cockpit.fly(2);
  assert.equal(cockpit.phase, 'rolled-back');
  const entry = cockpit.announced.at(-1)!;
  assert.match(
    entry.reason,
    /canary is rolled back from 10 %: conversion of canary is 3\.5 %, of stable 5 %; the chance/,
  );
  assert.equal(entry.measured?.verdicts[0]?.evidence.kind, 'business');
});

test('a release that is tried again is judged by what comes after, also after a restart', async () => {
  const cockpit = new Cockpit();
  const staging = patientStaging({}, { checks: [check] });
  await cockpit.start(staging);
  await cockpit.fly(1);
  cockpit.sight = sightOf([1_000, 700]);
  await cockpit.fly(2);
  assert.equal((await cockpit.act('retry')).ok, true);
  await cockpit.fly(2);
  assert.equal(cockpit.phase, 'progressing');
  await cockpit.pilot.saveProgress(cockpit.nowMs);
  await cockpit.start(staging);
  await cockpit.fly(2);
  assert.equal(cockpit.phase, 'progressing');
  cockpit.sight = sightOf([1_000, 400]);
  await cockpit.fly(2);
  assert.equal(cockpit.phase, 'rolled-back');
});

test('every candidate of a split is judged by what its own users do, also after a restart and a resume', async () => {
  const staging = patientStaging(
    { stages: [], candidates: ['canary', 'third'], split: { canary: 30, third: 30 } },
    { checks: [check], onFail: 'pause' },
  );
  const versions = [stable, canary, { ...beta, name: 'third' }] as const;
  const cockpit = new Cockpit();
  await cockpit.start(staging, { versions });
  cockpit.sight = sightOf([1_000, 1_000, 700]);
  await cockpit.fly(2);
  assert.equal(cockpit.phase, 'paused');
  assert.match(cockpit.pilot.state?.reason ?? '', /: conversion of third is 3\.5 %, of stable 5 %/);
  assert.equal((await cockpit.act('resume')).ok, true);
  await cockpit.pilot.saveProgress(cockpit.nowMs);
  await cockpit.start(staging, { versions });
  await cockpit.fly(2);
  assert.equal(cockpit.phase, 'steady', 'what was known when a person resumed does not pause again');
  cockpit.sight = sightOf([1_000, 1_000, 400]);
  await cockpit.fly(2);
  assert.equal(cockpit.phase, 'paused');
});

test('a signal of the business pauses', async () => {
  const cockpit = new Cockpit();
  await cockpit.start(patientStaging({}, { checks: [{ ...check, role: 'signal' }] }));
  await cockpit.fly(1);
  cockpit.sight = sightOf([1_000, 700]);
  await cockpit.fly(2);
  assert.equal(cockpit.phase, 'paused');
});

test('an experiment that is decided promotes its winner through the same machine', async () => {
  const cockpit = new Cockpit();
  await cockpit.start(patientStaging({ stages: [], split: { canary: 50 } }, { checks: [] }));
  cockpit.sight = sightOf([1_000, 1_300], { stopWhen: { kind: 'decided' }, then: 'promote-winner' });
  await cockpit.fly(2);
  assert.equal(cockpit.phase, 'promoted');
  assert.equal(cockpit.percent, 100);
  assert.equal(cockpit.announced.at(-1)?.by, 'experiment');
  assert.equal((await cockpit.store.inner.saved('shop'))?.state.concluded?.winner, 'canary');
});
