// Why an event cannot be counted, said so that its sender can correct it. Whether it was counted before only the store knows.
import type { BusinessEvent, Experiment } from '../rollout/experiment.ts';
import { eventsOf } from '../rollout/experiment/user-rules.ts';
import type { ObservedPolicy, ObservedRollout } from './experiment-parts.ts';

const dayMs = 86_400_000;
/** As long as the ids of events are remembered: one that is older might count twice. */
const oldestMs = 7 * dayMs;
/** Clocks of servers run ahead by this much at most. */
const aheadMs = 5 * 60_000;
/** Squares of sums of such values are still numbers; counters cannot go back. */
const mostValue = 1e12;

/** What is counted of a rollout; `experiment` null: nothing. */
export type CountedRollout = { readonly events: ReadonlySet<string>; readonly experiment: Experiment | null };

/** By rollout: the names of the policy's events and of those that its metrics are made from. */
export function countedRollouts({ rollouts }: ObservedPolicy): ReadonlyMap<string, CountedRollout> {
  return new Map(
    rollouts.map((rollout) => [rollout.name, { events: namesIn(rollout), experiment: rollout.experiment }]),
  );
}

/** One sentence; null: the event can be counted. */
export function refusalOf(
  { rollout, event, value, atMs }: BusinessEvent,
  counted: ReadonlyMap<string, CountedRollout>,
  nowMs: number,
): string | null {
  const known = counted.get(rollout);
  if (known === undefined) return `there is no rollout ${JSON.stringify(rollout)}`;
  if (known.experiment === null) return `the rollout ${JSON.stringify(rollout)} counts no events`;
  if (!known.events.has(event)) return `the rollout ${JSON.stringify(rollout)} has no event ${JSON.stringify(event)}`;
  if (!(value >= 0 && value <= mostValue)) return `expected a value from 0 to ${mostValue}, got ${value}`;
  if (!(atMs <= nowMs + aheadMs)) return 'expected a time that is not more than 5 minutes ahead';
  if (!(atMs > nowMs - oldestMs)) return 'expected a time within the last 7 days';
  return null;
}

function namesIn({ events, experiment }: ObservedRollout): ReadonlySet<string> {
  return new Set([...events.map(({ name }) => name), ...(experiment?.metrics.flatMap(eventsOf) ?? [])]);
}
