// Who got which version by the split, said once a day: what an experiment counts its users by.
import { hashUser } from '../../rollout/bucket.ts';
import type { Decision } from '../../rollout/decide.ts';
import { createDayClock, type DayClock } from '../../rollout/experiment/day-clock.ts';
import type { Experiment, Exposure } from '../../rollout/experiment.ts';
import type { Facts } from '../../rollout/facts.ts';
import type { Rollout } from '../../rollout/policy.ts';
import { compileFilter, fitsFilter, type RequestFilter } from '../../rollout/request-filter.ts';
import type { Split, SplitCell } from '../../rollout/split.ts';
import type { SeenToday } from './seen-today.ts';

export type NoteParts = {
  readonly cell: SplitCell;
  readonly seen: SeenToday;
  nowMs(): number;
  exposed(exposure: Exposure): void;
};

/** No day of any zone begins at another time than a quarter of an hour. */
const quarterMs = 900_000;

export class ExposureNotes {
  readonly #rollout: Rollout;
  readonly #parts: NoteParts;
  readonly #clock: DayClock;
  readonly #excluded: RequestFilter | null;
  /** Tells the versions of this release and split from all others in the table: a new split exposes users who were noted today anew. */
  #scope = 0;
  #split: Split | null = null;
  #quarter = -1;
  #day = 0;

  constructor(rollout: Rollout, experiment: Experiment, parts: NoteParts) {
    this.#rollout = rollout;
    this.#parts = parts;
    this.#clock = createDayClock(experiment.timeZone);
    this.#excluded = compileFilter(rollout.exclude);
  }

  /** Takes note of a decision while the split that it was made by is still the one in force. Rules, the layer and the holdout are no chance. */
  note({ user, bucket, rule, version }: Decision, facts: Facts): void {
    if (user === null || bucket === null || rule !== null) return;
    const { seen, cell } = this.#parts;
    if (cell.current !== this.#split) this.#turnTo(cell.current);
    const atMs = this.#parts.nowMs();
    const day = this.#dayAt(atMs);
    const noted = this.#scope + version.index;
    if (seen.isNoted(user, noted, day)) return;
    if (this.#excluded !== null && fitsFilter(this.#excluded, facts, user)) return;
    seen.note(user, noted, day);
    const { name, staging } = this.#rollout;
    this.#parts.exposed({
      rollout: name,
      release: staging.release,
      version: version.name,
      user,
      bucket,
      percents: cell.current.percents,
      atMs,
    });
  }

  #turnTo(split: Split): void {
    const { name, staging, versions } = this.#rollout;
    const names = versions.map((version) => version.name);
    this.#split = split;
    this.#scope = hashUser('', JSON.stringify([name, staging.release, names, split.percents]));
  }

  #dayAt(atMs: number): number {
    const quarter = Math.floor(atMs / quarterMs);
    if (quarter !== this.#quarter) {
      this.#quarter = quarter;
      this.#day = this.#clock.dayOf(atMs);
    }
    return this.#day;
  }
}
