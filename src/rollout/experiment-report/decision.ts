// What the primary metric says of all versions together.
import { decisiveOf } from './decisive.ts';
import type { Decision, MetricComparison, MetricReport } from './report.ts';

/**
 * The winner: a candidate that is better than the baseline and that no other candidate is ahead of; the baseline where every candidate
 * is worse. While a candidate that is ahead could still turn out either way, nothing is decided.
 */
export function decide(primary: MetricReport | undefined, baseline: string): Decision {
  const ranked = (primary?.comparisons ?? []).toSorted((a, b) => differenceOf(b) - differenceOf(a));
  const [best] = ranked;
  if (best === undefined) return { kind: 'undecided', about: null, sentence: 'nothing has been counted yet' };
  if (best.verdict.kind === 'better') return { kind: 'winner', version: best.candidate, ...told(best) };
  const open = ranked.find(({ verdict }) => verdict.kind !== 'worse');
  if (open === undefined) return { kind: 'winner', version: baseline, ...told(best) };
  return { kind: 'undecided', ...told(open) };
}

/** A candidate of which nothing is known may be the best. */
function differenceOf(comparison: MetricComparison): number {
  return decisiveOf(comparison)?.difference ?? Infinity;
}

function told({ candidate, sentence }: MetricComparison): { readonly about: string; readonly sentence: string } {
  return { about: candidate, sentence };
}
