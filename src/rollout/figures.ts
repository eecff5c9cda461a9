// Figures of one version over some time, small enough to be made anew every second; everything adds up over time and machines.
import { createHistogram, mergeHistogram, type LogHistogram } from '../stats/log-histogram.ts';

/** Completed requests of one version, by who sent them there. */
export type Figures = {
  /** Users at random: the split. */
  splitCount: number;
  splitFailureCount: number;
  ruleCount: number;
  ruleFailureCount: number;
  /** Neither: a client without an ID where `anonymous` says baseline, or a rollout that is rolled back. */
  otherCount: number;
  otherFailureCount: number;
  /** Users that the split sent to this version for the first time. */
  newUserCount: number;
  /** Of requests of the split and of rules but upgrades, in ms. */
  readonly latencies: LogHistogram;
  /** The same of other requests; null: there was none. */
  otherLatencies: LogHistogram | null;
};

/** What one version adds to a stratum: requests of the risk set only. */
export type StratumArm = { exposedCount: number; failedCount: number; readonly latencies: LogHistogram };

export function emptyFigures(): Figures {
  const split = { splitCount: 0, splitFailureCount: 0, ruleCount: 0, ruleFailureCount: 0 };
  return {
    ...split,
    otherCount: 0,
    otherFailureCount: 0,
    newUserCount: 0,
    latencies: createHistogram(),
    otherLatencies: null,
  };
}

export function emptyArm(): StratumArm {
  return { exposedCount: 0, failedCount: 0, latencies: createHistogram() };
}

/** Adds figures to others, in place. */
export function mergeFigures(into: Figures, from: Figures): void {
  into.splitCount += from.splitCount;
  into.splitFailureCount += from.splitFailureCount;
  into.ruleCount += from.ruleCount;
  into.ruleFailureCount += from.ruleFailureCount;
  into.otherCount += from.otherCount;
  into.otherFailureCount += from.otherFailureCount;
  into.newUserCount += from.newUserCount;
  mergeHistogram(into.latencies, from.latencies);
  if (from.otherLatencies !== null) mergeHistogram((into.otherLatencies ??= createHistogram()), from.otherLatencies);
}

/** Adds the arm of another process's stratum of the same time, in place. */
export function mergeArm(into: StratumArm, from: StratumArm): void {
  into.exposedCount += from.exposedCount;
  into.failedCount += from.failedCount;
  mergeHistogram(into.latencies, from.latencies);
}

/** Latencies of requests of every kind but upgrades. */
export function latenciesOf({ latencies, otherLatencies }: Figures): LogHistogram {
  if (otherLatencies === null) return latencies;
  const all = createHistogram();
  for (const part of [latencies, otherLatencies]) mergeHistogram(all, part);
  return all;
}

/** Requests and failures of every kind. */
export function totalOf(figures: Figures): { readonly requests: number; readonly failures: number } {
  return {
    requests: figures.splitCount + figures.ruleCount + figures.otherCount,
    failures: figures.splitFailureCount + figures.ruleFailureCount + figures.otherFailureCount,
  };
}
