import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assignUsers, stepsOf } from '../../src/rollout/assign-users.ts';
import { bucketOf } from '../../src/rollout/bucket.ts';
import type { Rollout } from '../../src/rollout/policy.ts';
import { rolloutOf, type RolloutSketch } from '../support/policies.ts';
import { stageOf, stagingOf } from '../support/rollout-machine.ts';

const users = Array.from({ length: 2_000 }, (_, i) => `user-${i + 1}`);
const versions = {
  stable: { servers: ['http://127.0.0.1:1'] },
  canary: { servers: ['http://127.0.0.1:2'] },
};

function staged(sketch: Partial<RolloutSketch> = {}): Rollout {
  return rolloutOf({ versions, staging: stagingOf({ stages: [stageOf(0), stageOf(10), stageOf(100)] }), ...sketch });
}

function bucketsBelow(salt: string, bound: number): number {
  return users.filter((user) => bucketOf(`${salt}:`, user) < bound).length;
}

test('each step has the users whose buckets its percent covers, and says how many it moved', () => {
  const steps = assignUsers(staged(), users);
  const tenth = bucketsBelow('shop', 1_000);
  const control = users.length - bucketsBelow('shop', 9_900);
  assert.deepEqual(
    steps.map(({ name, percent, users: counts, moved }) => [name, percent, counts, moved]),
    [
      ['s0', 0, [2_000, 0], 0],
      ['s10', 10, [2_000 - tenth, tenth], tenth],
      ['s100', 100, [0, 2_000], 2_000 - tenth],
      ['bake', 99, [control, 2_000 - control], control],
    ],
  );
});

test('a fixed split is one step, with every candidate', () => {
  const three = { ...versions, green: { servers: ['http://127.0.0.1:3'] } };
  const rollout = rolloutOf({ versions: three, split: { canary: 10, green: 20 } });
  const [tenth, third] = [bucketsBelow('shop', 1_000), bucketsBelow('shop', 3_000)];
  assert.deepEqual(
    assignUsers(rollout, users).map(({ name, users: counts }) => [name, counts]),
    [['split', [2_000 - third, tenth, third - tenth]]],
  );
  assert.deepEqual(
    stepsOf(rollout).map(({ percent }) => percent),
    [10],
  );
});

test('rules that name users send them at every stage', () => {
  const base = staged();
  const rule = {
    name: 'testers',
    when: [{ on: 'user', matches: { kind: 'any-of', values: new Set(['user-1', 'user-2']) } }],
    then: { kind: 'use', version: base.versions[1]! },
  } as const;
  const [first] = assignUsers({ ...base, rules: [rule] }, users);
  assert.deepEqual([first!.users, first!.byRule], [[1_998, 2], 2]);
});

for (const source of [
  { kind: 'cookie', name: 'uid' },
  { kind: 'query', name: 'uid' },
  { kind: 'jwt', claim: 'sub' },
  { kind: 'ip' },
] as const) {
  test(`the ID is taken wherever the rollout looks first: ${source.kind}`, () => {
    const user = { from: [source], anonymous: 'baseline', jwt: null } as const;
    const [, tenth] = assignUsers(staged({ user }), users);
    assert.equal(tenth!.users[1], bucketsBelow('shop', 1_000));
  });
}

test('against another policy it says whom an edit would move, at the same percent', () => {
  const unchanged = assignUsers(staged(), users, staged());
  assert.ok(unchanged.every(({ changed }) => changed!.length === 0));
  const [none, tenth] = assignUsers(staged(), users, staged({ salt: 'other' }));
  assert.deepEqual(none!.changed, []);
  const lost = users.filter((user) => bucketOf('other:', user) < 1_000 && bucketOf('shop:', user) >= 1_000).length;
  const won = users.filter((user) => bucketOf('other:', user) >= 1_000 && bucketOf('shop:', user) < 1_000).length;
  assert.deepEqual(
    new Set(tenth!.changed),
    new Set([
      { from: 'canary', to: 'stable', users: lost },
      { from: 'stable', to: 'canary', users: won },
    ]),
  );
});

test('against a policy with a fixed split, that split is what is compared with', () => {
  const [none, tenth] = assignUsers(staged(), users, rolloutOf({ versions, split: { canary: 10 } }));
  assert.deepEqual(none!.changed, [{ from: 'canary', to: 'stable', users: bucketsBelow('shop', 1_000) }]);
  assert.deepEqual(tenth!.changed, []);
});

test('users who are held out or in another share of the layer stay on the baseline, also at 100 %', () => {
  const layer = { name: 'l', salt: 'l', fromPercent: 0, toPercent: 40 };
  const holdout = { salt: 'h', percent: 5 };
  const shared = users.filter((user) => bucketOf('layer:l:', user) < 4_000);
  const partCount = shared.filter((user) => bucketOf('holdout:h:', user) >= 500).length;
  const last = assignUsers(staged({ layer, holdout }), users).find(({ name }) => name === 's100');
  assert.deepEqual([last?.users, last?.aside], [[2_000 - partCount, partCount], 2_000 - partCount]);
  assert.deepEqual(new Set(assignUsers(staged(), users).map(({ aside }) => aside)), new Set([0]));
});
