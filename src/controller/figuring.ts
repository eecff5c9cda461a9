// Adds up what the window lets go of: the stage so far, the last minute for the screens, the last second for the history.
import { emptyFigures, type Figures, mergeFigures } from '../rollout/figures.ts';
import type { StageFigures, VersionFigures } from '../rollout/measurement.ts';

/** Counts of the stage by version index; JSON. */
export type StageTotals = {
  readonly split: readonly VersionFigures[];
  readonly rules: readonly VersionFigures[];
  readonly lastCandidateRequestMs: number | null;
};

const chunkMs = 10_000;
const chunkCount = 6;
const none: VersionFigures = { requests: 0, failures: 0 };

export class Figuring {
  #versionCount: number;
  #split: VersionFigures[];
  #rules: VersionFigures[];
  #lastCandidateRequestMs: number | null;
  #second: Figures[] | null = null;
  /** The last minute in chunks of ten seconds, the newest last. */
  #chunks: { readonly beganMs: number; readonly figures: Figures[] }[] = [];

  constructor(versionCount: number, stage: StageTotals | null) {
    this.#versionCount = versionCount;
    const fits = stage !== null && stage.split.length === versionCount;
    this.#split = fits ? [...stage.split] : this.#zeros();
    this.#rules = fits ? [...stage.rules] : this.#zeros();
    this.#lastCandidateRequestMs = stage?.lastCandidateRequestMs ?? null;
  }

  reset(versionCount: number): void {
    this.#versionCount = versionCount;
    this.#second = null;
    this.#chunks = [];
    this.beginStage();
  }

  beginStage(): void {
    this.#split = this.#zeros();
    this.#rules = this.#zeros();
  }

  add(figures: readonly Figures[], nowMs: number): void {
    const second = (this.#second ??= this.#empty());
    const chunk = this.#chunkAt(nowMs);
    for (let i = 0; i < figures.length; i += 1) {
      const each = figures[i]!;
      this.#split[i] = addTo(this.#split[i]!, each.splitCount, each.splitFailureCount);
      this.#rules[i] = addTo(this.#rules[i]!, each.ruleCount, each.ruleFailureCount);
      mergeFigures(second[i]!, each);
      mergeFigures(chunk[i]!, each);
    }
    const candidate = figures[1];
    if (candidate !== undefined && candidate.splitCount + candidate.ruleCount > 0) this.#lastCandidateRequestMs = nowMs;
  }

  /** What came since the last call; null where nothing did. */
  takeSecond(nowMs: number): readonly Figures[] | null {
    this.#chunks = this.#chunks.filter(({ beganMs }) => nowMs - beganMs < chunkMs * (chunkCount + 1));
    const second = this.#second;
    this.#second = null;
    return second;
  }

  /** The last minute or so by version index, and how long it is. */
  recent(): { readonly sinceMs: number | null; readonly figures: readonly Figures[] } {
    const sum = this.#empty();
    for (const { figures } of this.#chunks) figures.forEach((each, i) => mergeFigures(sum[i]!, each));
    return { sinceMs: this.#chunks[0]?.beganMs ?? null, figures: sum };
  }

  stage(): StageTotals {
    return { split: this.#split, rules: this.#rules, lastCandidateRequestMs: this.#lastCandidateRequestMs };
  }

  /** The machine's view: requests of the split, or of rules where these are all there is. */
  stageFigures(isRulesOnly: boolean): StageFigures {
    const [baseline = none, candidate = none] = isRulesOnly ? this.#rules : this.#split;
    return { baseline, candidate, lastCandidateRequestMs: this.#lastCandidateRequestMs };
  }

  #chunkAt(nowMs: number): Figures[] {
    const newest = this.#chunks.at(-1);
    if (newest !== undefined && nowMs - newest.beganMs < chunkMs) return newest.figures;
    const chunk = { beganMs: nowMs, figures: this.#empty() };
    this.#chunks = [...this.#chunks.slice(1 - chunkCount), chunk];
    return chunk.figures;
  }

  #zeros(): VersionFigures[] {
    return Array.from({ length: this.#versionCount }, () => none);
  }

  #empty(): Figures[] {
    return Array.from({ length: this.#versionCount }, emptyFigures);
  }
}

function addTo({ requests, failures }: VersionFigures, count: number, failureCount: number): VersionFigures {
  return count === 0 ? { requests, failures } : { requests: requests + count, failures: failures + failureCount };
}
