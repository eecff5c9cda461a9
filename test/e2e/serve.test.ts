// The gateway as an operator runs it: a real process, its real file edited under load, signals.
import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { serve, startUpstream, stopUpstream, temporaryFolder, type Upstream } from '../support/serving.ts';
import { startLoad } from '../support/steady-load.ts';

function policyOf(versions: { stable: Upstream; canary: Upstream }, percent: number | string): string {
  return `version: 1
listen: 127.0.0.1:0
admin: { listen: 127.0.0.1:0 }
timeouts: { drain: 20s }
rollouts:
  - name: shop
    versions:
      stable: { servers: ["${versions.stable.url}"] }
      canary: { servers: ["${versions.canary.url}"] }
    split: { canary: ${percent} }
`;
}

test('50 reloads, some of them of broken files, under 50 busy connections fail not one request', async (t) => {
  const stable = await startUpstream(t, (_, response) => response.end('old'));
  const canary = await startUpstream(t, (_, response) => response.end('new'));
  const gateway = await serve(t, temporaryFolder(t), policyOf({ stable, canary }, 0));
  const load = startLoad({ port: gateway.port, perSecond: 300, users: 50 });
  const reloadsSeen = () => gateway.log.filter(({ msg }) => msg.startsWith('policy ')).length;
  for (let i = 1; i <= 50; i += 1) {
    const isBroken = i % 5 === 0;
    const text = policyOf({ stable, canary }, isBroken ? 'lots' : i);
    if (i % 2 === 0) writeFileSync(gateway.policyFile, text);
    else {
      writeFileSync(`${gateway.policyFile}.new`, text);
      renameSync(`${gateway.policyFile}.new`, gateway.policyFile);
    }
    await eventually(`reload ${i}`, () => reloadsSeen() >= i);
  }
  await load.stop();
  const rejected = gateway.log.filter(({ msg }) => msg.startsWith('policy rejected'));
  assert.equal(rejected.length, 10);
  assert.ok(load.answers.length > 50, `${load.answers.length} requests`);
  assert.deepEqual(
    load.answers.filter(({ status }) => status !== 200),
    [],
  );
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  assert.match(metrics, /^graygate_policy_reloads_total\{result="ok"\} 40$/m);
  assert.match(metrics, /^graygate_policy_reloads_total\{result="error"\} 10$/m);
});

test('SIGTERM under load lets requests under way finish, turns readyz to 503, and exits 0', async (t) => {
  const waiting: (() => void)[] = [];
  const stable = await startUpstream(t, (_, response) => void waiting.push(() => response.end('done')));
  const gateway = await serve(t, temporaryFolder(t), policyOf({ stable, canary: stable }, 0));
  const answers = Array.from({ length: 20 }, async () => (await fetch(`http://127.0.0.1:${gateway.port}/`)).text());
  await eventually('all requests to be under way', () => waiting.length === 20);
  assert.equal((await fetch(`${gateway.adminUrl}/readyz`)).status, 200);
  gateway.process.kill('SIGTERM');
  await eventually('readiness to end', async () => (await fetch(`${gateway.adminUrl}/readyz`)).status === 503);
  await eventually('new connections to be refused', () =>
    fetch(`http://127.0.0.1:${gateway.port}/`).then(
      () => false,
      () => true,
    ),
  );
  for (const finish of waiting) finish();
  assert.deepEqual(new Set(await Promise.all(answers)), new Set(['done']));
  assert.equal(await gateway.exit, 0);
});

test('a killed canary is answered by the baseline, and serves again once it is back', async (t) => {
  const stable = await startUpstream(t, (_, response) => response.end('old'));
  let canary = await startUpstream(t, (_, response) => response.end('new'));
  const port = Number(new URL(canary.url).port);
  const gateway = await serve(t, temporaryFolder(t), policyOf({ stable, canary }, 50));
  const load = startLoad({ port: gateway.port, perSecond: 200, users: 200 });
  const served = (version: string) => load.answers.filter((answer) => answer.version === version).length;
  await eventually('the canary to serve', () => served('canary') > 20);
  stopUpstream(canary);
  const before = served('stable');
  await eventually('the baseline to serve alone', () => served('stable') > before + 200);
  canary = await startUpstream(t, (_, response) => response.end('new'), port);
  const gone = served('canary');
  await eventually('the canary to serve again', () => served('canary') > gone + 20);
  await load.stop();
  assert.deepEqual(
    load.answers.filter(({ status }) => status !== 200),
    [],
  );
});
