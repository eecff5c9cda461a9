// The difference made sharper by the users' past (CUPED), phase by phase and averaged as the unadjusted one is.
import { compareAdjusted } from './adjusted-comparison.ts';
import type { PairedSample } from './adjusted-comparison.ts';

/** Users who were first exposed while one split was in force. */
export type PairedPhase = { readonly candidate: PairedSample; readonly baseline: PairedSample };

export type PhasedAdjustment = {
  readonly difference: number;
  readonly standardError: number;
  /** 1 - (adjusted / unadjusted error)²: the part of the users saved; may be slightly negative. */
  readonly varianceReduction: number;
  readonly userCount: number;
};

/** Candidate - baseline, adjusted; phases with fewer than two users of a version, or without spread, say nothing. null when none is left. */
export function adjustPhases(phases: readonly PairedPhase[]): PhasedAdjustment | null {
  const usable = phases.flatMap(({ candidate, baseline }) => {
    const adjusted = compareAdjusted(candidate, baseline);
    return adjusted === null ? [] : [{ ...adjusted, userCount: candidate.userCount + baseline.userCount }];
  });
  const userCount = usable.reduce((sum, phase) => sum + phase.userCount, 0);
  let [difference, variance, unadjusted] = [0, 0, 0];
  for (const phase of usable) {
    const weight = phase.userCount / userCount;
    difference += weight * phase.difference;
    variance += (weight * phase.standardError) ** 2;
    unadjusted += (weight * phase.unadjustedError) ** 2;
  }
  if (!(variance > 0)) return null;
  return { difference, standardError: Math.sqrt(variance), varianceReduction: 1 - variance / unadjusted, userCount };
}
