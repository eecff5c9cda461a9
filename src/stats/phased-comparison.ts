// A difference of proportions over a time in which the split changed: compared within each phase, then averaged, because the
// pooled figures of a ramp can point the wrong way (Simpson).
import { meanInterval } from './mean-interval.ts';
import type { MeanInterval, Tuning } from './mean-interval.ts';
import { momentsOf } from './sample.ts';
import type { Proportion } from './sample.ts';

/** Users who were first exposed while one split was in force. */
export type Phase = { readonly candidate: Proportion; readonly baseline: Proportion };

export type PhasedComparison =
  | { readonly status: 'insufficient' }
  | {
      readonly status: 'ok';
      readonly difference: number;
      readonly standardError: number;
      readonly userCount: number;
      readonly interval: MeanInterval;
    };

/** Candidate - baseline, each phase weighted by its users; phases with an empty version say nothing and are left out. */
export function comparePhases(phases: readonly Phase[], tuning: Tuning): PhasedComparison {
  const usable = phases.filter(({ candidate, baseline }) => candidate.userCount > 0 && baseline.userCount > 0);
  const userCount = usable.reduce((sum, phase) => sum + usersOf(phase), 0);
  let [difference, variance] = [0, 0];
  for (const phase of usable) {
    const [candidate, baseline] = [momentsOf(phase.candidate), momentsOf(phase.baseline)];
    const weight = usersOf(phase) / userCount;
    difference += weight * (candidate.mean - baseline.mean);
    variance +=
      weight ** 2 * (candidate.variance / phase.candidate.userCount + baseline.variance / phase.baseline.userCount);
  }
  if (variance === 0) return { status: 'insufficient' };
  const standardError = Math.sqrt(variance);
  const interval = meanInterval({ value: difference, standardError, userCount }, tuning);
  return { status: 'ok', difference, standardError, userCount, interval };
}

function usersOf({ candidate, baseline }: Phase): number {
  return candidate.userCount + baseline.userCount;
}
