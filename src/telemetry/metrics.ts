// The metrics that Prometheus scrapes, in a registry of their own. Counting happens in tallies; the metrics are filled from
// them when somebody asks.
import { collectDefaultMetrics, Counter, Gauge, Registry, type PrometheusContentType } from 'prom-client';
import type { Policy, Rollout } from '../rollout/policy.ts';
import type { Split } from '../rollout/split.ts';
import { EventCounters } from './event-counters.ts';
import { conventionalMetric, durationHistogram, type Sample } from './exposition.ts';
import { MirrorCounts } from './mirror-counts.ts';
import { addRolloutGauges, type StandingsSource } from './rollout-gauges.ts';
import { ServerBoard } from './server-board.ts';
import { addServerGauges } from './server-gauges.ts';
import { TallyBook } from './tally-book.ts';
import type { Tally } from './tally.ts';
import { WorkerGauges } from './worker-gauges.ts';

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

/** What the metrics read when they are asked. */
export type MetricsSource = StandingsSource & {
  splitOf(rollout: Rollout): Split;
};

export class Metrics {
  /** What became of the copies that mirrors made. */
  readonly mirror: MirrorCounts;
  /** How each server is. */
  readonly servers = new ServerBoard();
  /** How the processes that serve are. */
  readonly workers: WorkerGauges;
  /** What is counted, by version. */
  readonly tallies = new TallyBook();
  readonly #registry = new Registry();
  /** What users did. */
  readonly events = new EventCounters(this.#registry);
  readonly #source: MetricsSource;
  readonly #reloads: Counter<'result'>;
  readonly #loadedAt: Gauge;
  #policy: Policy | null = null;

  constructor(source: MetricsSource, graygateVersion: string) {
    this.#source = source;
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    for (const counter of tallyCounters) this.#addCounter(counter);
    this.#registry.registerMetric(durationHistogram(() => this.#all()) as never);
    this.#addGauges();
    addRolloutGauges(this.#registry, source);
    addServerGauges(this.#registry, this.servers);
    this.mirror = new MirrorCounts(this.#registry);
    this.workers = new WorkerGauges(this.#registry);
    this.#reloads = new Counter({
      name: 'graygate_policy_reloads_total',
      help: 'Attempts to load the policy by result.',
      labelNames: ['result'],
      registers,
    });
    for (const result of ['ok', 'error'] as const) this.#reloads.inc({ result }, 0);
    this.#loadedAt = new Gauge({
      name: 'graygate_policy_loaded_timestamp_seconds',
      help: 'When the policy in force was loaded, in seconds since 1970.',
      registers,
    });
    new Gauge({
      name: 'graygate_build_info',
      help: 'Always 1; the labels say what runs.',
      labelNames: ['version', 'node'],
      registers,
    }).set({ version: graygateVersion, node: process.version }, 1);
  }

  /** The tally of a version; the same one as long as some policy names the version. */
  probe(rollout: string, version: string): Tally {
    return this.tallies.probe(rollout, version);
  }

  /** Requests that no rollout took. */
  get unmatched(): Tally {
    return this.tallies.unmatched;
  }

  /** Takes note of the policy in force; series of versions that it does not name any more are dropped. */
  policyLoaded(policy: Policy, nowMs: number, isReload: boolean): void {
    this.#policy = policy;
    this.servers.policyLoaded(policy);
    this.#loadedAt.set(nowMs / 1_000);
    if (isReload) this.#reloads.inc({ result: 'ok' });
    this.events.keepOnly(new Set(policy.rollouts.map(({ name }) => name)));
    const named = this.tallies.follow(policy);
    this.mirror.keepOnly(new Set(policy.rollouts.map(({ name }) => name)), named);
  }

  policyRejected(): void {
    this.#reloads.inc({ result: 'error' });
  }

  /** All metrics as text, in the format that an `Accept` header prefers: OpenMetrics where it is named, else Prometheus. */
  async render(accept: string): Promise<{ contentType: string; text: string }> {
    const contentType = accept.includes('application/openmetrics-text')
      ? Registry.OPENMETRICS_CONTENT_TYPE
      : Registry.PROMETHEUS_CONTENT_TYPE;
    const out = new Registry();
    out.setContentType(contentType as PrometheusContentType);
    for (const metric of await this.#registry.getMetricsAsJSON()) {
      const conventional = conventionalMetric(metric);
      if (conventional !== null) out.registerMetric(conventional as never);
    }
    return { contentType, text: await out.metrics() };
  }

  #all(): Tally[] {
    return this.tallies.all();
  }

  #addCounter(counter: TallyCounter): void {
    const { name, help, labels } = counter;
    const all = (): Tally[] => this.#all();
    new Counter({
      name,
      help,
      labelNames: [...labelNames, ...labels],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const tally of all()) {
          const { rollout, version } = tally;
          for (const sample of counter.samples(tally)) this.inc({ rollout, version, ...sample.labels }, sample.value);
        }
      },
    });
  }

  #addGauges(): void {
    const all = (): Tally[] => this.#all();
    const rollouts = (): readonly Rollout[] => this.#policy?.rollouts ?? [];
    const splitOf = (rollout: Rollout): Split => this.#source.splitOf(rollout);
    new Gauge({
      name: 'graygate_requests_in_flight',
      help: 'Requests under way, open WebSockets among them.',
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { rollout, version, inFlightCount } of all())
          if (rollout !== '') this.set({ rollout, version }, inFlightCount);
      },
    });
    new Gauge({
      name: 'graygate_streams',
      help: 'WebSockets, server-sent events and gRPC calls that are open.',
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { rollout, version, openStreamCount } of all())
          if (rollout !== '') this.set({ rollout, version }, openStreamCount);
      },
    });
    new Gauge({
      name: 'graygate_split_percent',
      help: 'Percent of users that the split gives a version.',
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const rollout of rollouts()) {
          const { percents } = splitOf(rollout);
          for (const version of rollout.versions) {
            this.set({ rollout: rollout.name, version: version.name }, percents[version.index]!);
          }
        }
      },
    });
  }
}

function samplesOf(label: string, counts: ReadonlyMap<string, number>): Sample[] {
  return Array.from(counts, ([value, count]) => ({ labels: { [label]: value }, value: count }));
}
