// The control process's side of the splits: which one is in force, by serial number, and the news of it for workers.
import type { Rollout } from '../rollout/policy.ts';
import type { SplitCells } from '../rollout/split.ts';
import type { SplitNews } from './messages.ts';
import { versionNamesOf } from './split-places.ts';

export class SplitSerials {
  readonly #cells: SplitCells;
  /** By rollout. They go on over changes of the policy, so that no two splits of a name share a number. */
  readonly #serials = new Map<string, number>();

  constructor(cells: SplitCells) {
    this.#cells = cells;
  }

  /** The cell of the rollout has changed. */
  advance(rollout: Rollout): SplitNews {
    this.#serials.set(rollout.name, this.serialOf(rollout) + 1);
    return this.newsOf(rollout);
  }

  newsOf(rollout: Rollout): SplitNews {
    const { current } = this.#cells.of(rollout);
    return { rollout: rollout.name, versions: versionNamesOf(rollout), serial: this.serialOf(rollout), split: current };
  }

  /** Users that another split assigned are not counted for the one in force. */
  serialOf({ name }: Rollout): number {
    return this.#serials.get(name) ?? 0;
  }
}
