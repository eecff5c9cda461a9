// Whether candidates answer, as the API shows it: of one beside the versions, of several at each of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rolloutShape, type ShownRollout } from '../../src/admin/contract.ts';
import type { Measurement } from '../../src/rollout/measurement.ts';
import type { PercentByVersion } from '../../src/rollout/policy.ts';
import { rolloutOf } from '../support/policies.ts';
import { fixedOf, measuredAt } from '../support/rollout-machine.ts';
import { type AdminPort, openAdminPort } from './admin-port.ts';

const refused = { kind: 'refused', sinceMs: 7 } as const;
const up = { kind: 'up' } as const;

/** An admin port whose rollout has a fixed split. */
async function openWith(split: PercentByVersion, measured: Measurement | null): Promise<AdminPort> {
  const names = ['stable', 'canary', 'green', 'idle'];
  const versions = Object.fromEntries(names.map((name, i) => [name, { servers: [`http://10.0.0.${i + 1}:3000`] }]));
  const staging = { ...fixedOf(split), candidates: ['canary', 'green', 'idle'] as const };
  const admin = await openAdminPort();
  admin.rooms.rollout = rolloutOf({ versions, split, staging });
  admin.rooms.measured = measured;
  return admin;
}

async function shown(admin: AdminPort): Promise<ShownRollout> {
  const reply = await admin.ask('/api/v1/rollouts/shop');
  const body = reply.json();
  assert.deepEqual(rolloutShape.parse(body), body, 'as the description says');
  return body as unknown as ShownRollout;
}

function healthIn({ versions }: ShownRollout) {
  return versions.map((version) => ('health' in version ? version.health : 'none'));
}

test('of several candidates with users each says whether it answers, and no other version does', async () => {
  const others = [{ version: 'green', health: refused }];
  const rollout = await shown(await openWith({ canary: 20, green: 10 }, measuredAt(0, { others })));
  assert.deepEqual(healthIn(rollout), ['none', up, refused, 'none']);
  assert.deepEqual(rollout.candidateHealth, up);
});

test('a candidate that nothing is said of answers, and the first is the one that was measured apart', async () => {
  const rollout = await shown(await openWith({ canary: 20, green: 10 }, measuredAt(0, { candidate: refused })));
  assert.deepEqual(healthIn(rollout), ['none', refused, up, 'none']);
  assert.deepEqual(rollout.candidateHealth, refused);
});

test('before anything is measured nobody knows', async () => {
  const rollout = await shown(await openWith({ canary: 20, green: 10 }, null));
  assert.deepEqual(healthIn(rollout), ['none', null, null, 'none']);
});

test('of one candidate it stands beside the versions alone', async () => {
  const rollout = await shown(await openWith({ canary: 20 }, measuredAt(0, { candidate: refused })));
  assert.deepEqual(healthIn(rollout), ['none', 'none', 'none', 'none']);
  assert.deepEqual(rollout.candidateHealth, refused);
});
