// Which assignments count, through the very bytes that a worker sends.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Assignment } from '../../src/rollout/observation.ts';
import { SplitCells } from '../../src/rollout/split.ts';
import { ObservationWriter, readObservations } from '../../src/workers/observation-codec.ts';
import { sinkOf } from '../../src/workers/observation-sink.ts';
import { RolloutNumbers } from '../../src/workers/rollout-numbers.ts';
import { SplitSerials } from '../../src/workers/split-serials.ts';
import { policyOf, rolloutOf } from '../support/policies.ts';

const server = { servers: ['http://127.0.0.1:1'] };
const shop = rolloutOf({ versions: { stable: server, canary: server } });

test('users count by the split in force, and not by one that was replaced', () => {
  const numbers = new RolloutNumbers();
  const [number] = numbers.follow(policyOf({ rollouts: [shop] }));
  const serials = new SplitSerials(new SplitCells());
  const counted: (string | null)[] = [];
  const sink = sinkOf({ assigned: ({ user }) => counted.push(user), observed: () => undefined }, numbers, serials);
  const say = (user: string, split: number): void => {
    const writer = new ObservationWriter();
    const assignment: Assignment = { rollout: shop, version: shop.versions[0], rule: null, bucket: 1, user };
    writer.assigned(number!, split, assignment);
    readObservations(writer.take(), sink);
  };
  const first = serials.advance(shop).serial;
  say('u-1', first);
  const second = serials.advance(shop).serial;
  say('u-2', first);
  say('u-3', second);
  assert.deepEqual(counted, ['u-1', 'u-3']);
});
