// From a stage as a person writes it to the steps that the machine walks: ranges spelled out, what was left out filled in.
import type { Stage } from './staging.ts';

/** A stage as written; null where the policy is silent. `to` and `step` make it a range: `percent`, `percent + step`, … `to`. */
export type StageSpec = {
  readonly name: string;
  readonly percent: number;
  readonly to: number | null;
  readonly step: number | null;
  readonly holdMs: number | null;
  readonly minRequests: number | null;
  readonly approve: 'auto' | 'manual';
};

/** Least requests of a version in a stage. With 0 % no split traffic comes, so a stage that says nothing asks for none. */
const defaultMinRequests = 100;
/** Comparisons need a minute (STATISTICS 4); with everyone on the candidate there is nothing left to compare. */
const defaultHoldMs = 60_000;

/**
 * The steps of one stage, each with its name: one, or those of the range, the last being `to` also where the step does not hit it.
 * `to` must not be below `percent` and `step` must be above 0 (RangeError); percents are in steps of 0.01.
 */
export function expandStage(spec: StageSpec): Stage[] {
  return percentsOf(spec).map((percent) => ({
    name: spec.name,
    percent,
    holdMs: spec.holdMs ?? (percent < 100 ? defaultHoldMs : 0),
    minRequests: spec.minRequests ?? (percent > 0 ? defaultMinRequests : 0),
    approve: spec.approve,
  }));
}

function percentsOf({ name, percent, to, step }: StageSpec): number[] {
  if (to === null) return [percent];
  const [first, last] = [Math.round(percent * 100), Math.round(to * 100)];
  const increment = step === null ? last - first : Math.round(step * 100);
  if (last < first) throw new RangeError(`stage ${name} must go up, not from ${percent} to ${to}`);
  if (step !== null && increment < 1)
    throw new RangeError(`the step of stage ${name} must be at least 0.01, not ${step}`);
  const hundredths: number[] = [];
  for (let next = first; next < last; next += increment) hundredths.push(next);
  return [...hundredths, last].map((value) => value / 100);
}
