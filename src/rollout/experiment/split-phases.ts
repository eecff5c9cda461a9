// The phases of an experiment: stretches of time in which the split stood still. Who was first exposed in one is compared within
// it, and only as long as nobody gave the user's bucket to another version.
import { bucketCount, versionIndexAt } from '../split.ts';
import { cellCount, cellOf } from './bucket-cells.ts';

/** A phase's place in the list is its number for good. */
export type SplitPhase = {
  readonly beganMs: number;
  /** Percent of every version, baseline first. */
  readonly percents: readonly number[];
  /** When everyone came to be on one version: what happens from then on says nothing of this phase any more. null: it goes on. */
  readonly overMs: number | null;
};

export type SplitNote = { readonly percents: readonly number[]; readonly atMs: number };

/** Servers, workers and gateways see a change of the split this much later, or with clocks this much apart. */
const graceMs = 60_000;

/** The phases after a split was published. All users on one version ends every phase; a split among several begins one. */
export function noteSplit(phases: readonly SplitPhase[], { percents, atMs }: SplitNote): readonly SplitPhase[] {
  const last = phases.at(-1);
  if (!isShared(percents)) return endPhases(phases, atMs);
  if (last !== undefined && last.overMs === null && isSame(last.percents, percents)) return phases;
  const beganMs = Math.max(atMs, last?.overMs ?? last?.beganMs ?? atMs);
  return [...phases, { beganMs, percents: [...percents], overMs: null }];
}

/** The phases after the experiment ended. */
export function endPhases(phases: readonly SplitPhase[], atMs: number): readonly SplitPhase[] {
  const last = phases.at(-1);
  if (last === undefined || last.overMs !== null) return phases;
  const overMs = Math.max(atMs, last.beganMs);
  return phases.map((phase) => (phase.overMs === null ? { ...phase, overMs } : phase));
}

/**
 * The phase of an exposure, with the phases after it: it begins one where nobody told of the split by which it was decided.
 * `index` is null for a split that has all users on one version: that exposes nobody to a comparison.
 */
export function phaseOfExposure(
  phases: readonly SplitPhase[],
  note: SplitNote,
): { readonly phases: readonly SplitPhase[]; readonly index: number | null } {
  if (!isShared(note.percents)) {
    const last = phases.at(-1);
    const isOver = last !== undefined && note.atMs >= last.beganMs + graceMs;
    return { phases: isOver ? endPhases(phases, note.atMs) : phases, index: null };
  }
  for (let index = phases.length - 1; index >= 0 && note.atMs < endOf(phases, index) + graceMs; index -= 1) {
    const { beganMs, percents } = phases[index]!;
    if (isSame(percents, note.percents) && note.atMs >= beganMs - graceMs) return { phases, index };
  }
  const next = noteSplit(phases, note);
  return { phases: next, index: next.length - 1 };
}

/**
 * Which cells of each version still count in a phase, by version and then cell: those of which no bucket that the version had then was
 * given to another one later, before the phase was over. Cost: 10,000 steps a later phase.
 */
export function comparedCells(phases: readonly SplitPhase[], index: number): readonly Uint8Array[] {
  const phase = phases[index]!;
  const cells = phase.percents.map(() => new Uint8Array(cellCount).fill(1));
  const later = phases.slice(index + 1).filter(({ beganMs }) => phase.overMs === null || beganMs < phase.overMs);
  const bounds = boundsOf(phase.percents);
  for (const laterBounds of later.map(({ percents }) => boundsOf(percents))) {
    for (let bucket = 0; bucket < bucketCount; bucket += 1) {
      const owner = versionIndexAt(bounds, bucket);
      if (versionIndexAt(laterBounds, bucket) !== owner) cells[owner]![cellOf(bucket)] = 0;
    }
  }
  return cells;
}

function endOf(phases: readonly SplitPhase[], index: number): number {
  return Math.min(phases[index]!.overMs ?? Infinity, phases[index + 1]?.beganMs ?? Infinity);
}

function isShared(percents: readonly number[]): boolean {
  return percents.filter((percent) => percent > 0).length > 1;
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((percent, i) => percent === b[i]);
}

/** As `layOutSplit` lays candidates out. */
function boundsOf(percents: readonly number[]): readonly number[] {
  let bound = 0;
  return percents.slice(1).map((percent) => (bound += Math.round(percent * 100)));
}
