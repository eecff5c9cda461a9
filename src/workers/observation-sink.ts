// What of the workers' assignments and observations reaches the statistics.
import type { PlaneEars } from './data-plane.ts';
import type { ObservationSink } from './observation-codec.ts';
import type { RolloutNumbers } from './rollout-numbers.ts';
import type { SplitSerials } from './split-serials.ts';

/**
 * Passes on what is about rollouts of the policy in force. A user whom a split assigned that has been replaced meanwhile is left out,
 * of whichever version: counted for the new split it would look like a sample ratio mismatch.
 */
export function sinkOf(
  ears: Pick<PlaneEars, 'assigned' | 'observed'>,
  numbers: Pick<RolloutNumbers, 'find'>,
  serials: Pick<SplitSerials, 'serialOf'>,
): ObservationSink {
  return {
    rolloutOf: (number) => numbers.find(number),
    assigned(assignment, split) {
      if (split === serials.serialOf(assignment.rollout)) ears.assigned(assignment);
    },
    observed: (observation) => ears.observed(observation),
  };
}
