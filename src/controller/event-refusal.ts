// Why an event cannot be counted, said so that its sender can correct it. Whether it was counted before only the store knows.
import type { BusinessEvent, Experiment } from '../rollout/experiment.ts';
import { eventsOf } from '../rollout/experiment/user-rules.ts';
import { nearestName } from '../rollout/nearest-name.ts';
import type { ObservedPolicy, ObservedRollout } from './experiment-parts.ts';

const dayMs = 86_400_000;
/** As long as the ids of events are remembered: one that is older might count twice. */
const oldestMs = 7 * dayMs;
/** Clocks of servers run ahead by this much at most. */
const aheadMs = 5 * 60_000;
/** Squares of sums of such values are still numbers; counters cannot go back. */
const mostValue = 1e12;
/** A look-up compares a name with every one that is known. */
const mostHints = 20;

/** What is counted of a rollout; `experiment` null: nothing. */
export type CountedRollout = { readonly events: ReadonlySet<string>; readonly experiment: Experiment | null };

/** By rollout: the names of the policy's events and of those that its metrics are made from. */
export function countedRollouts({ rollouts }: ObservedPolicy): ReadonlyMap<string, CountedRollout> {
  return new Map(
    rollouts.map((rollout) => [rollout.name, { events: namesIn(rollout), experiment: rollout.experiment }]),
  );
}

/** What is counted now, and when that is. */
export type Counting = { readonly counted: ReadonlyMap<string, CountedRollout>; readonly nowMs: number };

/** One sentence, with what `hint` says of a name that there is not; null: the event can be counted. */
export function refusalOf(
  { rollout, event, value, atMs }: BusinessEvent,
  { counted, nowMs }: Counting,
  hint: NameHint,
): string | null {
  const known = counted.get(rollout);
  if (known === undefined) return `there is no rollout ${JSON.stringify(rollout)}${hint(rollout, counted.keys())}`;
  if (known.experiment === null) return `the rollout ${JSON.stringify(rollout)} counts no events`;
  if (!known.events.has(event)) {
    const what = `the rollout ${JSON.stringify(rollout)} has no event ${JSON.stringify(event)}`;
    return what + hint(event, known.events.keys());
  }
  if (!(value >= 0 && value <= mostValue)) return `expected a value from 0 to ${mostValue}, got ${value}`;
  if (!(atMs <= nowMs + aheadMs)) return 'expected a time that is not more than 5 minutes ahead';
  if (!(atMs > nowMs - oldestMs)) return 'expected a time within the last 7 days';
  return null;
}

/** What was probably meant by a name, to be put behind a sentence; empty where nobody can say. */
export type NameHint = (written: string, known: Iterable<string>) => string;

/** Hints for one batch: a slip that comes again is not looked up again, and of very many different ones only the first are. */
export function createNameHint(): NameHint {
  const hints = new Map<string, string>();
  return (written, known) => {
    const found = hints.get(written);
    if (found !== undefined || hints.size >= mostHints) return found ?? '';
    const near = nearestName(written, [...known]);
    const hint = near === null ? '' : `; did you mean ${JSON.stringify(near)}?`;
    hints.set(written, hint);
    return hint;
  };
}

function namesIn({ events, experiment }: ObservedRollout): ReadonlySet<string> {
  return new Set([...events.map(({ name }) => name), ...(experiment?.metrics.flatMap(eventsOf) ?? [])]);
}
