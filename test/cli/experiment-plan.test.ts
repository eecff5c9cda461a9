// `graygate plan --lift`: how many users and days an experiment needs. The numbers of the first tests are STATISTICS 8 and 10.4's.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ExperimentPlan } from '../../src/cli/experiment-plan.ts';
import type { MetricPlan } from '../../src/rollout/plan-experiment.ts';
import { plannedUsers } from '../../src/stats/plan-experiment.ts';
import { openAdminPort } from '../admin/admin-port.ts';
import {
  conversion,
  counted,
  dayMs,
  experiment,
  figures,
  proportion,
  values,
} from '../rollout/experiment-report/experiments.ts';
import { runToEnd } from './run-here.ts';

const plan = ['plan', 'default', '--config', 'config/rehearsal.yaml', '--rps', '200', '--lift'];

const shopPolicy = `version: 1
listen: 127.0.0.1:0
rollouts:
  - name: shop
    versions:
      stable: { servers: [http://10.0.0.1:3000] }
      canary: { servers: [http://10.0.0.2:3000] }
    split: { canary: 25 }
    events: [{ name: purchase }]
    experiment: { metrics: [{ metric: conversion, event: purchase }] }
`;

type Report = {
  experiment: { question: { share: number; usersPerDay: number }; source: string; metrics: MetricPlan[] };
};

async function planned(
  lift: string,
  ...more: string[]
): Promise<Report['experiment'] & { of(kind: string): MetricPlan }> {
  const { code, stdout, stderr } = await runToEnd([...plan, lift, '--json', ...more]);
  assert.deepEqual([code, stderr], [0, '']);
  const { experiment: got } = JSON.parse(stdout) as Report;
  return { ...got, of: (kind) => got.metrics.find(({ metric }) => metric.kind === kind)! };
}

test('the users for a lift are those of the worked examples', async () => {
  const bought = await planned('10%', '--conversion', '5');
  const { sequential, fixed } = bought.of('conversion').users!;
  assert.deepEqual([Math.round(sequential), Math.round(fixed)], [119_607, 62_461]);
  assert.equal(bought.of('retention').users, null);
  const orders = await planned('5', '--conversion', '10%', '--order-value', '60');
  const users = orders.of('value').users!;
  assert.ok(Math.abs(users.sequential - 240_477) < 10 && Math.abs(users.fixed - 125_582) < 10);
  const kept = await planned('2.5', '--retention', '40');
  assert.ok(Math.abs(kept.of('retention').users!.sequential / 144_286 - 1) < 0.005);
});

test('where nothing can be said the plan says what is missing', async () => {
  const { stdout } = await runToEnd([...plan, '10', '--retention', '95', '--conversion', '5']);
  const [days, ...others] = stdout.trimEnd().split('\n').slice(-4);
  assert.equal(days, 'days are not known: give --users-per-day');
  assert.deepEqual(others, [
    'Average value: order is not known: give --conversion and --order-value',
    'Revenue a user: order is not known: give --conversion and --order-value',
    'Retention on day 1 cannot rise by 10 %',
  ]);
  const tooMuch = await runToEnd([...plan, '10', '--retention', '95']);
  assert.equal(tooMuch.code, 2);
  assert.match(tooMuch.stderr, /expected a lift after which a share is below 100 %, got 10 %/);
});

test('more power, a smaller lift and a smaller spread are heard', async () => {
  const usual = (await planned('10', '--conversion', '5', '--order-value', '60')).of('value').users!.sequential;
  const strong = await planned('10', '--conversion', '5', '--order-value', '60', '--power', '95');
  assert.ok(strong.of('value').users!.sequential > 1.3 * usual);
  const small = await planned('5', '--conversion', '5', '--order-value', '60');
  assert.ok(Math.abs(small.of('value').users!.sequential / usual - 4) < 1e-6);
  const even = await planned('10', '--conversion', '5', '--order-value', '60', '--order-spread', '30');
  assert.ok(Math.abs(even.of('value').users!.sequential / usual - 0.25) < 1e-6);
});

test('the table stands below the stages, with days where the users a day are known', async () => {
  const { code, stdout } = await runToEnd([...plan, '10', '--conversion', '5', '--users-per-day', '20000']);
  assert.equal(code, 0);
  assert.match(
    stdout,
    /a good release is promoted after[^]*\nan experiment that finds a lift of 10 % with 80 % power: alpha 0\.05, 50 % of users on canary, 20,000 new users a day, rates assumed\n/,
  );
  assert.match(stdout, /\nConversion: order within 1 d +5 % +119,607 +6 +62,461\n/);
  assert.match(stdout, /\nRetention on day 1 is not known: give --retention\n/);
  assert.doesNotMatch(stdout, /days are not known/);
  const none = await runToEnd(plan.slice(0, -1));
  assert.doesNotMatch(none.stdout, /experiment/);
});

test('what a running gateway has counted comes before what is assumed', async (t) => {
  const { rooms, port } = await openAdminPort();
  rooms.experiment = experiment();
  const seen = figures([counted(conversion, [proportion(20_000, 2_000), proportion(20_000, 2_100)])]);
  rooms.figures = { ...seen, beganMs: Date.now() - 10 * dayMs };
  const folder = await mkdtemp(join(tmpdir(), 'graygate-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'shop.yaml');
  await writeFile(file, shopPolicy);
  const { code, stdout, stderr } = await runToEnd(
    `plan -c ${file} --rps 200 --lift 10 --conversion 5 --url http://127.0.0.1:${port} --json`.split(' '),
  );
  assert.deepEqual([code, stderr], [0, '']);
  const { experiment: got } = JSON.parse(stdout) as Report;
  assert.equal(got.source, 'recorded');
  assert.equal(got.question.share, 0.25);
  assert.equal(Math.round(got.question.usersPerDay), 4_000);
  const [primary] = got.metrics;
  assert.deepEqual([primary!.metric.name, primary!.today], ['conversion', 0.1]);
  assert.ok(primary!.days! > 7);
  const env = { GRAYGATE_URL: `http://127.0.0.1:${port}` };
  const named = await runToEnd(`plan -c ${file} --rps 200 --lift 10`.split(' '), env);
  assert.match(named.stdout, /, rates recorded\n/, 'a gateway that the environment names');
  const given = await runToEnd(`plan -c ${file} --rps 200 --lift 10 --conversion 5`.split(' '), env);
  assert.match(given.stdout, /, rates assumed\n/, 'but rates that are given come before it');
});

test('what all users have alike so far is said to be so, not to be impossible', async (t) => {
  const { rooms, port } = await openAdminPort();
  const views = { kind: 'events', name: 'views', event: 'purchase' } as const;
  const once = values(...Array.from({ length: 500 }, () => 1));
  rooms.experiment = { ...experiment(), metrics: [views, conversion] };
  rooms.figures = figures([counted(views, [once, once])]);
  const folder = await mkdtemp(join(tmpdir(), 'graygate-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'shop.yaml');
  const metrics = '{ name: views, metric: events, event: purchase }';
  await writeFile(file, shopPolicy.replace(/metrics: \[/, `metrics: [${metrics}, `));
  const args = `plan -c ${file} --rps 200 --lift 10 --url http://127.0.0.1:${port}`.split(' ');
  const nothing = await runToEnd(args);
  assert.equal(nothing.code, 2);
  assert.match(nothing.stderr, /expected figures that differ from user to user, got the same for all of them/);
  const { stdout } = await runToEnd([...args, '--conversion', '5']);
  assert.match(stdout, /\nEvents a user: purchase is the same for all users so far\n/);
});

test('of several candidates each has its part of alpha and of the users a day, and its own share', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'graygate-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'shop.yaml');
  const several = shopPolicy
    .replace(/( +)canary: .*\n/, (line, indent: string) => {
      return `${line}${indent}green: { servers: [http://10.0.0.3:3000] }\n${indent}idle: { servers: [http://10.0.0.4:3000] }\n`;
    })
    .replace('{ canary: 25 }', '{ canary: 20, green: 5 }');
  await writeFile(file, several);
  const args = `plan -c ${file} --rps 200 --lift 10 --conversion 5 --users-per-day 10000`.split(' ');
  const { experiment: got }: { experiment: ExperimentPlan } = JSON.parse((await runToEnd([...args, '--json'])).stdout);
  const plans = [got, ...(got.others ?? [])];
  assert.deepEqual(
    plans.map(({ candidate, question: { share, alpha, usersPerDay } }) => [candidate, share, alpha, usersPerDay]),
    [
      ['canary', 20 / 95, 0.05 / 3, 9_500],
      ['green', 5 / 80, 0.05 / 3, 8_000],
    ],
  );
  for (const { question, metrics } of plans) {
    const { sequential } = metrics[0]!.users!;
    const alone = plannedUsers({
      difference: 0.005,
      candidateVariance: 0.055 * (1 - 0.055),
      baselineVariance: 0.05 * (1 - 0.05),
      share: question.share,
      alpha: 0.05 / 3,
      power: 0.8,
    });
    assert.ok(Math.abs(sequential / alone.sequential - 1) < 1e-9);
    assert.ok(Math.abs(metrics[0]!.days! / (alone.sequential / question.usersPerDay!) - 1) < 1e-9);
  }
  const { stdout } = await runToEnd(args);
  assert.match(
    stdout,
    /\nan experiment that finds a lift of 10 % with 80 % power: alpha 0\.0167 for each of the candidates, rates assumed\ncanary: 21\.1 % of the users of both versions, 9,500 new ones a day\nmetric [^]*\ngreen: 6\.3 % of the users of both versions, 8,000 new ones a day\nmetric /,
  );
  await writeFile(file, several.replace('{ canary: 20, green: 5 }', '{ green: 5 }'));
  assert.match((await runToEnd(args)).stdout, /: alpha 0\.0167, 5 % of users on green, 10,000 new users a day, rates/);
  await writeFile(file, several.replace('{ canary: 20, green: 5 }', '{ canary: 50, green: 50 }'));
  assert.equal((await runToEnd(args)).code, 2, 'nobody is on the baseline');
});

test('a stage that waits for a check of the business says so', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'graygate-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'shop.yaml');
  const checks =
    '[{ metric: error-rate }, { name: buyers, metric: conversion, event: purchase, prove: { ratio: 0.9 } }]';
  const staged = '    stages: [{ name: half, percent: 50, hold: 1h }, { name: full, percent: 100 }]\n';
  const plain = shopPolicy.replace(/ {4}split: .*\n/, staged);
  const line = /\nnot in these times: buyers must pass too/;
  await writeFile(file, `${plain}    analysis: { checks: ${checks} }\n`);
  assert.match((await runToEnd(['plan', '-c', file, '--rps', '200'])).stdout, line);
  await writeFile(file, `${plain}    analysis: { advance: time, checks: ${checks} }\n`);
  assert.doesNotMatch((await runToEnd(['plan', '-c', file, '--rps', '200'])).stdout, line);
});

test('without any rate, or with one that cannot be, nothing is planned', async () => {
  const none = await runToEnd([...plan, '10']);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /expected --conversion, --retention or --order-value, or --url/);
  for (const wrong of [['0'], ['100'], ['10', '--power', '0'], ['10', '--conversion', '120']])
    assert.equal((await runToEnd([...plan, ...wrong])).code, 2);
  const impossible = await runToEnd([...plan, '50', '--conversion', '80']);
  assert.equal(impossible.code, 2, 'nine tenths and a half more of the users cannot buy');
});
