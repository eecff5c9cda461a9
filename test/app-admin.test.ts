// Whose links act: the one decision that fitting the admin port to the policy takes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adminPartsOf } from '../src/app-admin.ts';
import { signActionLink } from '../src/controller/action-link.ts';
import type { AlertTarget } from '../src/rollout/policy.ts';
import { policyOf } from './support/policies.ts';

const target = (secret: string, approveUrl: string | null): AlertTarget => ({
  url: `https://hooks.example.com/${secret}`,
  format: 'json',
  on: ['rolled-back'],
  secret,
  approveUrl,
});

test('a receiver that is sent no links cannot sign one with its secret', () => {
  const policy = policyOf({ alerts: [target('acts', 'https://graygate.example.com'), target('listens', null)] });
  // Reading a link asks for nothing but the policy.
  const input = { control: { store: {}, experiments: {} }, policy: () => policy };
  const { links } = adminPartsOf(input as unknown as Parameters<typeof adminPartsOf>[0]);
  const link = {
    id: 'a',
    rollout: 'shop',
    action: 'rollback',
    release: '1',
    revision: 7,
    expiresMs: 9,
    by: 'x',
  } as const;
  assert.deepEqual(links.read(signActionLink(link, 'acts'), 0), { ok: true, link });
  assert.deepEqual(links.read(signActionLink(link, 'listens'), 0), { ok: false, reason: 'forged' });
});
