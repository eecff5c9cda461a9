// The difference made sharper by the users' past (CUPED), over the same phases, with the same weights, as the unadjusted one: a phase
// with too little past is taken as it is.
import { compareAdjusted } from './adjusted-comparison.ts';
import type { PairedSample } from './adjusted-comparison.ts';
import { usersOf } from './phase-contrast.ts';
import { momentsOf } from './sample.ts';
import type { Moments } from './sample.ts';

/** Users who were first exposed while one split was in force. */
export type PairedPhase = { readonly candidate: PairedSample; readonly baseline: PairedSample };

export type PhasedAdjustment = {
  readonly difference: number;
  readonly standardError: number;
  /** 1 - (adjusted / unadjusted error)²: the part of the users saved; may be slightly negative. */
  readonly varianceReduction: number;
  readonly userCount: number;
};

type PhaseFigures = { readonly difference: number; readonly standardError: number; readonly unadjustedError: number };

/** Users of each version whose past must be known: with fewer the slope is mostly luck. */
const leastUsersWithPast = 100;

/** Candidate - baseline, adjusted; null when no phase has enough of a past, or nothing varies. */
export function adjustPhases(phases: readonly PairedPhase[]): PhasedAdjustment | null {
  const usable = phases.filter(({ candidate, baseline }) => candidate.userCount > 0 && baseline.userCount > 0);
  if (!usable.some(hasPast)) return null;
  const userCount = usable.reduce((sum, phase) => sum + usersOf(phase), 0);
  let [difference, variance, unadjusted] = [0, 0, 0];
  for (const phase of usable) {
    const weight = usersOf(phase) / userCount;
    const figures = (hasPast(phase) ? compareAdjusted(phase.candidate, phase.baseline) : null) ?? asItIs(phase);
    difference += weight * figures.difference;
    variance += (weight * figures.standardError) ** 2;
    unadjusted += (weight * figures.unadjustedError) ** 2;
  }
  if (!(variance > 0)) return null;
  return { difference, standardError: Math.sqrt(variance), varianceReduction: 1 - variance / unadjusted, userCount };
}

function asItIs({ candidate, baseline }: PairedPhase): PhaseFigures {
  const [c, b] = [unpaired(candidate), unpaired(baseline)];
  const error = Math.sqrt(c.variance / candidate.userCount + b.variance / baseline.userCount);
  return { difference: c.mean - b.mean, standardError: error, unadjustedError: error };
}

function unpaired({ userCount, ySum, ySquares }: PairedSample): Moments {
  return momentsOf({ kind: 'mean', userCount, sum: ySum, sumOfSquares: ySquares });
}

/**
 * Whether each version has the past of at least so many users, by their effective number (Kish): never more than there are, and fewer
 * when a few have most of it. It looks at the past only, so it cannot choose by the outcome.
 */
function hasPast({ candidate, baseline }: PairedPhase): boolean {
  return [candidate, baseline].every(({ xSum, xSquares }) => xSum * xSum >= leastUsersWithPast * xSquares && xSum > 0);
}
