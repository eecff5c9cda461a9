// What a stage that ran out of time could exclude all the same, as a sentence (STATISTICS 4): the honest end of "no proof".
import { rateDifferenceInterval } from '../stats/rate-interval.ts';
import type { Check, Staging } from './staging.ts';
import type { Verdict } from './verdict.ts';
import { pointsOf } from './wording.ts';

/** What the guards that have not passed could exclude. Cost: bisections, so for the end of a stage, not for every tick. */
export function exclusionOf(policy: Staging, verdicts: readonly Verdict[]): string {
  const phrases = policy.analysis.checks.flatMap((check) => {
    const verdict = verdicts.find(({ check: name }) => name === check.name);
    if (check.role !== 'guard' || verdict === undefined || verdict.answer === 'pass') return [];
    return phraseOf(check, verdict, policy.analysis.promoteAlpha);
  });
  return phrases.length === 0 ? 'nothing else is open' : phrases.join(', ');
}

function phraseOf(check: Check, { evidence }: Verdict, alpha: number): string[] {
  if (evidence.kind === 'source') return [];
  if (check.metric === 'latency')
    return [`could not exclude that ${check.name} is ${check.prove.ratio} times the baseline's`];
  if ('measure' in check)
    return [`could not exclude that ${check.name} is ${(check.prove ?? check.tolerate).ratio} times the baseline's`];
  if (evidence.kind !== 'error-rate') return [];
  const { upper } = rateDifferenceInterval(evidence.candidate, evidence.baseline, alpha);
  return [`could only exclude an increase of ${check.name} above ${pointsOf(Math.max(0, upper))}`];
}
