// Experiments and their figures for tests: two versions, or three, half and half, with whatever was counted.
import type { Experiment, ExperimentFigures, Metric, MetricFigures } from '../../../src/rollout/experiment.ts';
import type { Sample } from '../../../src/stats/sample.ts';

export const dayMs = 86_400_000;

export const conversion = {
  kind: 'conversion',
  name: 'conversion',
  event: 'purchase',
  of: null,
  windowMs: dayMs,
} as const satisfies Metric;
export const revenue = { kind: 'revenue', name: 'revenue', event: 'purchase', cap: 5_000 } as const satisfies Metric;
export const orderValue = {
  kind: 'value',
  name: 'order-value',
  event: 'purchase',
  cap: 5_000,
} as const satisfies Metric;

export function experiment(changes: Partial<Experiment> = {}): Experiment {
  return {
    metrics: [conversion],
    alpha: 0.05,
    expectedUserCount: null,
    leastMs: 7 * dayMs,
    stopWhen: null,
    then: 'report',
    keepMs: 30 * dayMs,
    timeZone: 'UTC',
    ...changes,
  };
}

/** Of `userCount` users, `hits` did it. */
export function proportion(userCount: number, hits: number): Sample {
  return { kind: 'proportion', userCount, hits };
}

/** Users of whom each has one of the values. */
export function values(...each: readonly number[]): Sample & { kind: 'mean' } {
  const sum = each.reduce((total, value) => total + value, 0);
  const sumOfSquares = each.reduce((total, value) => total + value * value, 0);
  return { kind: 'mean', userCount: each.length, sum, sumOfSquares };
}

/** A metric with one phase; `samples` baseline first. */
export function counted(metric: Metric, samples: readonly Sample[], more: Partial<MetricFigures> = {}): MetricFigures {
  const nonZero = samples.map((sample) => (sample.kind === 'proportion' ? sample.hits : sample.userCount));
  return { metric, samples: [samples], paired: null, nonZero, waiting: samples.map(() => 0), ...more };
}

/** Ten days of stable and canary with as many users as the first metric has, split as these are. */
export function figures(metrics: readonly MetricFigures[], more: Partial<ExperimentFigures> = {}): ExperimentFigures {
  const samples = metrics[0]?.samples ?? [];
  const phases = samples.map((versions, i) => ({
    beganMs: i * dayMs,
    percents: versions.map(({ userCount }) => userCount || 1),
    exposed: versions.map(({ userCount }) => userCount),
  }));
  return {
    rollout: 'shop',
    release: '2.4.0',
    beganMs: 0,
    atMs: 10 * dayMs,
    versions: ['stable', 'canary', 'third'].slice(0, samples[0]?.length ?? 2),
    phases,
    leftOut: { crossed: 0, moved: 0 },
    metrics,
    days: [],
    events: [],
    ...more,
  };
}
