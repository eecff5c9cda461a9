// The metrics of requests, filled from the tallies when somebody asks.
import { Counter, Gauge, type Registry } from 'prom-client';
import { durationHistogram, type Sample } from './exposition.ts';
import type { Tally } from './tally.ts';

const labelNames = ['rollout', 'version'] as const;

/** Metrics with the labels of one version, and how a tally fills them. */
type TallyCounter = {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  samples(tally: Tally): Sample[];
};

const tallyCounters: readonly TallyCounter[] = [
  {
    name: 'graygate_requests_total',
    help: 'Requests by the status that was sent (499: the client left before one was) and the method.',
    labels: ['code', 'method'],
    samples: (tally) =>
      tally.requestCounts().map(({ code, method, count }) => ({ labels: { code, method }, value: count })),
  },
  {
    name: 'graygate_decisions_total',
    help: 'Decisions by their reason; fallback: the baseline answered for a candidate that could not.',
    labels: ['reason'],
    samples: (tally) => samplesOf('reason', tally.decisions),
  },
  {
    name: 'graygate_retries_total',
    help: 'Requests sent again to the same version, by the reason: a fault, or the status of an answer.',
    labels: ['reason'],
    samples: (tally) => samplesOf('reason', tally.retries),
  },
  {
    name: 'graygate_fallbacks_total',
    help: 'Requests of this candidate that the baseline answered, by the reason: a fault, no-server or busy.',
    labels: ['reason'],
    samples: (tally) => samplesOf('reason', tally.fallbacks),
  },
  {
    name: 'graygate_upstream_errors_total',
    help: 'Faults of servers by kind: connect, reset, timeout, protocol.',
    labels: ['server', 'kind'],
    samples: (tally) =>
      Array.from(tally.faults, ([server, kinds]) =>
        samplesOf('kind', kinds).map((sample) => ({ ...sample, labels: { ...sample.labels, server } })),
      ).flat(),
  },
];

/** Adds them to a registry; `tallies` is asked at every scrape. */
export function addTallyMetrics(registry: Registry, tallies: () => readonly Tally[]): void {
  for (const counter of tallyCounters) addCounter(registry, counter, tallies);
  registry.registerMetric(durationHistogram(tallies) as never);
  addGauge(registry, tallies, {
    name: 'graygate_requests_in_flight',
    help: 'Requests under way, open WebSockets among them.',
    valueOf: ({ inFlightCount }) => inFlightCount,
  });
  addGauge(registry, tallies, {
    name: 'graygate_streams',
    help: 'WebSockets, server-sent events and gRPC calls that are open.',
    valueOf: ({ openStreamCount }) => openStreamCount,
  });
}

function addCounter(registry: Registry, counter: TallyCounter, tallies: () => readonly Tally[]): void {
  const { name, help, labels } = counter;
  new Counter({
    name,
    help,
    labelNames: [...labelNames, ...labels],
    registers: [registry],
    collect() {
      this.reset();
      for (const tally of tallies()) {
        const { rollout, version } = tally;
        for (const sample of counter.samples(tally)) this.inc({ rollout, version, ...sample.labels }, sample.value);
      }
    },
  });
}

type TallyGauge = { readonly name: string; readonly help: string; valueOf(this: void, tally: Tally): number };

/** What no rollout took has no such value. */
function addGauge(registry: Registry, tallies: () => readonly Tally[], { name, help, valueOf }: TallyGauge): void {
  new Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      for (const tally of tallies()) {
        const { rollout, version } = tally;
        if (rollout !== '') this.set({ rollout, version }, valueOf(tally));
      }
    },
  });
}

function samplesOf(label: string, counts: ReadonlyMap<string, number>): Sample[] {
  return Array.from(counts, ([value, count]) => ({ labels: { [label]: value }, value: count }));
}
