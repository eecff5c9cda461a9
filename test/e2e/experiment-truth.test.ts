// An experiment whose truth is known, through real HTTP: 20,000 users of whom 5 % and 6 % buy, with lognormal orders. The report,
// asked as a user asks, holds the truth inside its intervals, and every count agrees to the last order.
import assert from 'node:assert/strict';
import { Agent, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { experimentShape } from '../../src/admin/contract-experiment.ts';
import type { ExperimentReport, MetricComparison } from '../../src/rollout/experiment-report/report.ts';
import { randomFrom } from '../stats/random.ts';
import { eventually } from '../support/eventually.ts';
import { send } from '../support/http-client.ts';
import { parseSamples } from '../support/metric-samples.ts';
import { run } from '../support/run.ts';
import { serve, type Serving, startUpstream, temporaryFolder } from '../support/serving.ts';
import { shopPolicyText } from '../support/shop-policy-text.ts';

const userCount = 20_000;
const clientCount = 24;
const truth = { stable: 0.05, canary: 0.06, logMean: 3.5, logSpread: 0.8 };
const trueOrder = Math.exp(truth.logMean + truth.logSpread ** 2 / 2);
const compared = `
events:
  - { name: purchase, on: { method: POST, path: /orders, status: 2xx }, value: 'json:$.total' }
experiment:
  metrics:
    - { metric: conversion, name: purchase-conversion, event: purchase, window: 3s }
    - { metric: value, name: purchase-value, event: purchase, cap: 1000 }
    - { metric: revenue, name: purchase-revenue, event: purchase, cap: 1000 }
  least: 1s
`;

type Shop = { readonly orders: Record<string, number>; readonly listener: RequestListener };

test('20,000 users through real HTTP: the report holds the truth, and counts agree to the last order', async (t) => {
  const shop = openShop();
  const [stable, canary] = [await startUpstream(t, shop.listener), await startUpstream(t, shop.listener)];
  const folder = temporaryFolder(t);
  const gateway = await serve(t, folder, shopPolicyText({ stable: stable.url, canary: canary.url }, compared));
  await visit(gateway.port);
  // An event may come a minute late and still count, so the outcomes are known a minute after the windows.
  const report = await eventually('every outcome to be known', () => settledReport(gateway), 150_000);

  const users = report.versions.reduce((sum, version) => sum + version.users, 0);
  assert.equal(users, userCount);
  assert.equal(report.balance.answer, 'ok');
  assert.deepEqual(report.leftOut, { crossed: 0, moved: 0 });

  const [buyers, orderValue, revenue] = ['purchase-conversion', 'purchase-value', 'purchase-revenue'].map((name) =>
    comparisonOf(report, name),
  );
  assertHolds(buyers!, truth.canary - truth.stable);
  assertHolds(orderValue!, 0);
  assertHolds(revenue!, (truth.canary - truth.stable) * trueOrder);
  assert.ok(Math.abs(buyers!.figures!.baselineMean - truth.stable) < 0.008);
  assert.ok(Math.abs(orderValue!.figures!.baselineMean - trueOrder) < 0.15 * trueOrder);

  await agreesEverywhere(gateway, report, shop.orders);
  await canBeSent(gateway, folder);
});

/** A shop whose orders say what they cost; `orders` by version. */
function openShop(): Shop {
  const orders: Record<string, number> = { stable: 0, canary: 0 };
  const listener: RequestListener = (request, response) => {
    request.resume();
    if (request.method === 'POST') {
      orders[String(request.headers['x-graygate-version'])]! += 1;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ total: Number(request.headers['x-test-total']) }));
    } else {
      response.end('<h1>a tea pot</h1>');
    }
  };
  return { orders, listener };
}

/** Everybody looks at the shop; whoever is to buy from the version that they got does so at once. */
async function visit(port: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: clientCount });
  const random = randomFrom(2026);
  const people = Array.from({ length: userCount }, (_, i) => ({
    user: `用户-${i}`,
    luck: random.uniform(),
    total: Math.round(100 * Math.exp(truth.logMean + truth.logSpread * random.normal())) / 100,
  }));
  let next = 0;
  const client = async (): Promise<void> => {
    for (let person = people[next++]; person !== undefined; person = people[next++]) {
      const headers = ['host', 'shop', 'x-user-id', Buffer.from(person.user).toString('latin1')];
      const seen = await send({ port, agent, path: '/item', headers });
      const version = seen.header('x-graygate-version') as 'stable' | 'canary';
      if (person.luck >= truth[version]) continue;
      const paid = [...headers, 'x-test-total', String(person.total)];
      await send({ port, agent, method: 'POST', path: '/orders', headers: paid, body: Buffer.from('{}') });
    }
  };
  await Promise.all(Array.from({ length: clientCount }, client));
  agent.destroy();
}

async function reportOf({ adminUrl }: Serving): Promise<ExperimentReport> {
  const answer = await fetch(`${adminUrl}/api/v1/experiments/shop`);
  return experimentShape.parse(await answer.json());
}

async function settledReport(gateway: Serving): Promise<ExperimentReport | null> {
  const report = await reportOf(gateway);
  const isSettled = report.metrics.every(({ versions }) => versions.every(({ waiting }) => waiting === 0));
  return isSettled && report.atMs - report.beganMs > report.leastMs ? report : null;
}

function comparisonOf({ metrics }: ExperimentReport, name: string): MetricComparison {
  return metrics.find(({ metric }) => metric.name === name)!.comparisons[0]!;
}

function assertHolds({ figures, verdict, sentence }: MetricComparison, difference: number): void {
  assert.ok(figures !== null, sentence);
  assert.ok(
    figures.lower < difference && difference < figures.upper,
    `${difference} is not in ${JSON.stringify(figures)}`,
  );
  assert.notEqual(verdict.kind, 'not-enough-data', sentence);
  assert.notEqual(verdict.kind, 'worse', sentence);
}

/** The shop, the report and the metrics counted the same orders. */
async function agreesEverywhere(gateway: Serving, report: ExperimentReport, orders: Shop['orders']): Promise<void> {
  const sold = orders['stable']! + orders['canary']!;
  assert.equal(report.events.find(({ event }) => event === 'purchase')?.count, sold);
  const { versions } = report.metrics.find(({ metric }) => metric.name === 'purchase-value')!;
  assert.deepEqual(Object.fromEntries(versions.map(({ name, nonZero }) => [name, nonZero])), orders);
  const samples = parseSamples(await (await fetch(`${gateway.adminUrl}/metrics`)).text());
  const counted = samples.filter(({ name }) => name === 'graygate_events_total');
  assert.deepEqual(Object.fromEntries(counted.map(({ labels, value }) => [labels['version'], value])), orders);
}

/** The command line of a user: the table, and a page for the manager. */
async function canBeSent({ adminUrl }: Serving, folder: string): Promise<void> {
  const env = { ...process.env, GRAYGATE_URL: adminUrl };
  const graygate = (...args: string[]) =>
    run(process.execPath, ['bin/graygate.js', 'experiment', 'shop', ...args], { env });
  const table = await graygate();
  assert.deepEqual([table.code, table.stderr], [0, '']);
  assert.match(table.stdout, /Conversion: purchase within 3 s \* +[\d.]+ % +[\d.]+ % +[+−]/);
  const page = await graygate('--html', '--lang', 'zh', '-o', join(folder, 'report.html'));
  assert.equal(page.code, 0);
}
