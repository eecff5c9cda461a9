// Which of its estimates a comparison is judged by: one rule for verdicts, words, tables and drawings.
import type { Estimated, MetricComparison } from './report.ts';

/** The one that takes the users' past into account where there is one; null where nothing can be computed yet. */
export function decisiveOf({ adjusted, figures }: Pick<MetricComparison, 'adjusted' | 'figures'>): Estimated | null {
  return adjusted ?? figures;
}
