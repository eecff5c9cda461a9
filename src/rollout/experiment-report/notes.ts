// What a report adds to the verdict on one candidate: what decides instead, what the figures rest on, and who is still waited for.
import type { ExperimentReport, MetricComparison, MetricReport } from './report.ts';
import type { Words } from './words.ts';

/** The name of the metric, the verdict, and what is to be known of it, as one line. */
export function lineOn(
  { metrics, versions }: ExperimentReport,
  { metric, one }: { readonly metric: MetricReport; readonly one: MetricComparison },
  words: Words,
): string {
  const { colon, semicolon } = words.marks;
  const deciding = metrics.find(({ metric: { name } }) => name === metric.decidedBy);
  const waiting = metric.versions.reduce((sum, version) => sum + version.waiting, 0);
  const notes = [
    deciding === undefined ? null : words.decidedBy(words.metric(deciding.metric)),
    one.adjusted === null ? null : words.adjusted(one.adjusted.saved),
    waiting === 0 ? null : words.waiting(waiting),
    'cap' in metric.metric && metric.metric.cap === null ? words.uncapped : null,
  ].filter((note) => note !== null);
  const verdict = words.verdict(metric.metric, one, versions[0]!.name);
  return [`${words.metric(metric.metric)}${colon}${verdict}`, ...notes].join(semicolon);
}
