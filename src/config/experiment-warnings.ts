// What `validate --strict` says about how long an experiment runs.
import { durationOf } from '../rollout/wording.ts';
import type { Policy } from '../rollout/policy.ts';
import { type Finding, valueFinding } from './finding.ts';

const weekMs = 7 * 86_400_000;

/** Experiments that may decide within a part of a week, or that end before they may decide at all. */
export function shortExperiments({ rollouts }: Pick<Policy, 'rollouts'>): Finding[] {
  return rollouts.flatMap(({ experiment }, index) => {
    if (experiment === null) return [];
    const { leastMs, stopWhen } = experiment;
    const path = ['rollouts', index, 'experiment'];
    const isWhole = leastMs > 0 && leastMs % weekMs === 0;
    const isTooSoon = stopWhen?.kind === 'after' && stopWhen.afterMs < leastMs;
    const early = `ends the experiment before least (${durationOf(leastMs)}), so nothing can be decided`;
    return [
      ...(isWhole
        ? []
        : [valueFinding([...path, 'least'], 'is not a number of whole weeks', 'weekdays differ: write 7d or 14d')]),
      ...(isTooSoon ? [valueFinding([...path, 'stopWhen', 'after'], early, 'write more than least')] : []),
    ];
  });
}
