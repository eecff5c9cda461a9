import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportOf } from '../../src/rollout/experiment-report/report-of.ts';
import { assumedToday, planMetric, recordedToday, recordedUsersPerDay } from '../../src/rollout/plan-experiment.ts';
import {
  conversion,
  counted,
  dayMs,
  experiment,
  figures,
  orderValue,
  proportion,
  revenue,
} from './experiment-report/experiments.ts';

const question = { lift: 0.1, power: 0.8, alpha: 0.05, share: 0.5, usersPerDay: 1_000, leastMs: 7 * dayMs };

test('the days are those of the users, and never fewer than the least age', () => {
  const plan = planMetric(conversion, { mean: 0.5, variance: 0.25 }, question);
  assert.equal(plan.days, 7);
  const slow = planMetric(conversion, { mean: 0.05, variance: 0.0475 }, question);
  assert.equal(slow.days, slow.users!.sequential / 1_000);
  assert.equal(planMetric(conversion, { mean: 0.05, variance: 0.0475 }, { ...question, usersPerDay: null }).days, null);
});

test('what is not known, does not vary or cannot rise so far is not planned', () => {
  for (const today of [null, { mean: 0, variance: 0 }, { mean: 1, variance: 0 }, { mean: 0.95, variance: 0.0475 }])
    assert.equal(planMetric(conversion, today, question).users, null);
});

test("rates that were counted are the baseline's, and the users a day those of all versions", () => {
  const seen = figures([counted(conversion, [proportion(20_000, 2_000), proportion(20_000, 2_400)])]);
  const report = reportOf(seen, experiment(), 10 * dayMs);
  assert.deepEqual(recordedToday(conversion, report), { mean: 0.1, variance: 0.1 * (1 - 0.1) });
  assert.equal(recordedToday(revenue, report), null);
  assert.equal(recordedUsersPerDay(report), 4_000);
  assert.equal(recordedUsersPerDay(reportOf(seen, experiment(), 60_000)), null);
});

test('revenue follows from who buys and what an order is worth', () => {
  const rates = { conversion: 0.1, retention: null, orderValue: 60, orderSpread: 30 };
  const today = assumedToday(revenue, rates)!;
  assert.ok(Math.abs(today.mean - 6) < 1e-12);
  assert.ok(Math.abs(today.variance - (0.1 * (900 + 3_600) - 36)) < 1e-9);
  assert.deepEqual(assumedToday(orderValue, rates), { mean: 60, variance: 9_000 });
  assert.equal(assumedToday(orderValue, { ...rates, conversion: null }), null);
});
