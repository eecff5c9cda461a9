// Phases of an experiment: when one begins and ends, which one an exposure belongs to, and who is still compared in it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellCount, cellOf } from '../../../src/rollout/experiment/bucket-cells.ts';
import {
  comparedCells,
  endPhases,
  noteSplit,
  phaseOfExposure,
  type SplitPhase,
} from '../../../src/rollout/experiment/split-phases.ts';
import { hourMs, minuteMs, T0 } from './lives.ts';

const phasesOf = (...notes: readonly [percents: readonly number[], atMs: number][]): readonly SplitPhase[] =>
  notes.reduce<readonly SplitPhase[]>((phases, [percents, atMs]) => noteSplit(phases, { percents, atMs }), []);

test('a split among several begins a phase, the same split again does not', () => {
  const phases = phasesOf([[90, 10], T0], [[90, 10], T0 + 1], [[50, 50], T0 + hourMs], [[90, 10], T0 + 2 * hourMs]);
  assert.deepEqual(
    phases.map(({ percents, beganMs, overMs }) => [percents, beganMs - T0, overMs]),
    [
      [[90, 10], 0, null],
      [[50, 50], hourMs, null],
      [[90, 10], 2 * hourMs, null],
    ],
  );
});

test('everyone on one version begins nothing, ends what was, and what follows is compared apart', () => {
  const rolledBack = phasesOf(
    [[100, 0], T0],
    [[90, 10], T0 + 1],
    [[80, 20], T0 + 2],
    [[100, 0], T0 + 3],
    [[0, 100], T0 + 4],
  );
  assert.deepEqual(
    rolledBack.map(({ percents, overMs }) => [percents, overMs]),
    [
      [[90, 10], T0 + 3],
      [[80, 20], T0 + 3],
    ],
  );
  const again = noteSplit(rolledBack, { percents: [80, 20], atMs: T0 + 5 });
  assert.deepEqual(again.at(-1), { beganMs: T0 + 5, percents: [80, 20], overMs: null });
  assert.deepEqual(endPhases(again, T0 + 9).at(-1)?.overMs, T0 + 9);
  assert.equal(endPhases(rolledBack, T0 + 9), rolledBack);
});

test('an exposure belongs to the phase by whose split it was decided, also when it comes a little later', () => {
  const phases = phasesOf([[90, 10], T0], [[50, 50], T0 + hourMs], [[90, 10], T0 + 2 * hourMs]);
  const indexOf = (percents: readonly number[], atMs: number) => phaseOfExposure(phases, { percents, atMs }).index;
  assert.equal(indexOf([90, 10], T0 + hourMs + minuteMs - 1), 0);
  assert.equal(indexOf([50, 50], T0 + hourMs), 1);
  assert.equal(indexOf([50, 50], T0 + hourMs - 1), 1, 'clocks differ');
  assert.equal(indexOf([90, 10], T0 + hourMs - 1), 0, 'the same split later is another phase');
  assert.equal(indexOf([90, 10], T0 + 2 * hourMs), 2);
});

test('an exposure by a split that nobody told of begins a phase', () => {
  const told = phasesOf([[90, 10], T0]);
  const { phases, index } = phaseOfExposure(told, { percents: [80, 20], atMs: T0 + hourMs });
  assert.deepEqual([index, phases.length, phases[1]?.beganMs], [1, 2, T0 + hourMs]);
});

test('an exposure by a split with everyone on one version is none, and ends the phase once that cannot be delay', () => {
  const phases = phasesOf([[90, 10], T0]);
  assert.deepEqual(phaseOfExposure(phases, { percents: [100, 0], atMs: T0 + minuteMs - 1 }), { phases, index: null });
  const over = phaseOfExposure(phases, { percents: [0, 100], atMs: T0 + minuteMs });
  assert.deepEqual([over.index, over.phases[0]?.overMs], [null, T0 + minuteMs]);
  assert.deepEqual(phaseOfExposure([], { percents: [100, 0], atMs: T0 }), { phases: [], index: null });
});

test('cells are a tenth of a percent at both ends and a percent between, and hold every bucket', () => {
  assert.equal(cellCount, 118);
  const sizes = new Map<number, number>();
  for (let bucket = 0; bucket < 10_000; bucket += 1) sizes.set(cellOf(bucket), (sizes.get(cellOf(bucket)) ?? 0) + 1);
  const found = Array.from({ length: cellCount }, (_, cell) => sizes.get(cell));
  assert.deepEqual(found, [
    ...Array<number>(10).fill(10),
    ...Array<number>(98).fill(100),
    ...Array<number>(10).fill(10),
  ]);
});

/** Buckets at the begin of cells that are compared, as ranges of buckets of a version. */
function comparedBuckets(phases: readonly SplitPhase[], index: number, version: number): number {
  const cells = comparedCells(phases, index)[version]!;
  let count = 0;
  for (let bucket = 0; bucket < 10_000; bucket += 1) count += cells[cellOf(bucket)]!;
  return count;
}

test('raising a candidate leaves out the baseline users whose buckets it takes, and nobody else', () => {
  const phases = phasesOf([[95, 5], T0], [[90, 10], T0 + 1], [[50, 50], T0 + 2]);
  const cells = comparedCells(phases, 0);
  assert.equal(cells[1]![cellOf(499)], 1, 'the candidate keeps what it had');
  assert.deepEqual(
    [500, 999, 1_000, 4_999, 5_000, 9_999].map((bucket) => cells[0]![cellOf(bucket)]),
    [0, 0, 0, 0, 1, 1],
  );
  assert.equal(comparedBuckets(phases, 2, 0), 10_000);
});

test('a border within a cell leaves out what its version has of the cell', () => {
  const phases = phasesOf([[90, 10], T0], [[66.67, 33.33], T0 + 1]);
  const [baseline, candidate] = comparedCells(phases, 0);
  assert.deepEqual([baseline![cellOf(3_299)], baseline![cellOf(3_350)], baseline![cellOf(3_400)]], [0, 0, 1]);
  assert.ok(candidate!.every((cell) => cell === 1));
  const small = comparedCells(phasesOf([[99.95, 0.05], T0], [[99.9, 0.1], T0 + 1]), 0);
  assert.deepEqual(
    [small[1]![0], small[0]![0], small[0]![1]],
    [1, 0, 1],
    'what the candidate has of the first cell stays',
  );
});

test('after the end nothing is moved any more', () => {
  const phases = phasesOf([[90, 10], T0], [[0, 100], T0 + 1], [[1, 99], T0 + 2]);
  assert.equal(comparedBuckets(phases, 0, 0), 10_000);
});

test('what comes after the end moves nobody of before, also where the clock was set back in between', () => {
  const phases = phasesOf(
    [[50, 50], T0 + hourMs],
    [[100, 0], T0 + 2 * hourMs],
    [[90, 10], T0 + hourMs],
    [[100, 0], T0 + hourMs],
  );
  assert.deepEqual(
    phases.map(({ overMs }) => overMs),
    [T0 + 2 * hourMs, T0 + 2 * hourMs],
  );
  assert.ok(comparedCells(phases, 0).every((cells) => cells.every((cell) => cell === 1)));
});
