// One metric of two versions: the difference and the lift with intervals that hold at every look.
import { meanInterval } from './mean-interval.ts';
import type { MeanInterval, Tuning } from './mean-interval.ts';
import { mergeSamples, momentsOf } from './sample.ts';
import type { Moments, Sample } from './sample.ts';

/** Candidate - baseline, or what kept it from being computed: an empty version, or no spread in either. */
export type Comparison =
  | { readonly status: 'insufficient'; readonly candidate: Moments; readonly baseline: Moments }
  | {
      readonly status: 'ok';
      readonly candidate: Moments;
      readonly baseline: Moments;
      readonly difference: number;
      readonly standardError: number;
      readonly interval: MeanInterval;
      /** With the pooled variance where it is larger: what decisions use, because it repairs the small side of a 5/95 split. */
      readonly guardedError: number;
      readonly guarded: MeanInterval;
      /** Relative to the baseline (0.1 is 10 % more); null when the baseline's mean is 0 or nothing varies. */
      readonly lift: { readonly value: number; readonly standardError: number; readonly interval: MeanInterval } | null;
    };

/** Samples of one kind; each user is in one of them only. */
export type SamplePair = { readonly candidate: Sample; readonly baseline: Sample };

/** Compares two samples. Throws a RangeError for impossible sums or different kinds. */
export function compareSamples(samples: SamplePair, tuning: Tuning): Comparison {
  const [candidate, baseline] = [momentsOf(samples.candidate), momentsOf(samples.baseline)];
  const [nc, nb] = [samples.candidate.userCount, samples.baseline.userCount];
  const pooled = momentsOf(mergeSamples(samples.candidate, samples.baseline));
  if (nc === 0 || nb === 0 || (candidate.variance === 0 && baseline.variance === 0))
    return { status: 'insufficient', candidate, baseline };
  const difference = candidate.mean - baseline.mean;
  const standardError = Math.sqrt(candidate.variance / nc + baseline.variance / nb);
  const guardedError = Math.max(standardError, Math.sqrt(pooled.variance * (1 / nc + 1 / nb)));
  const intervalOf = (value: number, error: number): MeanInterval =>
    meanInterval({ value, standardError: error, userCount: nc + nb }, tuning);
  const liftError = liftStandardError({ candidate, baseline }, nc, nb);
  const lift = difference / Math.abs(baseline.mean);
  return {
    status: 'ok',
    candidate,
    baseline,
    difference,
    standardError,
    interval: intervalOf(difference, standardError),
    guardedError,
    guarded: intervalOf(difference, guardedError),
    lift: liftError > 0 ? { value: lift, standardError: liftError, interval: intervalOf(lift, liftError) } : null,
  };
}

/** Delta method; 0 when the baseline's mean is 0. */
function liftStandardError(
  { candidate, baseline }: { candidate: Moments; baseline: Moments },
  nc: number,
  nb: number,
): number {
  const square = baseline.mean * baseline.mean;
  if (square === 0) return 0;
  return Math.sqrt(
    candidate.variance / (nc * square) + (baseline.variance * candidate.mean ** 2) / (nb * square * square),
  );
}
