// Adds up what the window lets go of: the stage so far, the last minute for the screens, the last second for the history.
import { emptyFigures, type Figures, mergeFigures } from '../rollout/figures.ts';
import type { StageFigures } from '../rollout/measurement.ts';
import { type StageSnapshot, StageTotals, type StageView } from '../rollout/stage-totals.ts';

/** The stage as JSON, for the store. */
export type KeptStage = StageSnapshot & { readonly lastCandidateRequestMs: number | null };

const chunkMs = 10_000;
const chunkCount = 6;

export class Figuring {
  #versionCount: number;
  #stage: StageTotals;
  #lastCandidateRequestMs: number | null;
  #second: Figures[] | null = null;
  /** The last minute in chunks of ten seconds, the newest last. */
  #chunks: { readonly beganMs: number; readonly figures: Figures[] }[] = [];

  constructor(versionCount: number, stage: KeptStage | null) {
    this.#versionCount = versionCount;
    this.#stage = new StageTotals(versionCount, stage);
    this.#lastCandidateRequestMs = stage?.lastCandidateRequestMs ?? null;
  }

  reset(versionCount: number): void {
    this.#versionCount = versionCount;
    this.#second = null;
    this.#chunks = [];
    this.beginStage();
  }

  beginStage(): void {
    this.#stage = new StageTotals(this.#versionCount);
  }

  add(figures: readonly Figures[], nowMs: number): void {
    const second = (this.#second ??= this.#empty());
    const chunk = this.#chunkAt(nowMs);
    this.#stage.add(figures);
    for (let i = 0; i < figures.length; i += 1) {
      mergeFigures(second[i]!, figures[i]!);
      mergeFigures(chunk[i]!, figures[i]!);
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

  stage(): StageView {
    return this.#stage.view();
  }

  keptStage(): KeptStage {
    return { ...this.#stage.snapshot(), lastCandidateRequestMs: this.#lastCandidateRequestMs };
  }

  /** The machine's view: requests of the split, or of rules where these are all there is. */
  stageFigures(isRulesOnly: boolean): StageFigures {
    const { split, rules } = this.#stage.view();
    const [baseline, candidate] = isRulesOnly ? rules : split;
    return { baseline: baseline!, candidate: candidate!, lastCandidateRequestMs: this.#lastCandidateRequestMs };
  }

  #chunkAt(nowMs: number): Figures[] {
    const newest = this.#chunks.at(-1);
    if (newest !== undefined && nowMs - newest.beganMs < chunkMs) return newest.figures;
    const chunk = { beganMs: nowMs, figures: this.#empty() };
    this.#chunks = [...this.#chunks.slice(1 - chunkCount), chunk];
    return chunk.figures;
  }

  #empty(): Figures[] {
    return Array.from({ length: this.#versionCount }, emptyFigures);
  }
}
