// Entries of experiments that the store's tests apply: a shop with a stable version and a canary, half of the users on each.

import type { Experiment, ExperimentFigures } from '../../src/rollout/experiment.ts';
import type { ExperimentBatch, ExperimentEntry } from '../../src/rollout/experiment/entries.ts';

const DAY_MS = 86_400_000;

const experiment: Experiment = {
  metrics: [
    { kind: 'conversion', name: 'conversion', event: 'purchase', of: null, windowMs: DAY_MS },
    { kind: 'revenue', name: 'revenue', event: 'purchase', cap: 50 },
    { kind: 'retention', name: 'retention', day: 1 },
  ],
  alpha: 0.05,
  expectedUserCount: null,
  leastMs: 0,
  stopWhen: null,
  then: 'report',
  keepMs: 10 * DAY_MS,
  timeZone: 'UTC',
};

type Names = {
  readonly release?: string;
  readonly version?: string;
  readonly rollout?: string;
  readonly percents?: readonly number[];
};

/** Half of the users on each version. */
const halves = [50, 50];

/** A batch of the rollouts `shop` and `blog`, which are observed alike. */
export function batchOf(
  nowMs: number,
  entries: readonly ExperimentEntry[],
  {
    release = '2',
    versions = ['stable', 'canary'],
  }: { readonly release?: string; readonly versions?: readonly string[] } = {},
): ExperimentBatch {
  const observation = { release, versions, experiment };
  return { nowMs, observations: { shop: observation, blog: observation }, entries };
}

/** A split that is published. */
export function splitEntry(
  atMs: number,
  { release = '2', rollout = 'shop', percents = halves }: Names = {},
): ExperimentEntry {
  return { kind: 'split', change: { rollout, release, percents, atMs } };
}

export function exposureEntry(
  user: string,
  atMs: number,
  { release = '2', version = 'canary', rollout = 'shop', percents = halves }: Names = {},
): ExperimentEntry {
  const bucket = version === 'canary' ? 100 : 9_000;
  return { kind: 'exposure', exposure: { rollout, release, version, user, bucket, percents, atMs } };
}

/** Of value 10. */
export function purchaseEntry(
  id: string,
  user: string,
  atMs: number,
  { rollout = 'shop' }: Names = {},
): ExperimentEntry {
  return { kind: 'event', event: { id, rollout, user, event: 'purchase', value: 10, atMs } };
}

/** The sum of the metric `revenue`, by version. */
export function revenueOf({ metrics }: ExperimentFigures): number[] {
  const revenue = metrics.find(({ metric }) => metric.name === 'revenue')!;
  return revenue.samples[0]!.map((sample) => (sample.kind === 'mean' ? sample.sum : Number.NaN));
}
