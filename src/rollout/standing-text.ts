// How a state of a rollout is said: which candidates are where, of a split among several each of them.
import { type Standing, splitOf } from './rollout-state.ts';
import type { Staging } from './staging.ts';
import { listOf } from './wording.ts';

/** What one candidate does, and what several do: `is paused at` and `are paused at`. */
export type Verbs = readonly [one: string, several: string];

/** `canary is paused at 10 %`; with a fixed split among several candidates `b and c are paused at 20 % and 10 %`. */
export function standingText(policy: Staging, state: Standing, [one, several]: Verbs): string {
  const given = Object.entries(splitOf(state, policy)).filter(([, percent]) => percent > 0);
  if (given.length === 0) return `${state.candidate} ${one} ${state.percent} %`;
  const [names, percents] = [given.map(([name]) => name), given.map(([, percent]) => `${percent} %`)];
  return `${listOf(names)} ${given.length === 1 ? one : several} ${listOf(percents)}`;
}
