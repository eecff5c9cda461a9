// The metrics that Prometheus scrapes, in a registry of their own. Counting happens in tallies; the metrics are filled from
// them when somebody asks.
import { collectDefaultMetrics, Counter, Gauge, Registry, type PrometheusContentType } from 'prom-client';
import type { Policy, Rollout } from '../rollout/policy.ts';
import type { Split } from '../rollout/split.ts';
import { EventCounters } from './event-counters.ts';
import { conventionalMetric } from './exposition.ts';
import { MirrorCounts } from './mirror-counts.ts';
import { addRolloutGauges, type StandingsSource } from './rollout-gauges.ts';
import { ServerBoard } from './server-board.ts';
import { addServerGauges } from './server-gauges.ts';
import { TallyBook } from './tally-book.ts';
import { addTallyMetrics } from './tally-metrics.ts';
import type { Tally } from './tally.ts';
import { WorkerGauges } from './worker-gauges.ts';

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
    addTallyMetrics(this.#registry, () => this.tallies.all());
    this.#addSplitGauge();
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

  #addSplitGauge(): void {
    const rollouts = (): readonly Rollout[] => this.#policy?.rollouts ?? [];
    const splitOf = (rollout: Rollout): Split => this.#source.splitOf(rollout);
    new Gauge({
      name: 'graygate_split_percent',
      help: 'Percent of users that the split gives a version.',
      labelNames: ['rollout', 'version'],
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
