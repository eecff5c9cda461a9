// Links in alerts, as a person who gets one uses them: over kills, restarts and reloads, once, and never made by the receiver itself.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openReceiver, type Receiver } from '../controller/receiver.ts';
import { eventually } from '../support/eventually.ts';
import { serve, type Serving, temporaryFolder } from '../support/serving.ts';

const secret = 'known-to-the-receiver';

const smallThenFull = 'stages: [{ name: small, percent: 0, hold: 1h }, { name: full, percent: 100 }]';

function policyOf(webhook: string, stages = smallThenFull): string {
  return `version: 1
listen: 127.0.0.1:0
admin: { listen: 127.0.0.1:0 }
alerts:
  - { webhook: "${webhook}", format: json, on: [paused, waiting], secret: ${secret}, approveUrl: "https://graygate.example.com" }
rollouts:
  - name: shop
    versions:
      stable: { servers: ["http://127.0.0.1:1"] }
      canary: { servers: ["http://127.0.0.1:1"] }
    ${stages}
`;
}

function press({ adminUrl }: Serving, token: string): Promise<Response> {
  return fetch(`${adminUrl}/api/v1/links/${token}`, {
    method: 'POST',
    body: new URLSearchParams({ reason: 'a test' }),
  });
}

async function act({ adminUrl }: Serving, action: string): Promise<void> {
  const answer = await fetch(`${adminUrl}/api/v1/rollouts/shop/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"reason":"a test"}',
  });
  assert.equal(answer.status, 200);
}

/** The token of a link in the newest of so many alerts. */
async function tokenIn({ received }: Receiver, count: number, action = 'rollback'): Promise<string> {
  const { body } = await eventually('the alert', () => received[count - 1]);
  return String(JSON.parse(body).links[action]).replace('https://graygate.example.com/api/v1/links/', '');
}

test('links act once and are known after a restart; their key is shown nowhere, and the webhook secret is not it', async (t) => {
  const receiver = await openReceiver();
  t.after(() => receiver.close());
  const folder = temporaryFolder(t);
  const first = await serve(t, folder, policyOf(receiver.url));
  await act(first, 'pause');
  const old = await tokenIn(receiver, 1);
  first.process.kill('SIGTERM');
  assert.equal(await first.exit, 0);

  const second = await serve(t, folder, policyOf(receiver.url));
  assert.equal((await fetch(`${second.adminUrl}/api/v1/links/${old}`)).status, 200, 'known');
  await act(second, 'resume');
  assert.equal((await press(second, old)).status, 412, 'about a state before');
  await act(second, 'pause');
  const token = await tokenIn(receiver, 2);
  const claims = token.split('.')[0]!;
  const forged = createHmac('sha256', secret).update('graygate-action-link:').update(claims).digest('base64url');
  assert.equal((await press(second, `${claims}.${forged}`)).status, 404);
  const page = await fetch(`${second.adminUrl}/api/v1/links/${token}`);
  assert.match(await page.text(), /Roll back shop\?/);
  assert.equal((await press(second, token)).status, 200);
  const by = `link sent to ${new URL(receiver.url).host}`;
  await eventually('the rollback', () => second.log.some((line) => line['change'] === 'rollback' && line['by'] === by));
  assert.equal((await press(second, token)).status, 412);

  const shown = await Promise.all(
    ['rollouts/shop', 'rollouts/shop/history', 'policy'].map(async (path) => {
      return (await fetch(`${second.adminUrl}/api/v1/${path}`)).text();
    }),
  );
  const said = JSON.stringify([first.log, second.log, receiver.received]);
  second.process.kill('SIGTERM');
  await second.exit;
  const key = keptKey(join(folder, 'data', 'graygate.db'));
  assert.ok(key.length >= 43, 'at least 256 bits');
  assert.ok(![...shown, said].some((text) => text.includes(key)));
  const holders = readdirSync(join(folder, 'data')).filter((name) => {
    return readFileSync(join(folder, 'data', name), 'latin1').includes(key);
  });
  assert.deepEqual(holders, ['graygate.db']);
});

for (const action of ['approve', 'rollback']) {
  test(`a link to ${action} acts after a kill, a restart and a reload that do not touch its rollout`, async (t) => {
    const receiver = await openReceiver();
    t.after(() => receiver.close());
    const folder = temporaryFolder(t);
    const stages =
      'stages: [{ name: none, percent: 0, hold: 1s, approve: manual }, { name: some, percent: 20, hold: 1h }]';
    const policy = policyOf(receiver.url, stages);
    const killed = await serve(t, folder, policy);
    const token = await tokenIn(receiver, 1, action);
    killed.process.kill('SIGKILL');
    await killed.exit;
    const stopped = await serve(t, folder, policy);
    stopped.process.kill('SIGTERM');
    await stopped.exit;

    const serving = await serve(t, folder, policy);
    writeFileSync(serving.policyFile, policy.replace('rollouts:', `rollouts:\n${otherRollout}`));
    serving.process.kill('SIGHUP');
    await eventually('the reload', () => serving.log.some(({ msg }) => msg === 'policy loaded'));
    assert.equal((await press(serving, token)).status, 200);
    await eventually('the action', () => serving.log.some((line) => line['change'] === changeOf[action]));
    assert.equal((await press(serving, token)).status, 412, 'once');
    assert.equal(receiver.received.length, 1, 'nobody is told anew of what has not changed');
  });
}

const changeOf: Readonly<Record<string, string>> = { approve: 'advance', rollback: 'rollback' };

const otherRollout = `  - name: other
    match: { path: /other }
    versions: { stable: { servers: ["http://127.0.0.1:1"] }, canary: { servers: ["http://127.0.0.1:1"] } }
    split: { canary: 10 }`;

function keptKey(file: string): string {
  const database = new DatabaseSync(file, { readOnly: true });
  const row = database.prepare(`SELECT json FROM named_value WHERE key = 'link-key'`).get();
  database.close();
  return JSON.parse(String(row?.['json']));
}
