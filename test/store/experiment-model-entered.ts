// How users come into the model of experiments: the phases of a release, and who belongs to which.

import assert from 'node:assert/strict';
import type { Metric } from '../../src/rollout/experiment.ts';

export type Split = { readonly percents: readonly number[]; readonly atMs: number };
export type Act = { readonly event: string; readonly value: number; readonly atMs: number };
/** A metric from when it was asked for; asked for again later it is another. */
export type Column = { readonly metric: Metric };
type Visit = {
  readonly kind: 'visit';
  readonly version: number;
  readonly bucket: number;
  readonly percents: readonly number[];
  readonly atMs: number;
};
/** With the time at which it came in, and what was counted then. */
export type Item = (Visit | ({ readonly kind: 'act' } & Act)) & {
  readonly nowMs: number;
  readonly columns: readonly Column[];
};
export type Phase = { readonly beganMs: number; readonly percents: readonly number[]; readonly overMs: number };
/** From the first sign of a user until the user is forgotten. */
export type Person = { readonly user: string; readonly items: Item[]; isForgotten: boolean };

/** An exposure comes this much later at most. */
const graceMs = 60_000;

type Splits = { readonly splits: readonly Split[]; readonly supersededMs: number };

/** Stretches in which users are split; all users on one version end them, and so does the next release. */
export function phasesOf({ splits, supersededMs }: Splits): Phase[] {
  const phases: Phase[] = [];
  let isOpen = false;
  for (const [i, { percents, atMs }] of splits.entries()) {
    const wasOpen = isOpen;
    isOpen = isShared(percents);
    if (!isOpen || (wasOpen && String(phases.at(-1)?.percents) === String(percents))) continue;
    const over = splits.slice(i).find((split) => !isShared(split.percents));
    phases.push({ beganMs: atMs, percents, overMs: over?.atMs ?? supersededMs });
  }
  return phases;
}

/** Whether a split gives users to more than one version. */
export function isShared(percents: readonly number[]): boolean {
  return percents.filter((percent) => percent > 0).length > 1;
}

/** Somebody whom a split has exposed. */
export type Entered = {
  readonly person: Person;
  readonly phase: Phase;
  readonly version: number;
  readonly enteredMs: number;
  /** What was counted when the user entered. */
  readonly columns: readonly Column[];
  readonly isCrossed: boolean;
  readonly isMoved: boolean;
};

/** How a person came in; null: no split has exposed the person. */
export function enteredOf(person: Person, phases: readonly Phase[]): Entered | null {
  const visits = person.items.filter((item) => item.kind === 'visit').filter(({ percents }) => isShared(percents));
  const [first] = visits;
  if (first === undefined) return null;
  const { version, bucket, percents, atMs, columns } = first;
  // Decided at most a minute after its split was over.
  const phase = phases.findLast(
    (one) => one.beganMs <= atMs && String(one.percents) === String(percents) && atMs < one.overMs + graceMs,
  );
  assert.ok(phase !== undefined, 'every visit was decided by a split');
  const isCrossed = visits.some((visit) => visit.version !== version && visit.atMs < phase.overMs);
  const later = phases.slice(phases.indexOf(phase) + 1).filter(({ overMs }) => overMs === phase.overMs);
  const mine = cellOf(bucket).filter((each) => ownerOf(percents, each) === version);
  const isMoved = later.some((one) => mine.some((each) => ownerOf(one.percents, each) !== version));
  return { person, phase, version, enteredMs: atMs, columns, isCrossed, isMoved };
}

/** The buckets that are left out together: a tenth of a percent at both ends, else a percent. */
function cellOf(bucket: number): number[] {
  const width = bucket < 100 || bucket >= 9_900 ? 10 : 100;
  return Array.from({ length: width }, (_, i) => bucket - (bucket % width) + i);
}

/** Index of the version that a split gives a bucket to: candidates from bucket 0, the baseline what is left. */
export function ownerOf(percents: readonly number[], bucket: number): number {
  let end = 0;
  for (const [i, percent] of percents.entries()) {
    if (i === 0) continue;
    end += Math.round(percent * 100);
    if (bucket < end) return i;
  }
  return 0;
}
