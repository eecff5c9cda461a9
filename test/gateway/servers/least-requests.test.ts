// The less busy of two that chance draws, with chance in the test's hand or seeded.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { LeastRequests } from '../../../src/gateway/servers/least-requests.ts';
import { sharesOf, type Sketch } from './shares.ts';

/** Numbers from 0 to below 1 that are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

test('of two servers the one with fewer requests under way is asked, whatever chance says', () => {
  for (const drawn of [0, 0.3, 0.6, 0.999]) {
    const shares = sharesOf({ a: 1, b: 1 });
    shares[0]!.server.inFlightCount = 3;
    shares[1]!.server.inFlightCount = 2;
    const balancer = new LeastRequests<Sketch>(() => drawn);
    balancer.prepare(shares);
    assert.equal(balancer.pick([])!.label, 'b');
  }
});

test('a server of twice the weight is as busy with twice the requests', () => {
  const shares = sharesOf({ heavy: 2, light: 1 });
  shares[0]!.server.inFlightCount = 3;
  shares[1]!.server.inFlightCount = 2;
  const balancer = new LeastRequests<Sketch>(seeded(1));
  balancer.prepare(shares);
  for (let i = 0; i < 20; i += 1) assert.equal(balancer.pick([])!.label, 'heavy');
});

test('while nobody is busy the shares are as the weights', () => {
  const shares = sharesOf({ a: 5, b: 3, c: 2 });
  const balancer = new LeastRequests<Sketch>(seeded(2));
  balancer.prepare(shares);
  const counts: Record<string, number> = { a: 0, b: 0, c: 0 };
  for (let i = 0; i < 10_000; i += 1) counts[balancer.pick([])!.label]! += 1;
  for (const [name, expected] of Object.entries({ a: 5_000, b: 3_000, c: 2_000 })) {
    assert.ok(Math.abs(counts[name]! - expected) < 250, `${name} was asked ${counts[name]} times`);
  }
});

test('requests that stay spread evenly over servers of one weight', () => {
  const shares = sharesOf({ a: 1, b: 1, c: 1, d: 1, e: 1 });
  const balancer = new LeastRequests<Sketch>(seeded(3));
  balancer.prepare(shares);
  for (let i = 0; i < 1_000; i += 1) balancer.pick([])!.inFlightCount += 1;
  for (const { server } of shares) {
    assert.ok(Math.abs(server.inFlightCount - 200) < 10, `${server.label} has ${server.inFlightCount}`);
  }
});

test('one that can be asked is found, and never one that was tried or has no room', () => {
  const rows = fc.array(
    fc.record({ weight: fc.integer({ min: 1, max: 9 }), room: fc.boolean(), tried: fc.boolean() }),
    {
      maxLength: 6,
    },
  );
  fc.assert(
    fc.property(rows, fc.integer(), (sketches, seed) => {
      const shares = sharesOf(Object.fromEntries(sketches.map(({ weight }, index) => [`s${index}`, weight])));
      shares.forEach(({ server }, index) => (server.hasRoom = sketches[index]!.room));
      const tried = shares.filter((_, index) => sketches[index]!.tried).map(({ server }) => server);
      const open = shares.filter(({ server }) => server.hasRoom && !tried.includes(server));
      const balancer = new LeastRequests<Sketch>(seeded(seed));
      balancer.prepare(shares);
      const picked = balancer.pick(tried);
      if (open.length === 0) assert.equal(picked, null);
      else assert.ok(open.some(({ server }) => server === picked));
    }),
    { seed: 4 },
  );
});

test('both of two draws are different servers, fractions of weights included', () => {
  const shares = sharesOf({ a: 0.1, b: 0.2, c: 0.7 });
  const balancer = new LeastRequests<Sketch>(seeded(5));
  balancer.prepare(shares);
  shares[0]!.server.inFlightCount = 1_000;
  for (let i = 0; i < 10_000; i += 1) assert.notEqual(balancer.pick([])!.label, 'a');
});
