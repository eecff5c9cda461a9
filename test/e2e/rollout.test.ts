// A release that moves by itself, in a real process: a bad one is back within seconds and few users see it, a killed one
// harms nobody, and a killed gateway goes on where it was.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { serve, startUpstream, stopUpstream, temporaryFolder, type Upstream } from '../support/serving.ts';
import { shopRolloutText } from '../support/shop-policy-text.ts';
import { startLoad } from '../support/steady-load.ts';

function policyOf({ stable, canary }: { stable: Upstream; canary: Upstream }, stages: string): string {
  const keys = `release: "2"
stages: ${stages}
analysis: { down: 1s, checks: [{ metric: error-rate }] }`;
  return shopRolloutText({ stable: stable.url, canary: canary.url }, keys);
}

const fivePercent = '[{ name: small, percent: 5, hold: 1h }, { name: full, percent: 100 }]';

test('a canary that fails half of its requests is rolled back before 20 users saw an error', async (t) => {
  const stable = await startUpstream(t, (_, response) => response.end('old'));
  let count = 0;
  const canary = await startUpstream(t, (_, response) => {
    count += 1;
    response.statusCode = count % 2 === 0 ? 500 : 200;
    response.end('new');
  });
  const gateway = await serve(t, temporaryFolder(t), policyOf({ stable, canary }, fivePercent));
  const load = startLoad({ port: gateway.port, perSecond: 200, users: 20_000 });
  const change = await eventually(
    'the rollback',
    () => gateway.log.find((line) => line['change'] === 'rollback'),
    30_000,
  );
  assert.match(
    change.msg,
    /^canary is rolled back from 5 %: canary fails .* % of requests, stable 0 %; .* below 1 in /,
  );
  const sent = load.sentCount();
  const later = () => load.answers.filter(({ number }) => number >= sent);
  await eventually('requests after the rollback', () => later().length > 200);
  await load.stop();
  assert.deepEqual(new Set(later().map(({ version }) => version)), new Set(['stable']));
  const hurt = new Set(load.answers.filter(({ status }) => status >= 500).map(({ user }) => user));
  assert.ok(hurt.size > 0 && hurt.size < 20, `${hurt.size} users saw an error`);
});

test('a canary that is killed is rolled back, and with fallback no user sees an error', async (t) => {
  const stable = await startUpstream(t, (_, response) => response.end('old'));
  const canary = await startUpstream(t, (_, response) => response.end('new'));
  const gateway = await serve(t, temporaryFolder(t), policyOf({ stable, canary }, fivePercent));
  const load = startLoad({ port: gateway.port, perSecond: 200, users: 2_000 });
  await eventually('the canary to serve', () => load.answers.filter(({ version }) => version === 'canary').length > 10);
  stopUpstream(canary);
  const change = await eventually(
    'the rollback',
    () => gateway.log.find((line) => line['change'] === 'rollback'),
    30_000,
  );
  assert.match(change.msg, /canary/);
  await load.stop();
  assert.deepEqual(
    load.answers.filter(({ status }) => status !== 200),
    [],
  );
});

test('kill -9 in a stage: the next process has the same phase, stage and percent, and users stay on their version', async (t) => {
  const stable = await startUpstream(t, (_, response) => response.end('old'));
  const canary = await startUpstream(t, (_, response) => response.end('new'));
  const folder = temporaryFolder(t);
  const stages =
    '[{ name: first, percent: 20, hold: 1s, minRequests: 5 }, { name: second, percent: 40, hold: 1h }, { name: full, percent: 100 }]';
  const policy = policyOf({ stable, canary }, stages).replace('down: 1s,', 'down: 1s, advance: time,');
  const first = await serve(t, folder, policy);
  const load = startLoad({ port: first.port, perSecond: 100, users: 200 });
  await eventually('the second stage', () => first.log.some((line) => line['change'] === 'advance'));
  const seen = new Map(load.answers.map(({ user }) => [user, '']));
  await load.stop();
  await askAll(first.port, seen);
  first.process.kill('SIGKILL');
  await first.exit;
  const second = await serve(t, folder, policy);
  const restored = second.log.find((line) => line['change'] === 'restore');
  assert.deepEqual(
    { phase: restored?.['phase'], name: restored?.['name'], percent: restored?.['percent'] },
    { phase: 'progressing', name: 'second', percent: 40 },
  );
  const again = new Map(seen);
  await askAll(second.port, again);
  assert.deepEqual(again, seen);
  assert.ok([...seen.values()].includes('canary') && [...seen.values()].includes('stable'));
});

/** Fills in the version that each user gets. */
async function askAll(port: number, versions: Map<string, string>): Promise<void> {
  for (const user of versions.keys()) {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-user-id': user } });
    await answer.arrayBuffer();
    versions.set(user, answer.headers.get('x-graygate-version') ?? '');
  }
}
