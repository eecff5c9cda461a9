// The figures of every experiment of the policy in force, asked for now and then: a tick only looks at what came last.
import type { BusinessSight } from '../rollout/business-ledger.ts';
import { reportOf } from '../rollout/experiment-report/report-of.ts';
import { standingOf } from '../rollout/experiment-standing.ts';
import type { ExperimentFigures } from '../rollout/experiment.ts';
import type { Rollout } from '../rollout/policy.ts';

/** How often figures are asked for. */
const askEveryMs = 3_000;

export type ExperimentBoardParts = {
  /** Of a release; null where nothing is known. */
  figures(rollout: string, release: string): Promise<ExperimentFigures | null>;
  readonly nowMs: () => number;
};

type Observed = Pick<Rollout, 'name' | 'experiment' | 'staging'>;

export class ExperimentBoard {
  readonly #parts: ExperimentBoardParts;
  #observed: readonly Observed[] = [];
  readonly #sights = new Map<string, BusinessSight>();
  readonly #asking = new Set<string>();
  readonly #timer: NodeJS.Timeout;

  constructor(parts: ExperimentBoardParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.look(), askEveryMs);
  }

  /** Asks for the experiments of these rollouts, and for nothing else any more. */
  follow(rollouts: readonly Observed[]): void {
    this.#observed = rollouts.filter(({ experiment }) => experiment !== null);
    const named = new Set(this.#observed.map(({ name }) => name));
    for (const name of this.#sights.keys()) if (!named.has(name)) this.#sights.delete(name);
    void this.look();
  }

  /** What came last; null before there is anything. While the store is away it stays as it was. */
  sight(rollout: string): BusinessSight | null {
    return this.#sights.get(rollout) ?? null;
  }

  /** Asks for all of them now; never rejects. */
  async look(): Promise<void> {
    await Promise.all(this.#observed.map((rollout) => this.#ask(rollout)));
  }

  close(): void {
    clearInterval(this.#timer);
    this.#observed = [];
  }

  async #ask({ name, experiment, staging: { release } }: Observed): Promise<void> {
    if (experiment === null || this.#asking.has(name)) return;
    this.#asking.add(name);
    try {
      const figures = await this.#parts.figures(name, release);
      if (figures === null) this.#sights.delete(name);
      else this.#sights.set(name, sightOf(figures, experiment, this.#parts.nowMs()));
    } catch {
      // The store says by itself that it is not well, and nothing moves forward meanwhile.
    } finally {
      this.#asking.delete(name);
    }
  }
}

function sightOf(
  figures: ExperimentFigures,
  experiment: NonNullable<Observed['experiment']>,
  nowMs: number,
): BusinessSight {
  const standing = standingOf(reportOf(figures, experiment, nowMs), experiment);
  return { figures, standing, tightestAt: experiment.expectedUserCount };
}
