// When a server has failed often enough in a row to be left alone, and for how long. Pure: time comes as a number.
import type { EjectionRule } from '../../rollout/serving.ts';

/** An ejection lasts at most so many times the first one. */
const mostTimes = 10;

/** One server's failures and ejections. */
export class FailureRun {
  /** When each of the last failures came, with no success in between; oldest first. */
  readonly #failedAtMs: number[] = [];
  /** Ejections with no long good time in between. */
  #rowCount = 0;
  #lastForMs = 0;
  #returnedAtMs = -Infinity;

  /** Takes down a failure; true when the run is long enough to put the server out. */
  failed(nowMs: number, { after, withinMs }: EjectionRule): boolean {
    this.#failedAtMs.push(nowMs);
    if (this.#failedAtMs.length > after) this.#failedAtMs.splice(0, this.#failedAtMs.length - after);
    return this.#failedAtMs.length === after && nowMs - this.#failedAtMs[0]! <= withinMs;
  }

  succeeded(): void {
    if (this.#failedAtMs.length > 0) this.#failedAtMs.length = 0;
  }

  /**
   * How long the server is out now: `forMs` times the ejections in a row, ten times at most. The row ends when it was in for as
   * long as it had been out.
   */
  ejected(nowMs: number, { forMs }: EjectionRule): number {
    this.#failedAtMs.length = 0;
    this.#rowCount = nowMs - this.#returnedAtMs >= this.#lastForMs ? 1 : this.#rowCount + 1;
    this.#lastForMs = forMs * Math.min(this.#rowCount, mostTimes);
    return this.#lastForMs;
  }

  returned(nowMs: number): void {
    this.#returnedAtMs = nowMs;
  }
}

/** Whether one more server may be put out, when `outCount` of `totalCount` are out already. */
export function mayEject(
  { outCount, totalCount }: { outCount: number; totalCount: number },
  { maxPercent }: EjectionRule,
): boolean {
  return (outCount + 1) * 100 <= totalCount * maxPercent;
}
