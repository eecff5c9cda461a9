// How the processes that serve are, as metrics; filled when somebody scrapes. A process that serves and controls shows nothing here
// but that it is one: `process_*` says the rest.
import { Counter, Gauge, type Registry } from 'prom-client';

/** A worker as the metrics see it. */
export type WorkerStanding = {
  /** From 1. A worker that takes the place of another one has its number. */
  readonly index: number;
  readonly openCount: number;
  /** Null until it has said so. */
  readonly usage: { readonly cpuSeconds: number; readonly residentBytes: number } | null;
};

export class WorkerGauges {
  #serving: (() => readonly WorkerStanding[]) | null = null;
  /** Used by those that are gone, by number: a counter does not fall. */
  readonly #pastCpuSeconds = new Map<number, number>();
  readonly #restarts: Counter<'worker'>;

  constructor(registry: Registry) {
    const registers: [Registry] = [registry];
    const labelNames = ['worker'] as const;
    const serving = (): readonly WorkerStanding[] => this.#serving?.() ?? [];
    const cpuSecondsOf = (standing: WorkerStanding): number => this.#cpuSecondsOf(standing);
    const count = (): number => this.#serving?.().length ?? 1;
    new Gauge({
      name: 'graygate_workers',
      help: 'Processes that serve traffic now.',
      registers,
      collect() {
        this.set(count());
      },
    });
    this.#restarts = new Counter({
      name: 'graygate_worker_restarts_total',
      help: 'How often a worker that had ended was started again.',
      labelNames,
      registers,
    });
    new Counter({
      name: 'graygate_worker_cpu_seconds_total',
      help: 'Processor time of a worker and of those whose place it took.',
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const standing of serving()) this.inc({ worker: standing.index }, cpuSecondsOf(standing));
      },
    });
    const addGauge = (name: string, help: string, valueOf: (standing: WorkerStanding) => number): void => {
      new Gauge({
        name,
        help,
        labelNames,
        registers,
        collect() {
          this.reset();
          for (const standing of serving()) this.set({ worker: standing.index }, valueOf(standing));
        },
      });
    };
    const memoryHelp = 'Resident memory of a worker.';
    addGauge('graygate_worker_resident_memory_bytes', memoryHelp, ({ usage }) => usage?.residentBytes ?? 0);
    addGauge('graygate_worker_connections', 'Client connections open in a worker.', ({ openCount }) => openCount);
  }

  /** From now on these are the workers. */
  follow(serving: () => readonly WorkerStanding[]): void {
    this.#serving = serving;
  }

  restarted(index: number): void {
    this.#restarts.inc({ worker: index });
  }

  /** What a worker had used stays in the sum of its number. */
  lost(standing: WorkerStanding): void {
    this.#pastCpuSeconds.set(standing.index, this.#cpuSecondsOf(standing));
  }

  #cpuSecondsOf({ index, usage }: WorkerStanding): number {
    return (this.#pastCpuSeconds.get(index) ?? 0) + (usage?.cpuSeconds ?? 0);
  }
}
