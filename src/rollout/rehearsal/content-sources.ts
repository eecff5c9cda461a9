// What outside sources say in a rehearsal, where there are none: that all is well.
import { addSample, judgeSource, noSamples, type SourceSample } from '../source-check.ts';
import type { Check } from '../staging.ts';
import type { Verdict } from '../verdict.ts';

/** The verdict of each check whose numbers come from outside, after one good sample. */
export function contentVerdicts(checks: readonly Check[]): Verdict[] {
  return checks.flatMap((check) => {
    if (check.metric !== 'prometheus' && check.metric !== 'webhook') return [];
    const good: SourceSample =
      check.metric === 'webhook'
        ? { kind: 'answered', status: 200 }
        : { kind: 'value', value: check.max ?? check.min ?? 0 };
    return judgeSource(check, addSample(check, noSamples, good));
  });
}
