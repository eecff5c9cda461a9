// All rollouts together: whom a policy names is flown, one that fails stops no other, and what was gathered is kept.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Controller, type ControllerParts } from '../../src/controller/controller.ts';
import type { Remembered } from '../../src/controller/pilot-parts.ts';
import type { Figures } from '../../src/rollout/figures.ts';
import type { Rollout } from '../../src/rollout/policy.ts';
import type { Split } from '../../src/rollout/split.ts';
import { startMs } from '../support/rollout-machine.ts';
import { outcomeOf } from '../telemetry/requests.ts';
import { Window } from '../../src/telemetry/window.ts';
import { Cockpit, patientStaging, rolloutWith } from './cockpit.ts';

type Tower = {
  readonly controller: Controller;
  readonly windows: Map<string, Window>;
  readonly splits: Map<string, Split>;
  readonly recorded: { rollout: string; startMs: number; figures: readonly Figures[] }[];
  readonly failed: string[];
  readonly cockpit: Cockpit;
  settled(): Promise<void>;
};

function named(name: string): Rollout {
  return rolloutWith(patientStaging(), { name });
}

/** A controller of rollouts; the store's clock is `cockpit.nowMs`. */
async function openTower(rollouts: readonly Rollout[], cockpit = new Cockpit()): Promise<Tower> {
  const remembered = new Map<string, Remembered | null>();
  for (const { name } of rollouts) remembered.set(name, await cockpit.store.inner.remembered(name));
  const windows = new Map<string, Window>();
  const splits = new Map<string, Split>();
  const recorded: Tower['recorded'] = [];
  const failed: string[] = [];
  const parts: ControllerParts = {
    ...cockpit.parts,
    openWindow(rollout, riskSet) {
      const window = new Window(rollout, cockpit.nowMs, riskSet);
      windows.set(rollout.name, window);
      return window;
    },
    publish: (rollout, split) => void splits.set(rollout.name, split),
    remembered: (rollout) => remembered.get(rollout) ?? null,
    recorded: (pilot, figures, beganMs) =>
      void recorded.push({ rollout: pilot.rollout.name, startMs: beganMs, figures }),
    tickFailed: (rollout) => void failed.push(rollout.name),
  };
  const controller = new Controller({ rollouts }, parts, cockpit.nowMs);
  const settled = async (): Promise<void> => {
    await Promise.all(controller.pilots().map((pilot) => pilot.settled()));
  };
  await settled();
  return { controller, windows, splits, recorded, failed, cockpit, settled };
}

function percentOf({ splits }: Tower, rollout: string): number | undefined {
  return splits.get(rollout)?.percents[1];
}

async function act({ controller, cockpit }: Tower, rollout: string, action: 'advance' | 'rollback') {
  const { nowMs } = cockpit;
  return controller.act(rollout, { action, by: 'ops', reason: 'because', nowMs, revision: null });
}

test('each rollout has a pilot of its own', async () => {
  const tower = await openTower([named('shop'), named('item')]);
  assert.ok((await act(tower, 'shop', 'advance'))?.ok);
  assert.deepEqual([percentOf(tower, 'shop'), percentOf(tower, 'item')], [50, 10]);
  assert.deepEqual(
    tower.controller.pilots().map(({ rollout }) => rollout.name),
    ['shop', 'item'],
  );
});

test('nobody acts on a rollout that is not there', async () => {
  const tower = await openTower([named('shop')]);
  assert.equal(await act(tower, 'nobody', 'rollback'), null);
  assert.equal(tower.controller.pilot('nobody'), undefined);
});

test('a rollout whose tick fails stops no other', async () => {
  const tower = await openTower([named('shop'), named('item')]);
  tower.windows.get('shop')!.takeFigures = () => {
    throw new Error('broken');
  };
  tower.windows.get('item')!.observe(outcomeOf(named('item'), 1));
  tower.controller.tick(startMs + 1_000);
  assert.deepEqual(tower.failed, ['shop']);
  assert.deepEqual(
    tower.recorded.map(({ rollout, startMs: beganMs }) => [rollout, beganMs]),
    [['item', startMs]],
  );
});

test('a policy that names other rollouts begins and ends them', async () => {
  const tower = await openTower([named('shop')]);
  tower.controller.follow({ rollouts: [named('item')] }, startMs);
  await tower.settled();
  assert.equal(tower.controller.pilot('shop'), undefined);
  assert.equal(percentOf(tower, 'item'), 10);
});

test('a rollout that is named again goes on where it was, and what it does can be saved', async () => {
  const tower = await openTower([named('shop')]);
  await act(tower, 'shop', 'advance');
  tower.controller.follow({ rollouts: [] }, startMs + 1_000);
  tower.splits.clear();
  tower.controller.follow({ rollouts: [named('shop')] }, startMs + 3_600_000);
  await tower.settled();
  assert.equal(percentOf(tower, 'shop'), 50);
  const { stay } = tower.controller.pilot('shop')!.state!;
  assert.equal(stay.heldMs, 1_000, 'the time in which nobody watched is not held');
  const result = await act(tower, 'shop', 'advance');
  assert.ok(result?.ok && result.state.percent === 100);
  assert.deepEqual(tower.cockpit.saveFailures, []);
});

test('what was gathered is kept every five seconds and at the end, and never while the store is ill', async () => {
  const tower = await openTower([named('shop')]);
  const { controller, cockpit } = tower;
  const keptAt = async (): Promise<number | undefined> =>
    (await cockpit.store.inner.remembered('shop'))?.progress?.atMs;
  for (let passedMs = 100; passedMs <= 11_000; passedMs += 100) {
    cockpit.nowMs = startMs + passedMs;
    controller.tick(cockpit.nowMs);
    await tower.settled();
  }
  assert.equal(await keptAt(), startMs + 10_100);
  cockpit.store.mode = 'full';
  controller.tick(startMs + 20_000);
  await controller.close(startMs + 21_000);
  assert.equal(await keptAt(), startMs + 10_100);
  cockpit.store.mode = 'well';
  await controller.close(startMs + 22_000);
  assert.equal(await keptAt(), startMs + 22_000);
});

test('after it was started it ticks by itself until it is closed', async () => {
  const tower = await openTower([named('shop')]);
  const ticked = Promise.withResolvers<void>();
  tower.windows.get('shop')!.closeStratum = () => {
    ticked.resolve();
    return null;
  };
  tower.controller.start();
  await ticked.promise;
  await tower.controller.close(startMs + 1);
});

test('a controller that begins on a store with states goes on with all of them', async () => {
  const first = await openTower([named('shop'), named('item')]);
  await act(first, 'shop', 'advance');
  await act(first, 'item', 'rollback');
  await first.controller.close(startMs + 5_000);
  const cockpit = new Cockpit(first.cockpit.store.inner);
  cockpit.nowMs = startMs + 9_000;
  const second = await openTower([named('shop'), named('item')], cockpit);
  assert.deepEqual([percentOf(second, 'shop'), percentOf(second, 'item')], [50, 0]);
  assert.equal(second.splits.get('item')?.rolledBack, true);
});
