// One metric of two versions over a time in which the split changed: compared within each phase, then averaged, because the pooled
// figures of a ramp can point the wrong way (Simpson).
import { mergeSamples, momentsOf } from './sample.ts';
import type { Sample } from './sample.ts';

/** Users who were first exposed while one split was in force; samples of one kind. */
export type Phase = { readonly candidate: Sample; readonly baseline: Sample };

/** What has users in both versions. */
type Counted = Readonly<Record<keyof Phase, { readonly userCount: number }>>;

/** A mean over the phases. */
export type PhasedMean = { readonly mean: number; readonly standardError: number };

export type Contrast = {
  readonly candidate: PhasedMean;
  readonly baseline: PhasedMean;
  /** Candidate - `ratio` times the baseline. */
  readonly value: number;
  readonly standardError: number;
  /** With each phase's pooled variance where that is larger: what decisions use. */
  readonly guardedError: number;
  /** Of both versions, in the phases that count. */
  readonly userCount: number;
};

/**
 * Each phase weighs as many as its users. Phases in which a version has no user (of a ratio: no unit, or one user) say nothing and
 * are left out; null when none is left or nothing varies. Throws a RangeError for impossible sums or different kinds.
 */
export function contrastPhases(phases: readonly Phase[], ratio = 1): Contrast | null {
  const usable = phases.filter(({ candidate, baseline }) => hasMean(candidate) && hasMean(baseline));
  const userCount = usable.reduce((sum, phase) => sum + usersOf(phase), 0);
  const sum = { candidate: 0, baseline: 0, candidateVariance: 0, baselineVariance: 0, pooledVariance: 0 };
  for (const phase of usable) {
    const weight = usersOf(phase) / userCount;
    const [candidate, baseline] = [momentsOf(phase.candidate), momentsOf(phase.baseline)];
    const [nc, nb] = [phase.candidate.userCount, phase.baseline.userCount];
    const [vc, vb] = [candidate.variance / nc, baseline.variance / nb];
    const pooled = momentsOf(mergeSamples(phase.candidate, phase.baseline)).variance * (1 / nc + ratio ** 2 / nb);
    sum.candidate += weight * candidate.mean;
    sum.baseline += weight * baseline.mean;
    sum.candidateVariance += weight ** 2 * vc;
    sum.baselineVariance += weight ** 2 * vb;
    sum.pooledVariance += weight ** 2 * Math.max(pooled, vc + ratio ** 2 * vb);
  }
  const variance = sum.candidateVariance + ratio ** 2 * sum.baselineVariance;
  if (!(variance > 0)) return null;
  return {
    candidate: { mean: sum.candidate, standardError: Math.sqrt(sum.candidateVariance) },
    baseline: { mean: sum.baseline, standardError: Math.sqrt(sum.baselineVariance) },
    value: sum.candidate - ratio * sum.baseline,
    standardError: Math.sqrt(variance),
    guardedError: Math.sqrt(sum.pooledVariance),
    userCount,
  };
}

/** Users of both versions in a phase. */
export function usersOf({ candidate, baseline }: Counted): number {
  return candidate.userCount + baseline.userCount;
}

function hasMean(sample: Sample): boolean {
  return sample.kind === 'ratio' ? sample.userCount > 1 && sample.unitSum > 0 : sample.userCount > 0;
}
