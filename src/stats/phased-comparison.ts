// The difference of two versions over the phases of a split, with intervals that hold at every look.
import { meanInterval } from './mean-interval.ts';
import type { MeanInterval, Tuning } from './mean-interval.ts';
import { contrastPhases } from './phase-contrast.ts';
import type { Phase, PhasedMean } from './phase-contrast.ts';

export type PhasedComparison =
  | { readonly status: 'insufficient' }
  | {
      readonly status: 'ok';
      readonly candidate: PhasedMean;
      readonly baseline: PhasedMean;
      readonly difference: number;
      readonly standardError: number;
      readonly userCount: number;
      readonly interval: MeanInterval;
      /** With the pooled variances where they are larger: what decisions use. */
      readonly guardedError: number;
      readonly guarded: MeanInterval;
    };

/** Candidate - baseline, each phase weighted by its users; `insufficient` where nothing can be compared or nothing varies. */
export function comparePhases(phases: readonly Phase[], tuning: Tuning): PhasedComparison {
  const contrast = contrastPhases(phases);
  if (contrast === null) return { status: 'insufficient' };
  const { candidate, baseline, value, standardError, guardedError, userCount } = contrast;
  return {
    status: 'ok',
    candidate,
    baseline,
    difference: value,
    standardError,
    userCount,
    interval: meanInterval({ value, standardError, userCount }, tuning),
    guardedError,
    guarded: meanInterval({ value, standardError: guardedError, userCount }, tuning),
  };
}
