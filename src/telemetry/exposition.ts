// How tallies and the client library's own figures become metrics as Prometheus wants them: the histogram, and names that
// its linter accepts.
import { durationBoundsSeconds, type Tally } from './tally.ts';

export type Sample = { readonly labels: Record<string, string>; readonly value: number };

/** The part of the client library's metric that a registry asks for. */
type ReadableMetric = { name: string; type: string; get(): unknown };

const durationName = 'graygate_request_duration_seconds';

/** The duration histogram over all tallies, as a registry's metric: cumulative buckets, sum and count. */
export function durationHistogram(tallies: () => readonly Tally[]): ReadableMetric {
  return {
    name: durationName,
    type: 'histogram',
    get() {
      const values = tallies()
        .filter((tally) => tally.rollout !== '')
        .flatMap(durationSamples);
      const help =
        'Time from the request headers to the last byte of the response; for an upgrade, to the switch of protocols.';
      return { name: durationName, help, type: 'histogram', values, aggregator: 'sum' };
    },
  };
}

function durationSamples(
  tally: Tally,
): { metricName: string; labels: Record<string, string | number>; value: number }[] {
  const { rollout, version } = tally;
  let cumulative = 0;
  const buckets = Array.from(tally.durationCounts, (count, index) => {
    cumulative += count;
    const le = durationBoundsSeconds[index] ?? '+Inf';
    return { metricName: `${durationName}_bucket`, labels: { le, rollout, version }, value: cumulative };
  });
  return [
    ...buckets,
    { metricName: `${durationName}_sum`, labels: { rollout, version }, value: tally.durationSumSeconds },
    { metricName: `${durationName}_count`, labels: { rollout, version }, value: tally.durationCount },
  ];
}

type ReadMetric = { name: string; type: unknown; values: unknown };

/**
 * A metric read out of one registry, fit for another; null for one that Prometheus' linter would refuse: the client
 * library's own gauges that end in `_total` are sums of others that are there.
 */
export function conventionalMetric(metric: ReadMetric): ReadableMetric | null {
  const type = typeof metric.type === 'string' ? metric.type : 'gauge';
  if (type !== 'counter' && metric.name.endsWith('_total')) return null;
  return {
    name: metric.name,
    type,
    get() {
      // The registry may have set another name: OpenMetrics takes a counter's without `_total`.
      return { ...metric, type, name: this.name };
    },
  };
}
