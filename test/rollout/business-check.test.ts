import assert from 'node:assert/strict';
import { test } from 'node:test';
import { weighBusiness } from '../../src/rollout/business-check.ts';
import { BusinessLedger } from '../../src/rollout/business-ledger.ts';
import { alphaShareOf, judgeComparisons } from '../../src/rollout/checks.ts';
import { standingOf } from '../../src/rollout/experiment-standing.ts';
import { reportOf } from '../../src/rollout/experiment-report/report-of.ts';
import type { ExperimentFigures } from '../../src/rollout/experiment.ts';
import { defaultAnalysis } from '../../src/rollout/staging.ts';
import type { BusinessCheck } from '../../src/rollout/staging.ts';
import type { Verdict } from '../../src/rollout/verdict.ts';
import { randomFrom } from '../stats/random.ts';
import { stagingOf } from '../support/rollout-machine.ts';
import {
  conversion,
  counted,
  experiment,
  figures,
  proportion,
  revenue,
  values,
} from './experiment-report/experiments.ts';

const check: BusinessCheck = {
  name: 'conversion',
  role: 'guard',
  metric: 'conversion',
  measure: conversion,
  tolerate: { ratio: 0.95 },
  prove: { ratio: 0.8 },
};
const versions = { baseline: 'stable', candidate: 'canary' };

function conversions(stable: [number, number], canary: [number, number]): ExperimentFigures {
  return figures([counted(conversion, [proportion(...stable), proportion(...canary)])]);
}

function verdictOn(seen: ExperimentFigures | null, asked = check): Verdict {
  const numbers = weighBusiness(asked, { figures: seen, candidate: 'canary', alpha: 0.01, tightestAt: 5_000 });
  return judgeComparisons({ versions, analysis: defaultAnalysis }, [numbers])[0]!;
}

test('a candidate that converts less than the check tolerates fails, with the numbers', () => {
  const verdict = verdictOn(conversions([20_000, 1_000], [20_000, 700]));
  assert.equal(verdict.answer, 'fail');
  assert.match(
    verdict.sentence,
    /^conversion of canary is 3\.5 %, of stable 5 %; the chance of this by luck is below 1 in [\d,]+$/,
  );
  assert.ok(verdict.evidence.kind === 'business' && verdict.evidence.lacks === null);
  assert.deepEqual(verdict.evidence.candidate, { users: 20_000, mean: 0.035 });
});

test('what is tolerated is no harm: a twentieth less than the baseline does not fail', () => {
  const tolerated = verdictOn(conversions([20_000, 1_000], [20_000, 950]));
  assert.equal(tolerated.answer, 'pass');
  const strict = { ...check, tolerate: { ratio: 1 } };
  const numbersOf = (asked: BusinessCheck) =>
    weighBusiness(asked, {
      figures: conversions([20_000, 1_000], [20_000, 850]),
      candidate: 'canary',
      alpha: 0.01,
      tightestAt: 5_000,
    }).harm.logEvidence;
  assert.ok(numbersOf(strict) > numbersOf(check));
});

test('a candidate that is shown to be not worse than the check asks passes', () => {
  const verdict = verdictOn(conversions([50_000, 2_500], [50_000, 2_480]));
  assert.equal(verdict.answer, 'pass');
  assert.equal(
    verdict.sentence,
    'conversion of canary is 4.96 %, of stable 5 %; this proves that it is not lower by 20 % or more',
  );
  assert.equal(verdictOn(conversions([1_000, 50], [1_000, 50])).answer, 'not-enough-data');
});

test('without data a check neither passes nor fails, and says what is missing', () => {
  const rows: [ExperimentFigures | null, RegExp][] = [
    [null, /^conversion: nobody has been counted yet$/],
    [figures([]), /nobody has been counted yet/],
    [conversions([0, 0], [0, 0]), /^conversion: stable has 0 of 100 users whose outcome is known, canary has 0 of 100/],
    [conversions([500, 0], [500, 0]), /^conversion: stable has 0 of 10 users who did it, canary has 0 of 10/],
    [
      conversions([5_000, 400], [90, 0]),
      /; canary has 90 of 100 users whose outcome is known, canary has 0 of 10 users who did it$/,
    ],
    [
      {
        ...conversions([20_000, 1_000], [18_000, 100]),
        phases: [{ beganMs: 0, percents: [50, 50], exposed: [20_000, 18_000] }],
      },
      /users do not fall as the split says/,
    ],
  ];
  for (const [seen, says] of rows) {
    const verdict = verdictOn(seen);
    assert.equal(verdict.answer, 'not-enough-data');
    assert.match(verdict.sentence, says);
    assert.ok(
      verdict.evidence.kind === 'business' && verdict.evidence.logHarm === 0 && verdict.evidence.logProof === 0,
    );
  }
});

test('values are judged as proportions are', () => {
  const asked: BusinessCheck = { ...check, name: 'revenue', metric: 'revenue', measure: revenue };
  const verdict = verdictOn(figures([counted(revenue, [spent(50), spent(40)])]), asked);
  assert.equal(verdict.answer, 'fail');
  assert.match(verdict.sentence, /^revenue of canary is 44\.50, of stable 54\.50;/);
});

test('a business guard has a small part of the false alarms, and none where it is a signal', () => {
  const [errors, latency] = defaultAnalysis.checks as [never, never];
  const all = [errors, latency, check];
  assert.equal(alphaShareOf(check, all), 0.1);
  assert.equal(alphaShareOf(errors, all), 0.5);
  assert.equal(alphaShareOf(errors, [errors, latency, { ...check, role: 'signal' }]), 5 / 9);
});

const asked = experiment();
const sightOf = (seen: ExperimentFigures) => ({
  figures: seen,
  standing: standingOf(reportOf(seen, asked, 10), asked),
  tightestAt: null,
});
const staging = stagingOf({ release: '2.4.0' }, { checks: [check] });

test('evidence that begins anew counts only what comes after, also after a restart', () => {
  const ledger = new BusinessLedger(staging);
  ledger.see(sightOf(conversions([20_000, 1_000], [20_000, 700])));
  const first = harmIn(ledger);
  assert.ok(first > 10);
  ledger.anew();
  assert.equal(harmIn(ledger), 0);
  const later = sightOf(conversions([30_000, 1_500], [30_000, 1_050]));
  ledger.see(later);
  const since = harmIn(ledger);
  assert.ok(since > 5);
  const restarted = new BusinessLedger(staging, ledger.snapshot());
  restarted.see(later);
  assert.equal(harmIn(restarted), since);
  ledger.anew();
  assert.ok(Math.abs(harmIn(ledger)) < 1e-9, 'a second time takes off all there is');
});

test('figures of another release say nothing', () => {
  const ledger = new BusinessLedger({ ...staging, release: '2.5.0' });
  ledger.see(sightOf(conversions([20_000, 1_000], [20_000, 700])));
  assert.equal(ledger.numbers()[0]!.harm.logEvidence, 0);
  assert.equal(ledger.standing(), null);
  ledger.anew();
  ledger.follow(staging);
  assert.ok(ledger.numbers()[0]!.harm.logEvidence > 10, 'what began anew was the other release');
  assert.equal(ledger.standing()?.winner, null);
});

test('looked at after every 500 users, a candidate at the tolerated edge fails in at most alpha of the simulated rollouts', () => {
  const random = randomFrom(77);
  let failed = 0;
  for (let run = 0; run < 400; run += 1) {
    let [users, stable, canary] = [0, 0, 0];
    for (let look = 0; look < 60; look += 1) {
      users += 250;
      stable += random.binomial(250, 0.1);
      canary += random.binomial(250, 0.095);
      if (verdictOn(conversions([users, stable], [users, canary])).answer !== 'fail') continue;
      failed += 1;
      break;
    }
  }
  assert.ok(failed <= 8, `${failed} of 400 at alpha 0.01: more than 8 has a chance of 1 in 50`);
});

/** Two thousand users who spend so much and a little more. */
function spent(each: number): ReturnType<typeof values> {
  return values(...Array.from({ length: 2_000 }, (_, i) => each + (i % 10)));
}

function harmIn(ledger: BusinessLedger): number {
  return ledger.numbers()[0]!.harm.logEvidence;
}
