// What is asked for before a metric may decide (STATISTICS 3.3) and is not there yet.
import { leastOfEither, leastOrders, leastUsers } from '../../stats/decision-gates.ts';
import type { Sample } from '../../stats/sample.ts';
import type { Missing } from './report.ts';

/** A version's sample over all phases, and its users (of an order value: orders) whose value is not zero. */
export type Counted = { readonly version: string; readonly sample: Sample; readonly nonZero: number };

/** Everything that is missing of the two versions of a comparison; empty: it may decide. */
export function missingOf(versions: readonly Counted[]): Missing[] {
  return versions.flatMap(({ version, sample, nonZero }) => {
    const gates =
      sample.kind === 'proportion'
        ? ([
            ['users', sample.userCount, leastUsers],
            // Without anybody the other two say nothing more.
            ...(sample.userCount === 0
              ? []
              : ([
                  ['hits', sample.hits, leastOfEither],
                  ['misses', sample.userCount - sample.hits, leastOfEither],
                ] as const)),
          ] as const)
        : ([['orders', nonZero, leastOrders]] as const);
    return gates.flatMap(([what, have, need]) => (have < need ? [{ what, version, have, need }] : []));
  });
}
