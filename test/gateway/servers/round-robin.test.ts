// Turn-taking as plain objects: what weights mean, and what a server that cannot be asked does to the turns of others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { RoundRobin } from '../../../src/gateway/servers/round-robin.ts';
import { sharesOf, type Sketch } from './shares.ts';

function turnsOf(balancer: RoundRobin<Sketch>, count: number): string {
  let order = '';
  for (let i = 0; i < count; i += 1) order += balancer.pick([])?.label ?? '-';
  return order;
}

test('servers come in turn by their weights, without runs of the heaviest', () => {
  const balancer = new RoundRobin<Sketch>();
  balancer.prepare(sharesOf({ a: 5, b: 1, c: 1 }));
  assert.equal(turnsOf(balancer, 14), 'aabacaaaabacaa');
});

test('in every round each server is asked as often as its weight says', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 }), (weights) => {
      const balancer = new RoundRobin<Sketch>();
      const names = weights.map((_, index) => String.fromCodePoint(97 + index));
      balancer.prepare(sharesOf(Object.fromEntries(names.map((name, index) => [name, weights[index]!]))));
      const order = turnsOf(
        balancer,
        weights.reduce((sum, weight) => sum + weight, 0),
      );
      const counts = names.map((name) => order.split(name).length - 1);
      assert.deepEqual(counts, weights);
    }),
    { seed: 1 },
  );
});

test('who stays keeps its place when another one goes or comes', () => {
  const shares = sharesOf({ a: 1, b: 1, c: 1 });
  const balancer = new RoundRobin<Sketch>();
  balancer.prepare(shares);
  assert.equal(turnsOf(balancer, 1), 'a');
  balancer.prepare(shares.slice(0, 2));
  assert.match(turnsOf(balancer, 8), /^b(?=(?:.*b){3})(?=(?:.*a){3})/);
});

test('who steps in for a server that was tried keeps its own turn', () => {
  const shares = sharesOf({ a: 1, b: 1 });
  const balancer = new RoundRobin<Sketch>();
  balancer.prepare(shares);
  const first = balancer.pick([])!;
  assert.deepEqual([first.label, balancer.pick([first])!.label, balancer.pick([])!.label], ['a', 'b', 'b']);
});

test('a server without room is passed over and saves up no turns', () => {
  const shares = sharesOf({ a: 1, b: 1 });
  const balancer = new RoundRobin<Sketch>();
  balancer.prepare(shares);
  shares[0]!.server.hasRoom = false;
  assert.equal(turnsOf(balancer, 4), 'bbbb');
  shares[0]!.server.hasRoom = true;
  assert.equal(turnsOf(balancer, 4), 'abab');
});

test('nobody is picked where all were tried, have no room, or there are none', () => {
  const shares = sharesOf({ a: 1, b: 1 });
  const balancer = new RoundRobin<Sketch>();
  assert.equal(balancer.pick([]), null);
  balancer.prepare(shares);
  assert.equal(balancer.pick(shares.map(({ server }) => server)), null);
  for (const { server } of shares) server.hasRoom = false;
  assert.equal(balancer.pick([]), null);
});
