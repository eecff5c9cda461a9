// What outside sources and the business say in a rehearsal, where there are none: that all is well.
import { addSample, judgeSource, noSamples, type SourceSample } from '../source-check.ts';
import { logThreshold } from '../../stats/evidence.ts';
import type { BusinessNumbers } from '../business-check.ts';
import { comparedCandidates, type Staging } from '../staging.ts';
import type { Verdict } from '../verdict.ts';

type Watched = Pick<Staging, 'analysis' | 'candidates' | 'split'>;

/** The verdict of each check whose numbers come from outside about each candidate, after one good sample. */
export function contentVerdicts(staging: Watched): Verdict[] {
  return staging.analysis.checks.flatMap((check) => {
    if (check.metric !== 'prometheus' && check.metric !== 'webhook') return [];
    const good: SourceSample =
      check.metric === 'webhook'
        ? { kind: 'answered', status: 200 }
        : { kind: 'value', value: check.max ?? check.min ?? 0 };
    const history = addSample(check, noSamples, good);
    return comparedCandidates(staging).map((version) => judgeSource(check, history, version));
  });
}

/** The evidence of each check of the business about each candidate: none for harm, enough to go forward. */
export function contentBusiness(staging: Watched): BusinessNumbers[] {
  const logEvidence = logThreshold(staging.analysis.promoteAlpha);
  const unknown = { users: 0, mean: null };
  return staging.analysis.checks.flatMap((check) => {
    if (!('measure' in check)) return [];
    return comparedCandidates(staging).map((version) => ({
      version,
      check,
      harm: { logEvidence: 0, peakLogEvidence: 0 },
      proof: { logEvidence, peakLogEvidence: logEvidence },
      seen: { kind: 'business', lacks: 'taken as content', baseline: unknown, candidate: unknown },
    }));
  });
}
