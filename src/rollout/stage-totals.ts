// What every version has done since the stage began, by version index: requests that the split or a rule sent, and how long they
// took. Bounded, whatever comes; it outlives the process as JSON.
import {
  createHistogram,
  mergeHistogram,
  packHistogram,
  unpackHistogram,
  type LogHistogram,
  type PackedHistogram,
} from '../stats/log-histogram.ts';
import type { Figures } from './figures.ts';
import type { VersionFigures } from './measurement.ts';

/** By version index. `latencies`: in ms, of the requests of the split and of rules together. */
export type StageView = {
  readonly split: readonly VersionFigures[];
  readonly rules: readonly VersionFigures[];
  readonly latencies: readonly LogHistogram[];
};

/** JSON. `latencies` absent: an older release kept none. */
export type StageSnapshot = Pick<StageView, 'split' | 'rules'> & { readonly latencies?: readonly PackedHistogram[] };

const none: VersionFigures = { requests: 0, failures: 0 };

export class StageTotals {
  readonly #split: VersionFigures[];
  readonly #rules: VersionFigures[];
  readonly #latencies: LogHistogram[];

  /** A snapshot of another number of versions says nothing of these. */
  constructor(versionCount: number, snapshot: StageSnapshot | null = null) {
    const kept = snapshot?.split.length === versionCount ? snapshot : null;
    const each = Array.from({ length: versionCount }, (_, i) => i);
    this.#split = each.map((i) => kept?.split[i] ?? none);
    this.#rules = each.map((i) => kept?.rules[i] ?? none);
    this.#latencies = each.map((i) => {
      const packed = kept?.latencies?.[i];
      return packed === undefined ? createHistogram() : unpackHistogram(packed);
    });
  }

  add(figures: readonly Figures[]): void {
    for (let i = 0; i < figures.length; i += 1) {
      const each = figures[i]!;
      this.#split[i] = addTo(this.#split[i]!, each.splitCount, each.splitFailureCount);
      this.#rules[i] = addTo(this.#rules[i]!, each.ruleCount, each.ruleFailureCount);
      if (each.latencies.count > 0) mergeHistogram(this.#latencies[i]!, each.latencies);
    }
  }

  /** As it is now; it goes on changing. */
  view(): StageView {
    return { split: this.#split, rules: this.#rules, latencies: this.#latencies };
  }

  snapshot(): StageSnapshot {
    return { split: [...this.#split], rules: [...this.#rules], latencies: this.#latencies.map(packHistogram) };
  }
}

function addTo({ requests, failures }: VersionFigures, count: number, failureCount: number): VersionFigures {
  return count === 0 ? { requests, failures } : { requests: requests + count, failures: failures + failureCount };
}
