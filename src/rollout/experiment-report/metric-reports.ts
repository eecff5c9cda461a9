// Every metric of an experiment judged: the primary one by intervals that share its alpha, the others so that few of those that
// are said to differ do not (e-BH, STATISTICS 7).
import { decisiveOf } from './decisive.ts';
import { discoveries } from '../../stats/discoveries.ts';
import type { Tuning } from '../../stats/mean-interval.ts';
import { mergeSamples, momentsOf } from '../../stats/sample.ts';
import type { Sample } from '../../stats/sample.ts';
import type { Experiment, ExperimentFigures, Metric, MetricFigures } from '../experiment.ts';
import { compareMetric } from './comparison.ts';
import type { Compared } from './comparison.ts';
import { missingOf } from './missing.ts';
import type { Counted } from './missing.ts';
import type { MetricComparison, MetricOfVersion, MetricReport, Missing } from './report.ts';
import { verdictOf } from './verdict-of.ts';

/** Where an interval is narrowest when nobody said how many users are expected. */
const usualUserCount = 5_000;

export type Frame = {
  readonly figures: ExperimentFigures;
  readonly experiment: Experiment;
  readonly isFrozen: boolean;
  /** What the whole experiment still lacks. */
  readonly missing: readonly Missing[];
  /** The verdict of a comparison in words. */
  readonly say: (metric: Metric, comparison: Omit<MetricComparison, 'sentence'>) => string;
};

/** Reports in the order of the experiment's metrics; of a metric that is not counted yet there is none. */
export function metricReports(frame: Frame): MetricReport[] {
  const { figures, experiment } = frame;
  const candidates = figures.versions.length - 1;
  const own = { tightestAt: experiment.expectedUserCount ?? usualUserCount };
  const known = experiment.metrics.flatMap(
    (metric) => figures.metrics.find((one) => one.metric.name === metric.name) ?? [],
  );
  const secondary = known.filter(({ metric }) => metric.name !== experiment.metrics[0].name);
  const shared = secondaryTuning(frame, secondary, { ...own, alpha: experiment.alpha });
  return known.map((one) => {
    const isPrimary = !secondary.includes(one);
    return reportOn(frame, one, isPrimary ? { ...own, alpha: experiment.alpha / candidates } : shared);
  });
}

/** Intervals at `alpha k / m`, where k of the m comparisons are discoveries, leave out 0 exactly for those. */
function secondaryTuning(frame: Frame, secondary: readonly MetricFigures[], tuning: Tuning): Tuning {
  const logEvidences = secondary.flatMap((metric) =>
    candidateIndexes(frame.figures).map((index) => {
      const mayDecide = missingFor(frame, metric, index).length === 0;
      return mayDecide ? (decisiveOf(compareMetric(metric, index, tuning))?.logEvidence ?? -Infinity) : -Infinity;
    }),
  );
  const found = Math.max(1, discoveries(logEvidences, tuning.alpha).length);
  return { ...tuning, alpha: (tuning.alpha * found) / Math.max(1, logEvidences.length), tunedFor: tuning.alpha };
}

function reportOn(frame: Frame, one: MetricFigures, tuning: Tuning): MetricReport {
  const { figures, experiment, isFrozen } = frame;
  const comparisons = candidateIndexes(figures).map((index): MetricComparison => {
    const compared: Compared = compareMetric(one, index, tuning);
    const missing = missingFor(frame, one, index);
    const verdict = verdictOf({ isFrozen, missing, estimated: decisiveOf(compared) });
    const comparison = { candidate: figures.versions[index]!, alpha: tuning.alpha, ...compared, verdict };
    return { ...comparison, sentence: frame.say(one.metric, comparison) };
  });
  const isPrimary = one.metric.name === experiment.metrics[0].name;
  return {
    metric: one.metric,
    role: isPrimary ? 'primary' : 'secondary',
    decidedBy: isPrimary ? null : revenueBeside(one.metric, experiment),
    versions: figures.versions.map((name, index) => ofVersion(one, name, index)),
    comparisons,
  };
}

/** Who sells more small orders has a lower order value and more revenue: revenue decides, unless the order value is primary. */
function revenueBeside(metric: Metric, { metrics }: Experiment): string | null {
  if (metric.kind !== 'value') return null;
  return metrics.find((one) => one.kind === 'revenue' && one.event === metric.event)?.name ?? null;
}

function missingFor({ figures, missing }: Frame, one: MetricFigures, index: number): Missing[] {
  const counted = [0, index].flatMap((i): Counted[] => {
    const sample = wholeSample(one, i);
    return sample === null ? [] : [{ version: figures.versions[i]!, sample, nonZero: one.nonZero[i]! }];
  });
  return [...missing, ...missingOf(counted)];
}

function ofVersion(one: MetricFigures, name: string, index: number): MetricOfVersion {
  const sample = wholeSample(one, index);
  const mean = sample === null ? null : meanOf(sample);
  return {
    name,
    users: sample?.userCount ?? 0,
    mean,
    variance: sample === null || mean === null ? null : momentsOf(sample).variance,
    nonZero: one.nonZero[index]!,
    waiting: one.waiting[index]!,
  };
}

/** null without users, or, of a ratio, without units. */
export function meanOf(sample: Sample): number | null {
  const units = sample.kind === 'ratio' ? sample.unitSum : sample.userCount;
  if (units === 0) return null;
  return sample.kind === 'ratio' ? sample.valueSum / units : momentsOf(sample).mean;
}

/** All phases together; null without a phase. */
function wholeSample({ samples }: MetricFigures, index: number): Sample | null {
  const parts = samples.map((versions) => versions[index]!);
  return parts.length === 0 ? null : parts.reduce((sum, sample) => mergeSamples(sum, sample));
}

function candidateIndexes({ versions }: ExperimentFigures): number[] {
  return versions.slice(1).map((_, i) => i + 1);
}
