// Links in alerts, as a person who gets one uses them: over a restart, once, and never made by the receiver itself.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openReceiver, type Receiver } from '../controller/receiver.ts';
import { eventually } from '../support/eventually.ts';
import { serve, type Serving, temporaryFolder } from '../support/serving.ts';

const secret = 'known-to-the-receiver';

function policyOf(webhook: string): string {
  return `version: 1
listen: 127.0.0.1:0
admin: { listen: 127.0.0.1:0 }
alerts:
  - { webhook: "${webhook}", format: json, on: [paused], secret: ${secret}, approveUrl: "https://graygate.example.com" }
rollouts:
  - name: shop
    versions:
      stable: { servers: ["http://127.0.0.1:1"] }
      canary: { servers: ["http://127.0.0.1:1"] }
    stages: [{ name: small, percent: 0, hold: 1h }, { name: full, percent: 100 }]
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

/** The token of the link to roll back in the newest of so many alerts. */
async function tokenIn({ received }: Receiver, count: number): Promise<string> {
  const { body } = await eventually('the alert', () => received[count - 1]);
  return String(JSON.parse(body).links.rollback).replace('https://graygate.example.com/api/v1/links/', '');
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
  assert.equal((await press(second, old)).status, 412, 'known, and about a state before');
  await act(second, 'resume');
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

function keptKey(file: string): string {
  const database = new DatabaseSync(file, { readOnly: true });
  const row = database.prepare(`SELECT json FROM named_value WHERE key = 'link-key'`).get();
  database.close();
  return JSON.parse(String(row?.['json']));
}
