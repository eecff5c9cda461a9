// What outside sources and the business say in a rehearsal, where there are none: that all is well.
import { addSample, judgeSource, noSamples, type SourceSample } from '../source-check.ts';
import { logThreshold } from '../../stats/evidence.ts';
import type { BusinessNumbers } from '../business-check.ts';
import type { Staging } from '../staging.ts';
import type { Verdict } from '../verdict.ts';

/** The verdict of each check whose numbers come from outside, after one good sample; about the first candidate. */
export function contentVerdicts({ analysis, candidates }: Pick<Staging, 'analysis' | 'candidates'>): Verdict[] {
  return analysis.checks.flatMap((check) => {
    if (check.metric !== 'prometheus' && check.metric !== 'webhook') return [];
    const good: SourceSample =
      check.metric === 'webhook'
        ? { kind: 'answered', status: 200 }
        : { kind: 'value', value: check.max ?? check.min ?? 0 };
    return judgeSource(check, addSample(check, noSamples, good), candidates[0]);
  });
}

/** The evidence of each check of the business about the first candidate: none for harm, enough to go forward. */
export function contentBusiness({ analysis, candidates }: Pick<Staging, 'analysis' | 'candidates'>): BusinessNumbers[] {
  const logEvidence = logThreshold(analysis.promoteAlpha);
  const unknown = { users: 0, mean: null };
  return analysis.checks.flatMap((check) => {
    if (!('measure' in check)) return [];
    return {
      version: candidates[0],
      check,
      harm: { logEvidence: 0, peakLogEvidence: 0 },
      proof: { logEvidence, peakLogEvidence: logEvidence },
      seen: { kind: 'business', lacks: 'taken as content', baseline: unknown, candidate: unknown },
    };
  });
}
