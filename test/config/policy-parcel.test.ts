// A policy that another process builds from its parcel is the one that was loaded here.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadPolicy, type LoadedPolicy } from '../../src/config/load-policy.ts';
import { unpackPolicy } from '../../src/config/policy-parcel.ts';
import type { Policy } from '../../src/rollout/policy.ts';
import { shopPolicy, temporaryFolder } from './policy-folder.ts';

async function loaded(file: string, env: Record<string, string> = {}): Promise<LoadedPolicy> {
  const result = await loadPolicy(file, env);
  assert.ok(result.ok, JSON.stringify(result));
  return result;
}

/** As it comes out on the other side of a link between processes. */
function passOn({ packed: { parcel, lists } }: LoadedPolicy, shareCount = 1): Policy {
  const users = new Map(lists.map((list) => [list.name, list.users]));
  return unpackPolicy(structuredClone(parcel), { usersOf: (name) => users.get(name)!, shareCount });
}

/** Functions are compared by what they are made of, sets of addresses by what they say. */
function comparable(policy: Policy): unknown {
  const served = { ...policy, admin: null, alerts: null, store: null };
  return JSON.parse(
    JSON.stringify(served, (_key, value: unknown) => {
      if (value instanceof Set) return [...value];
      if (typeof value === 'function') return String(value);
      return value === Infinity ? 'Infinity' : value;
    }),
  );
}

test('every key of the reference comes out the same, but for what serving does not read', async () => {
  const result = await loaded('config/reference.yaml');
  assert.deepEqual(comparable(passOn(result)), comparable(result.policy));
});

test('no file is read and no variable replaced on the other side', async (t) => {
  const folder = await temporaryFolder(t);
  const keys = `    rules: [{ name: testers, when: { user: { file: testers.txt } }, use: canary }]
    salt: "\${SALT}"
`;
  await writeFile(join(folder, 'testers.txt'), 'u-1\n\u{5F20}\u{4E09}\n');
  await writeFile(join(folder, 'p.yaml'), shopPolicy(keys));
  const result = await loaded(join(folder, 'p.yaml'), { SALT: 'spring' });
  await writeFile(join(folder, 'testers.txt'), 'nobody\n');
  const policy = passOn(result);
  const [rollout] = policy.rollouts;
  assert.equal(rollout!.salt, 'spring');
  assert.deepEqual(rollout!.rules, result.policy.rollouts[0]!.rules);
  assert.equal(rollout!.staging.release, result.policy.rollouts[0]!.staging.release);
});

test('limits of the gateway as a whole are shared out, and the release is still the same', async (t) => {
  const folder = await temporaryFolder(t);
  const text = shopPolicy(undefined, 'limits: { connections: 1000, connectionsPerSecond: 100 }\n')
    .replace('10.0.0.1:3000] }', '10.0.0.1:3000], limits: { maxRequests: 10 } }')
    .replace('10.0.0.2:3000] }', '10.0.0.2:3000], limits: { maxRequests: 10, maxPending: 0 } }');
  await writeFile(join(folder, 'p.yaml'), text);
  const result = await loaded(join(folder, 'p.yaml'));
  const { limits, rollouts } = passOn(result, 3);
  assert.deepEqual([limits.connections, limits.connectionsPerSecond], [334, 34]);
  assert.deepEqual(
    rollouts[0]!.versions.map(({ serving }) => serving.limits),
    [
      { maxRequestCount: 4, maxPendingCount: Infinity },
      { maxRequestCount: 4, maxPendingCount: 0 },
    ],
  );
  assert.equal(rollouts[0]!.staging.release, result.policy.rollouts[0]!.staging.release);
});

test('tokens, secrets of alerts and the store stay here', async () => {
  const text = await readFile('config/reference.yaml', 'utf8');
  assert.match(text, /ALERT_SECRET/);
  const env = { GRAYGATE_OPERATOR_TOKEN: 'token-of-operators', ALERT_SECRET: 'secret-of-alerts' };
  const { packed } = await loaded('config/reference.yaml', env);
  const sent = JSON.stringify(packed.parcel);
  for (const secret of Object.values(env)) assert.ok(!sent.includes(secret), secret);
});
