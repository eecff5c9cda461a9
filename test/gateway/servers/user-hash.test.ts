// Users and their servers: who stays, who moves, and that everyone comes back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { UserHash } from '../../../src/gateway/servers/user-hash.ts';
import { sharesOf, type Sketch } from './shares.ts';

const users = Array.from({ length: 20_000 }, (_, index) => `u-${index}`);

function ownersIn(weights: Readonly<Record<string, number>>): string[] {
  const balancer = new UserHash<Sketch>();
  balancer.prepare(sharesOf(weights));
  return users.map((user) => balancer.pick([], user)!.label);
}

function countOf(owners: readonly string[], name: string): number {
  return owners.filter((owner) => owner === name).length;
}

/** Names with weights, at least `least` of them. */
const fleets = (least: number) =>
  fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.integer({ min: 1, max: 5 }), {
    minKeys: least,
    maxKeys: 8,
    noNullPrototype: true,
  });

test('a user stays on one server, in every process and whatever the order of the servers', () => {
  assert.deepEqual(ownersIn({ a: 1, b: 2, c: 1 }), ownersIn({ c: 1, a: 1, b: 2 }));
});

test('servers get users in proportion to their weights', () => {
  const owners = ownersIn({ a: 1, b: 2, c: 5 });
  for (const [name, share] of Object.entries({ a: 1 / 8, b: 2 / 8, c: 5 / 8 })) {
    const ratio = countOf(owners, name) / owners.length;
    assert.ok(Math.abs(ratio - share) < 0.015, `${name} has ${ratio} of the users`);
  }
});

test('when a server goes only its own users move, to all the others by weight', () => {
  fc.assert(
    fc.property(fleets(2), fc.nat(), (weights, nth) => {
      const names = Object.keys(weights);
      const gone = names[nth % names.length]!;
      const before = ownersIn(weights);
      const { [gone]: _, ...left } = weights;
      const after = ownersIn(left);
      for (const [index, owner] of before.entries()) if (owner !== gone) assert.equal(after[index], owner);
    }),
    { seed: 1, numRuns: 20 },
  );
});

test('one of ten servers that goes moves about a tenth of the users, evenly over the nine', () => {
  const names = Array.from({ length: 10 }, (_, index) => `http://10.0.0.${index}:3000`);
  const before = ownersIn(Object.fromEntries(names.map((name) => [name, 1])));
  const after = ownersIn(Object.fromEntries(names.slice(1).map((name) => [name, 1])));
  const moved = after.filter((owner, index) => owner !== before[index]);
  assert.ok(Math.abs(moved.length / users.length - 0.1) < 0.01, `${moved.length} of ${users.length} moved`);
  for (const name of names.slice(1)) {
    const ratio = countOf(moved, name) / moved.length;
    assert.ok(Math.abs(ratio - 1 / 9) < 0.03, `${name} got ${ratio} of those who moved`);
  }
});

test('a heavier server takes users from the others and moves nobody between them', () => {
  fc.assert(
    fc.property(fleets(3), fc.nat(), (weights, nth) => {
      const names = Object.keys(weights);
      const grown = names[nth % names.length]!;
      const before = ownersIn(weights);
      const after = ownersIn({ ...weights, [grown]: weights[grown]! + 3 });
      for (const [index, owner] of after.entries()) if (owner !== grown) assert.equal(before[index], owner);
    }),
    { seed: 2, numRuns: 20 },
  );
});

test('while a server is out its users are where they would be without it, and then they come back', () => {
  const shares = sharesOf({ a: 1, b: 1, c: 1 });
  const balancer = new UserHash<Sketch>();
  balancer.prepare(shares);
  const before = users.map((user) => balancer.pick([], user)!.label);
  balancer.prepare(shares.slice(1));
  const without = users.map((user) => balancer.pick([], user)!.label);
  balancer.prepare(shares);
  const after = users.map((user) => balancer.pick([], user)!.label);
  assert.deepEqual(after, before);
  // A server that has no room, or was tried, leaves its users to the same ones.
  shares[0]!.server.hasRoom = false;
  assert.deepEqual(
    users.map((user) => balancer.pick([], user)!.label),
    without,
  );
  shares[0]!.server.hasRoom = true;
  const first = shares[0]!.server;
  assert.deepEqual(
    users.map((user) => balancer.pick([first], user)!.label),
    without,
  );
});

test('where the first and the second cannot be asked the third is, and nobody where none can', () => {
  const shares = sharesOf({ a: 1, b: 1, c: 1 });
  const balancer = new UserHash<Sketch>();
  balancer.prepare(shares);
  for (const user of users.slice(0, 50)) {
    const first = balancer.pick([], user)!;
    const second = balancer.pick([first], user)!;
    const third = balancer.pick([first, second], user)!;
    assert.equal(new Set([first, second, third]).size, 3);
    assert.equal(balancer.pick([first, second, third], user), null);
  }
});

test('no server, no pick', () => {
  const balancer = new UserHash<Sketch>();
  balancer.prepare([]);
  assert.equal(balancer.pick([], 'u'), null);
});

test('users whose names differ in bytes above ASCII differ', () => {
  const balancer = new UserHash<Sketch>();
  balancer.prepare(sharesOf({ a: 1, b: 1, c: 1, d: 1 }));
  const chinese = Array.from({ length: 200 }, (_, index) =>
    Buffer.from(String.fromCodePoint(0x4e00 + index), 'utf8').toString('latin1'),
  );
  const owners = chinese.map((user) => balancer.pick([], user)!.label);
  for (const name of 'abcd') assert.ok(countOf(owners, name) > 20, `${name} has ${countOf(owners, name)} of 200`);
});
