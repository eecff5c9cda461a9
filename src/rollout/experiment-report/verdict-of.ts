// From figures to a verdict: what keeps a metric from deciding comes first, then what its interval leaves out.
import type { Estimated, MetricVerdict, Missing } from './report.ts';

export type Grounds = {
  /** Users do not fall as the split says. */
  readonly isFrozen: boolean;
  readonly missing: readonly Missing[];
  /** What decides: the adjusted figures where there are any; null where nothing can be computed. */
  readonly estimated: Estimated | null;
};

/** The verdict of one comparison. */
export function verdictOf({ isFrozen, missing, estimated }: Grounds): MetricVerdict {
  if (isFrozen) return { kind: 'frozen' };
  if (missing.length > 0) return { kind: 'not-enough-data', missing };
  if (estimated === null) return { kind: 'not-enough-data', missing: [{ what: 'spread' }] };
  const { lower, upper, lift } = estimated;
  if (lower > 0) return { kind: 'better' };
  if (upper < 0) return { kind: 'worse' };
  const largestLift = lift === null ? null : Math.max(-lift.lower, lift.upper);
  return { kind: 'no-difference', largest: Math.max(-lower, upper), largestLift };
}
