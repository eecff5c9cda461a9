// The demo as a newcomer runs it: started for real, every command it prints tried, its policy edited while it runs.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { DemoAddresses } from '../../src/cli/demo/welcome-text.ts';
import type { ExperimentReport } from '../../src/rollout/experiment-report/report.ts';
import { eventually } from '../support/eventually.ts';
import { needs } from '../support/requirements.ts';
import { run } from '../support/run.ts';

const bin = 'bin/graygate.js';
const freePorts = ['--port', '0', '--admin-port', '0'];

/** What the commands show that the demo prints, by the beginning of what it promises. */
const shown: [promise: string, expected: RegExp][] = [
  ['where it stands', /^shop {3}progressing · small \(1 of 3\) · 5 % on canary/],
  ['a rule', /^x-graygate-version: canary\r$/m],
  ['why u-1 gets that version', /^shop → stable {3}\(reason: split, bucket: \d+, user: u-1\)\n\ngateway /],
  ['fill a cart', /"customer":"u-1","lines":\[\{"product":"jasmine"/],
  ['what Prometheus', /^graygate_requests_total\{.*version="canary"/m],
  ['what status shows', /"name":"shop","release":"2\.0\.0"/],
  ['let it go no further', /^shop: canary is paused at 5 %/],
  ['and on again', /^shop: canary goes on at 5 %/],
  ['everyone back', /^shop: canary is rolled back from 5 %/],
  ['the same release again', /^shop: release 2\.0\.0 is tried again/],
  ['break the new shop', /"errors":50/],
  ['mend it', /"errors":0/],
];

test('every command that the demo prints works and shows what it promises', { skip: needs('curl') }, async (t) => {
  const demo = await startDemo(t, '--no-traffic');
  const tries = [...demo.said().matchAll(/^ {2}# (.+)\n {2}(.+)$/gm)];
  assert.equal(tries.length, shown.length + 2, demo.said());
  const seen = new Set<string>();
  for (const [, promise = '', command = ''] of tries) {
    const runnable = command.replace(/^npx graygate/, `"${process.execPath}" ${bin}`);
    const { code, stdout, stderr } = await run('bash', ['-c', runnable]);
    assert.equal(code, 0, `${command}\n${stderr}`);
    const [, user, version] = /^(u-\d+) gets (\w+) now$/.exec(promise) ?? [];
    if (version === undefined) {
      const [, expected] = shown.find(([beginning]) => promise.startsWith(beginning))!;
      assert.match(stdout, expected, promise);
    } else {
      assert.match(stdout, new RegExp(`^x-graygate-version: ${version}\r$`, 'm'));
      assert.match(stdout, version === 'canary' ? /new version · 2\.0\.0/ : /old version · 1\.8\.2/);
      assert.ok(stdout.includes(`value="${user}"`));
      seen.add(version);
    }
  }
  assert.deepEqual([...seen].toSorted(), ['canary', 'stable']);
});

test('with the experiment that comes with it, what customers buy is counted for both shops', async (t) => {
  const demo = await startDemo(t, '--config', 'config/experiment.yaml');
  const adminUrl = /admin +(\S+)/.exec(demo.said())![1]!;
  const report = async (): Promise<ExperimentReport> =>
    (await fetch(`${adminUrl}/api/v1/experiments/shop`)).json() as Promise<ExperimentReport>;
  const haveBought = async (): Promise<boolean> => {
    const value = (await report()).metrics.find(({ metric }) => metric.kind === 'value');
    return value !== undefined && value.versions.every(({ nonZero, mean }) => nonZero > 0 && mean! > 10);
  };
  await eventually('orders of both shops', haveBought);
  const { stdout } = await run(process.execPath, [bin, 'experiment', 'shop', '--url', adminUrl]);
  assert.match(stdout, /\nConversion: purchase within 20 s \* /);
});

test('it tells once how the generated requests were shared out, and the sum at its end', async (t) => {
  const demo = await startDemo(t);
  const shares = /^\d+ requests: (canary [\d.]+ % \(0\.0 % failed\), )?stable [\d.]+ %/m;
  await eventually('the shares', () => shares.test(demo.said()));
  // The canary has 5 % of the customers, of whom some may come later.
  const metricsUrl = `${/admin +(\S+)/.exec(demo.said())![1]!}/metrics`;
  const hasServed = /^graygate_requests_total\{.*version="canary".*\} [1-9]/m;
  await eventually('customers of both', async () => hasServed.test(await (await fetch(metricsUrl)).text()));
  demo.process.kill('SIGTERM');
  assert.equal(await demo.exit, 0);
  assert.match(
    demo.said(),
    /\nIn all \d+ requests: canary \d+\.\d % \(0\.0 % failed\), stable \d+\.\d % \(0\.0 % failed\)\n$/,
  );
  assert.equal(demo.complained(), '');
});

test('another release begins again without a restart, and a broken edit changes nothing and is said', async (t) => {
  const demo = await startDemo(t);
  const text = readFileSync(demo.policy, 'utf8');
  writeFileSync(demo.policy, text.replace('release: "2.0.0"', 'release: "2.0.1"'));
  await eventually('the new release', () => /shop +5 % {2}release 2\.0\.1 begins: /.test(demo.said()));
  writeFileSync(demo.policy, text.replace('stages:', 'stagez:'));
  await eventually('the problem', () => /"level":50.+rollouts\[0\]\.stagez: /.test(demo.complained()));
  assert.equal((await fetch(demo.trafficUrl)).status, 200);
});

test('stages replaced by a split are in force without a restart', async (t) => {
  const demo = await startDemo(t);
  const [, stableUser = ''] = /# (u-\d+) gets stable/.exec(demo.said()) ?? [];
  const versionNow = async () => {
    const answer = await fetch(demo.trafficUrl, { headers: { 'x-user-id': stableUser } });
    return answer.headers.get('x-graygate-version');
  };
  assert.equal(await versionNow(), 'stable');
  const text = readFileSync(demo.policy, 'utf8');
  writeFileSync(demo.policy, text.replace(/ {4}stages:[^]*?(?= {4}analysis:)/, '    split: { canary: 100 }\n'));
  await eventually('the new version', async () => (await versionNow()) === 'canary');
});

test('stopping it with Ctrl-C ends in good order while a stream is open, and frees every port', async (t) => {
  for (const port of usualPorts) await holdWhereFree(t, port);
  const demo = await startDemo(t, '--json');
  const addresses: DemoAddresses = JSON.parse(demo.said().split('\n')[0]!);
  const stream = await fetch(`${addresses.traffic}/api/stock`);
  const cut = stream.text().catch(() => 'cut');
  demo.process.kill('SIGINT');
  assert.equal(await demo.exit, 0);
  await cut;
  assert.equal(demo.complained(), '');
  const { traffic, admin, oldShop, newShop } = addresses;
  const ports = [traffic, admin, oldShop, newShop].map((address) => Number(new URL(address).port));
  for (const port of ports.filter((each) => !usualPorts.includes(each))) {
    const server = createServer();
    await once(server.listen(port, '127.0.0.1'), 'listening');
    server.close();
  }
});

/** What the shops listen on where it is free: once it is, a demo beside this one may have it. */
const usualPorts = [3001, 3002];

/** Keeps a port from this demo until the end of the test. */
async function holdWhereFree(t: TestContext, port: number): Promise<void> {
  const holder = createServer();
  t.after(() => holder.close());
  await new Promise<void>((resolve) => {
    holder.once('error', () => resolve());
    holder.listen(port, '127.0.0.1', resolve);
  });
}

test('with --no-traffic nobody comes', async (t) => {
  const demo = await startDemo(t, '--json', '--no-traffic');
  const { admin }: DemoAddresses = JSON.parse(demo.said().split('\n')[0]!);
  const metrics = await (await fetch(`${admin}/metrics`)).text();
  assert.doesNotMatch(metrics, /^graygate_requests_total\{.*\} [1-9]/m);
  demo.process.kill('SIGTERM');
  assert.equal(await demo.exit, 0);
  assert.match(demo.said(), /^\{"traffic".+\n\{"rollout":"shop","phase":"progressing".+\n$/);
});

for (const [option, other] of [
  ['--port', '--admin-port'],
  ['--admin-port', '--port'],
] as const) {
  test(`a taken port is named together with ${option}, and nothing is left running`, async (t) => {
    const holder = createServer();
    await once(holder.listen(0, '127.0.0.1'), 'listening');
    t.after(() => holder.close());
    const address = holder.address();
    assert.ok(typeof address === 'object' && address !== null);
    const ports = [option, String(address.port), other, '0'];
    const { code, stdout, stderr } = await run(process.execPath, [bin, 'demo', ...ports]);
    assert.deepEqual([code, stdout], [1, '']);
    const expected = `graygate: port ${address.port} is taken; name another with ${option} NUMBER, or 0 for any that is free\n`;
    assert.equal(stderr, expected);
  });
}

/** Starts the demo on free ports with a copy of its policy, and waits until it has said where everything is. */
async function startDemo(t: TestContext, ...options: string[]) {
  const folder = mkdtempSync(join(tmpdir(), "graygate-demo's "));
  const policy = join(folder, 'demo.yaml');
  copyFileSync('config/demo.yaml', policy);
  const args = [bin, 'demo', ...freePorts, '--config', policy, ...options];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = once(child, 'close').then(([code]: unknown[]) => code);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  t.after(async () => {
    child.kill('SIGKILL');
    await exit;
    rmSync(folder, { recursive: true });
  });
  const isUp = options.includes('--json') ? /^\{.+\}\n/ : /Ctrl-C stops everything\.\n/;
  const isReady = () => {
    assert.equal(child.exitCode, null, stderr);
    return isUp.test(stdout);
  };
  await eventually('the demo to be up', isReady);
  const trafficUrl = /http:\/\/127\.0\.0\.1:\d+/.exec(stdout)![0];
  return { process: child, exit, policy, trafficUrl, said: () => stdout, complained: () => stderr };
}
