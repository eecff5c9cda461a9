// The metrics as a scraper reads them, in both formats, held against Prometheus' own parser where it is installed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { layOutSplit } from '../../src/rollout/split.ts';
import type { Verdict } from '../../src/rollout/verdict.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { parseSamples, sumOf } from '../support/metric-samples.ts';
import { policyOf, rolloutOf } from '../support/policies.ts';
import { findProgram, needs } from '../support/requirements.ts';
import { outcomeOf } from './requests.ts';

const openMetrics = 'application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.5';
const shop = rolloutOf({
  split: { canary: 12.5 },
  versions: { stable: { servers: ['http://127.0.0.1:1'] }, canary: { servers: ['http://127.0.0.1:2'] } },
});

function createMetrics(): Metrics {
  const splitOf = (rollout: typeof shop) => layOutSplit(rollout.versions, rollout.split);
  const figures = {
    logHarm: 1.5,
    harmThreshold: 4.6,
    logProof: -0.5,
    proofThreshold: 3,
    baseline: { hits: 1, count: 10 },
  };
  const evidence = { kind: 'error-rate' as const, ...figures, candidate: { hits: 2, count: 10 } };
  const verdict: Verdict = {
    check: 'error-rate',
    version: 'canary',
    role: 'guard',
    answer: 'not-enough-data',
    evidence,
    sentence: '',
  };
  const standing = {
    rollout: 'shop',
    phase: 'progressing',
    stage: 1,
    verdicts: [verdict, { ...verdict, version: 'beta', answer: 'fail', evidence: { ...evidence, logHarm: 7 } }],
  } as const;
  const metrics = new Metrics({ splitOf, standings: () => [standing], isStoreWell: () => true }, '1.2.3');
  metrics.policyLoaded(policyOf({ rollouts: [shop] }), 1_000, false);
  return metrics;
}

/** One of everything that can happen. */
function fill(metrics: Metrics): void {
  const [stable, canary] = [metrics.probe('shop', 'stable'), metrics.probe('shop', 'canary')];
  for (const [index, method] of ['GET', 'POST', 'PURGE', 'x"\n\\y', 'QUERY'].entries()) {
    stable.entered();
    stable.finished(outcomeOf(shop, 0, { method, durationMs: 10 ** index }));
    stable.left();
  }
  stable.finished(outcomeOf(shop, 0, { status: 502, reason: 'fallback', durationMs: 100_000 }));
  canary.entered();
  canary.faulted('http://127.0.0.1:2', 'reset');
  canary.retried('reset');
  canary.fellBack('timeout');
  metrics.unmatched.counted(404, 'GET');
  metrics.unmatched.counted(400, '');
  metrics.policyLoaded(policyOf({ rollouts: [shop] }), 2_000, true);
  metrics.policyRejected();
}

test('methods that a client makes up are counted as OTHER', async () => {
  const metrics = createMetrics();
  fill(metrics);
  const { text } = await metrics.render('');
  const requests = parseSamples(text).filter(({ name }) => name === 'graygate_requests_total');
  assert.deepEqual(new Set(requests.map(({ labels }) => labels['method'])), new Set(['GET', 'POST', 'OTHER']));
  assert.equal(await sumOf(metrics, 'graygate_requests_total', { version: 'stable', method: 'OTHER', code: '200' }), 3);
  assert.equal(await sumOf(metrics, 'graygate_requests_total', { rollout: '', version: '' }), 2);
});

test('counters, gauges and the histogram say what happened', async () => {
  const metrics = createMetrics();
  fill(metrics);
  const is = async (name: string, labels: Record<string, string>, value: number): Promise<void> =>
    assert.equal(await sumOf(metrics, name, labels), value, `${name} ${JSON.stringify(labels)}`);
  await is('graygate_decisions_total', { reason: 'split' }, 5);
  await is('graygate_decisions_total', { reason: 'fallback' }, 1);
  await is('graygate_upstream_errors_total', { version: 'canary', server: 'http://127.0.0.1:2', kind: 'reset' }, 1);
  await is('graygate_retries_total', { version: 'canary', reason: 'reset' }, 1);
  await is('graygate_fallbacks_total', { version: 'canary', reason: 'timeout' }, 1);
  await is('graygate_requests_in_flight', { version: 'canary' }, 1);
  await is('graygate_requests_in_flight', { version: 'stable' }, 0);
  await is('graygate_split_percent', { rollout: 'shop', version: 'stable' }, 87.5);
  await is('graygate_split_percent', { rollout: 'shop', version: 'canary' }, 12.5);
  await is('graygate_policy_reloads_total', { result: 'ok' }, 1);
  await is('graygate_policy_reloads_total', { result: 'error' }, 1);
  await is('graygate_policy_loaded_timestamp_seconds', {}, 2);
  await is('graygate_check_evidence', { version: 'canary', check: 'error-rate' }, 1.5);
  await is('graygate_check_evidence', { version: 'beta', check: 'error-rate' }, 7);
  await is('graygate_check_verdict', { version: 'beta', check: 'error-rate', verdict: 'fail' }, 1);
  await is('graygate_check_verdict', { version: 'canary', check: 'error-rate', verdict: 'fail' }, 0);
  await is('graygate_build_info', { version: '1.2.3', node: process.version }, 1);
  const name = 'graygate_request_duration_seconds';
  for (const [le, count] of Object.entries({ 0.001: 1, 0.01: 2, 0.1: 3, 0.5: 3, 1: 4, 10: 5, 60: 5, '+Inf': 6 })) {
    await is(`${name}_bucket`, { version: 'stable', le }, count);
  }
  await is(`${name}_count`, { version: 'stable' }, 6);
  assert.ok(Math.abs((await sumOf(metrics, `${name}_sum`, { version: 'stable' })) - 111.111) < 1e-9);
});

test('the series of a rollout or version that the policy does not name any more vanish', async () => {
  const metrics = createMetrics();
  fill(metrics);
  metrics.policyLoaded(policyOf({ rollouts: [{ ...shop, versions: [shop.versions[0]] }] }), 3_000, true);
  const left = parseSamples((await metrics.render('')).text).filter(
    ({ name }) => !/^graygate_(rollout|check)_/.test(name),
  );
  assert.ok(left.every(({ labels }) => labels['version'] !== 'canary'));
  assert.ok(left.some(({ labels }) => labels['version'] === 'stable'));
  metrics.policyLoaded(policyOf({}), 4_000, true);
  const names = parseSamples((await metrics.render('')).text).filter(({ labels }) => labels['version'] === 'stable');
  assert.deepEqual(names, []);
  assert.equal(await sumOf(metrics, 'graygate_requests_total'), 2, 'what no rollout took is still counted');
});

test('the same figures come in the format that is asked for', async () => {
  const metrics = createMetrics();
  fill(metrics);
  const [plain, open] = [await metrics.render('text/plain'), await metrics.render(openMetrics)];
  assert.match(plain.contentType, /^text\/plain; version=0\.0\.4/);
  assert.match(open.contentType, /^application\/openmetrics-text; version=1\.0\.0/);
  assert.ok(open.text.endsWith('# EOF\n') && !plain.text.includes('# EOF'));
  assert.match(open.text, /^# TYPE graygate_requests counter$/m);
  assert.match(plain.text, /^# TYPE graygate_requests_total counter$/m);
  assert.deepEqual(ownSamples(open.text), ownSamples(plain.text));
});

test("Prometheus' linter finds nothing to say", { skip: needs('promtool') }, async () => {
  const metrics = createMetrics();
  fill(metrics);
  const { status, stderr } = lint((await metrics.render('')).text);
  assert.deepEqual([status, stderr], [0, '']);
  assert.notEqual(lint('requests{ 1\n').status, 0, 'it does read what it is given');
});

test("Prometheus' own parser takes the OpenMetrics format", { skip: needs('promtool') }, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'graygate-openmetrics-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const metrics = createMetrics();
  fill(metrics);
  const { text } = await metrics.render(openMetrics);
  const parse = (input: string): { status: number | null; stderr: string } => {
    writeFileSync(join(folder, 'metrics'), input);
    const args = ['tsdb', 'create-blocks-from', 'openmetrics', join(folder, 'metrics'), join(folder, 'blocks')];
    return spawnSync(findProgram('promtool')!, args, { encoding: 'utf8' });
  };
  // It imports history, so every sample needs a time.
  const timed = text.replaceAll(/^([^#\n].*)$/gm, '$1 1700000000');
  const { status, stderr } = parse(timed);
  assert.deepEqual([status, stderr], [0, '']);
  assert.notEqual(parse(timed.replace('# EOF\n', '')).status, 0, 'it does read what it is given');
});

/** The samples of graygate's own metrics as lines, sorted. */
function ownSamples(text: string): string[] {
  return parseSamples(text)
    .filter(({ name }) => name.startsWith('graygate_'))
    .map(({ name, labels, value }) => `${name} ${JSON.stringify(labels)} ${value}`)
    .toSorted();
}

function lint(input: string): { status: number | null; stderr: string } {
  return spawnSync(findProgram('promtool')!, ['check', 'metrics'], { input, encoding: 'utf8' });
}
