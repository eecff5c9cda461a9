// The report of an experiment from its figures: pure, and cheap, because the figures are sums.
import type { Experiment, ExperimentFigures } from '../experiment.ts';
import { decide } from './decision.ts';
import { english } from './english.ts';
import { meanOf, metricReports } from './metric-reports.ts';
import type { ExperimentReport, Missing } from './report.ts';
import { userBalance } from './user-balance.ts';

/** What the figures show at `nowMs`. Valid at any look, so it may be made as often as one likes. */
export function reportOf(figures: ExperimentFigures, experiment: Experiment, nowMs: number): ExperimentReport {
  const { rollout, release, beganMs, versions, phases, leftOut, events } = figures;
  const balance = userBalance(figures);
  const isFrozen = balance.answer === 'mismatch';
  const metrics = metricReports({
    figures,
    experiment,
    isFrozen,
    missing: missingTime(experiment, nowMs - beganMs),
    say: (metric, comparison) => english.verdict(metric, comparison, versions[0]!),
  });
  return {
    rollout,
    release,
    beganMs,
    atMs: nowMs,
    alpha: experiment.alpha,
    timeZone: experiment.timeZone,
    leastMs: experiment.leastMs,
    versions: versions.map((name, i) => ({
      name,
      role: i === 0 ? 'baseline' : 'candidate',
      users: phases.reduce((sum, { exposed }) => sum + exposed[i]!, 0),
    })),
    balance,
    leftOut,
    phases,
    metrics,
    decision: decide(
      metrics.find(({ role }) => role === 'primary'),
      versions[0]!,
    ),
    days: figures.days.map(({ startMs, exposed, metrics: samples }) => ({
      startMs,
      exposed,
      means: Object.entries(samples).map(([name, byVersion]) => ({ name, means: byVersion.map(meanOf) })),
    })),
    events,
  };
}

function missingTime({ leastMs }: Experiment, ageMs: number): Missing[] {
  return ageMs >= leastMs ? [] : [{ what: 'time', have: Math.max(0, ageMs), need: leastMs }];
}
