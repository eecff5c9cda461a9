// Splits and rollouts as both ends of a link call them, over changes of the policy.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layOutSplit, SplitCells } from '../../src/rollout/split.ts';
import { RolloutNumbers } from '../../src/workers/rollout-numbers.ts';
import { SplitPlaces } from '../../src/workers/split-places.ts';
import { SplitSerials } from '../../src/workers/split-serials.ts';
import { policyOf, rolloutOf } from '../support/policies.ts';

const server = { servers: ['http://127.0.0.1:1'] };
const shop = rolloutOf({ versions: { stable: server, canary: server }, split: { canary: 10 } });
const renamed = rolloutOf({ versions: { stable: server, blue: server }, split: { blue: 20 } });
const splitOf = (percent: number) => layOutSplit(shop.versions, { canary: percent });

test('what the control process publishes is in the place of the rollout', () => {
  const cells = new SplitCells();
  const serials = new SplitSerials(cells);
  const places = new SplitPlaces();
  for (const percent of [30, 0, 100]) {
    cells.of(shop).current = splitOf(percent);
    places.take(structuredClone(serials.advance(shop)));
    assert.deepEqual(places.of(shop).cell.current, splitOf(percent));
    assert.equal(places.of(shop).serial, serials.serialOf(shop));
  }
});

test('requests that began on a policy go on with its cell', () => {
  const places = new SplitPlaces();
  const { cell } = places.of(shop);
  places.take({ rollout: 'shop', versions: 'stable canary', serial: 1, split: splitOf(30) });
  assert.deepEqual(cell.current, splitOf(30));
  assert.notEqual(places.of(renamed).cell, cell);
  places.keepOnly([renamed]);
  assert.notEqual(places.of(shop).cell, cell);
});

test('news that were overtaken change nothing', () => {
  const places = new SplitPlaces();
  places.take({ rollout: 'shop', versions: 'stable canary', serial: 7, split: splitOf(0) });
  places.take({ rollout: 'shop', versions: 'stable canary', serial: 6, split: splitOf(50) });
  assert.deepEqual(places.of(shop).cell.current, splitOf(0));
});

test('no two splits of a rollout have the same number, whatever becomes of its versions', () => {
  const serials = new SplitSerials(new SplitCells());
  const seen = [shop, renamed, shop, shop].map((rollout) => serials.advance(rollout).serial);
  assert.deepEqual(seen, [1, 2, 3, 4]);
});

test('a rollout keeps its number until its release or its versions change', () => {
  const numbers = new RolloutNumbers();
  const [first] = numbers.follow(policyOf({ rollouts: [shop] }));
  const edited = { ...shop, salt: 'other' };
  assert.deepEqual(numbers.follow(policyOf({ rollouts: [edited] })), [first]);
  assert.equal(numbers.find(first!), edited);
  const released = { ...shop, staging: { ...shop.staging, release: 'next' } };
  const [second] = numbers.follow(policyOf({ rollouts: [released] }));
  assert.notEqual(second, first);
  assert.equal(numbers.find(first!), null);
  const [third] = numbers.follow(policyOf({ rollouts: [renamed] }));
  assert.equal(new Set([first, second, third]).size, 3);
});
