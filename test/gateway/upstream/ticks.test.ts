// Coarse time: never early, and nothing left running.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Ticks } from '../../../src/gateway/upstream/ticks.ts';

test('a deadline never comes early, and at most two steps late', (t) => {
  t.after(() => mock.timers.reset());
  mock.timers.enable({ apis: ['setInterval'] });
  const ticks = new Ticks(100);
  let steps = 0;
  const ticking = { tick: () => void (steps += 1) };
  ticks.watch(ticking);
  mock.timers.tick(250);
  const [deadline, last] = [ticks.after(150), ticks.before(350)];
  mock.timers.tick(149);
  assert.ok(ticks.now < deadline);
  mock.timers.tick(201);
  assert.deepEqual([ticks.now >= deadline, ticks.now >= last, steps], [true, true, 6]);
});

test('nothing ticks where nothing is watched', (t) => {
  t.after(() => mock.timers.reset());
  mock.timers.enable({ apis: ['setInterval'] });
  const ticks = new Ticks(100);
  const ticking = { tick: () => undefined };
  ticks.watch(ticking);
  ticks.unwatch(ticking);
  mock.timers.tick(1_000);
  assert.equal(ticks.now, 0);
  ticks.watch(ticking);
  mock.timers.tick(100);
  assert.equal(ticks.now, 1);
});
