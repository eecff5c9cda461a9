// Whether users fall to the versions as the split says (sample ratio mismatch). Counts new users at their first assignment.
// A mismatch freezes forward moves and verdicts; it never rolls back.
import { logShareEvidence } from './dirichlet.ts';
import { logSumExp } from './log-space.ts';

/** Two, because the wide prior finds gross mismatches soon and the narrow one small ones at last. */
const defaultConcentrations = [100, 10_000] as const;
const alarmAt = Math.log(1000);

/** A time with one split. Plain; epochs of several processes with the same shares add up count by count. */
export type SplitEpoch = {
  /** New users a version. */
  readonly counts: readonly number[];
  /** Expected share (0–1) a version; they add up to 1. */
  readonly shares: readonly number[];
};

export type SampleRatio = {
  readonly logEvidence: number;
  /** Chance (0–1) of evidence this strong by luck, at this look; the smallest over all looks is valid at any time. */
  readonly chanceByLuck: number;
  readonly isMismatch: boolean;
  readonly logEvidences: readonly number[];
};

/** Judges all epochs together; without users there is no evidence. Throws a RangeError for impossible counts or shares. Cost: 4 log gammas a version and epoch. */
export function sampleRatio(
  epochs: readonly SplitEpoch[],
  concentrations: readonly number[] = defaultConcentrations,
): SampleRatio {
  const logEvidences = concentrations.map((concentration) =>
    epochs.reduce((sum, { counts, shares }) => sum + logShareEvidence(counts, shares, concentration), 0),
  );
  const logEvidence = logSumExp(logEvidences) - Math.log(concentrations.length);
  return {
    logEvidence,
    chanceByLuck: Math.min(1, Math.exp(-logEvidence)),
    isMismatch: logEvidence >= alarmAt,
    logEvidences,
  };
}

/** The epochs after more new users; a change of the shares opens the next epoch. */
export function addUsers(epochs: readonly SplitEpoch[], { counts, shares }: SplitEpoch): readonly SplitEpoch[] {
  const last = epochs.at(-1);
  if (
    last === undefined ||
    last.shares.length !== shares.length ||
    last.shares.some((share, i) => share !== shares[i])
  ) {
    return [...epochs, { counts, shares }];
  }
  return [...epochs.slice(0, -1), { counts: last.counts.map((count, i) => count + counts[i]!), shares }];
}
