// What a check of the business (conversion, order value, revenue, retention) says of the candidate, from the figures of the
// experiment: evidence for harm and for "not worse", phase by phase, once there is enough to decide at all (STATISTICS 3, 7).
import type { Evidence } from '../stats/evidence.ts';
import { oneSidedBounds } from '../stats/mean-interval.ts';
import { contrastPhases } from '../stats/phase-contrast.ts';
import type { Phase } from '../stats/phase-contrast.ts';
import { mergeSamples } from '../stats/sample.ts';
import { english } from './experiment-report/english.ts';
import { missingOf } from './experiment-report/missing.ts';
import { figureText, shareText } from './experiment-report/numbers.ts';
import { userBalance } from './experiment-report/user-balance.ts';
import type { ExperimentFigures, MetricFigures } from './experiment.ts';
import type { BusinessCheck } from './staging.ts';
import type { Answer, BusinessEvidence, LogEvidence } from './verdict.ts';
import { chanceOf } from './wording.ts';

type Wealth = Pick<Evidence, 'logEvidence' | 'peakLogEvidence'>;

/** The evidence of one check besides where it decides. */
export type BusinessNumbers = {
  /** The candidate that they are of. */
  readonly version: string;
  readonly check: BusinessCheck;
  readonly harm: Wealth;
  readonly proof: Wealth;
  readonly seen: Omit<BusinessEvidence, keyof LogEvidence>;
};

export type BusinessLook = {
  /** null: nothing is known yet. */
  readonly figures: ExperimentFigures | null;
  readonly candidate: string;
  readonly alpha: number;
  /** Users for which the bounds are narrowest. */
  readonly tightestAt: number;
};

const nothing = { logEvidence: 0, peakLogEvidence: 0 };
/** From this evidence on (ln 10) a sentence speaks of suspicion. */
const suspicious = Math.log(10);

/** Before the counts that STATISTICS 3.3 asks for, and while users do not fall as the split says, there is no evidence of anything. */
export function weighBusiness(check: BusinessCheck, look: BusinessLook): BusinessNumbers {
  const silent = (lacks: string): BusinessNumbers => ({
    version: look.candidate,
    check,
    harm: nothing,
    proof: nothing,
    seen: { kind: 'business', lacks, baseline: noFigure, candidate: noFigure },
  });
  const { figures } = look;
  const one = figures?.metrics.find(({ metric }) => metric.name === check.measure.name);
  const index = figures?.versions.indexOf(look.candidate) ?? -1;
  if (figures === null || one === undefined || index < 1) return silent('nobody has been counted yet');
  const phases = one.samples.map((versions) => ({ candidate: versions[index]!, baseline: versions[0]! }));
  if (phases.length === 0) return silent('nobody has been counted yet');
  const lacks = lacksOf(figures, one, index);
  const contrast = contrastPhases(phases);
  if (contrast === null) return silent(lacks ?? 'nothing varies yet');
  const users = usersIn(phases);
  const seen: BusinessNumbers['seen'] = {
    kind: 'business',
    lacks,
    baseline: { users: users.baseline, mean: contrast.baseline.mean },
    candidate: { users: users.candidate, mean: contrast.candidate.mean },
  };
  if (lacks !== null) return { ...silent(lacks), seen };
  const harm = evidenceBeside(phases, check.tolerate.ratio, look).logEvidenceBelow;
  const proof = evidenceBeside(phases, (check.prove ?? check.tolerate).ratio, look).logEvidenceAbove;
  return { version: look.candidate, check, harm: wealthOf(harm), proof: wealthOf(proof), seen };
}

/** For example `canary has 4.2 % conversion, stable 5 %; 10,234 canary users; the chance of this by luck is below 1 in 100`. */
export function describeBusiness(
  { check, seen }: Pick<BusinessNumbers, 'check' | 'seen'>,
  { answer, luck }: { readonly answer: Exclude<Answer, 'error'>; readonly luck: number },
  versions: { readonly baseline: string; readonly candidate: string },
): string {
  const { baseline, candidate, lacks } = seen;
  if (baseline.mean === null || candidate.mean === null) return `${check.name}: ${lacks ?? 'nothing is known yet'}`;
  const write = (mean: number): string => figureText(check.measure.kind, mean, english.numbers);
  const figures = `${check.name} of ${versions.candidate} is ${write(candidate.mean)}, of ${versions.baseline} ${write(baseline.mean)}`;
  if (lacks !== null) return `${figures}; ${lacks}`;
  if (answer === 'fail') return `${figures}; the chance of this by luck is ${chanceOf(luck)}`;
  if (luck >= suspicious)
    return `${figures}; harm is suspected but not shown, the chance of this by luck is ${chanceOf(luck)}`;
  const claim = claimOf((check.prove ?? check.tolerate).ratio);
  return `${figures}; ${answer === 'pass' ? `this proves ${claim}` : `this is not enough to prove ${claim}`}`;
}

/** What proof of at least `ratio` times the baseline's figure says. */
function claimOf(ratio: number): string {
  return ratio === 1
    ? 'that it is not lower'
    : `that it is not lower by ${shareText(1 - ratio, english.numbers)} or more`;
}

const noFigure = { users: 0, mean: null } as const;

function lacksOf(figures: ExperimentFigures, one: MetricFigures, index: number): string | null {
  if (userBalance(figures).answer === 'mismatch') return 'users do not fall as the split says, so nothing is concluded';
  const counted = [0, index].map((i) => ({
    version: figures.versions[i]!,
    sample: one.samples.map((versions) => versions[i]!).reduce((sum, sample) => mergeSamples(sum, sample)),
    nonZero: one.nonZero[i]!,
  }));
  const missing = missingOf(counted);
  return missing.length === 0 ? null : english.missing(one.metric.kind, missing);
}

function evidenceBeside(phases: readonly Phase[], ratio: number, { alpha, tightestAt }: BusinessLook) {
  const { value, guardedError, userCount } = contrastPhases(phases, ratio)!;
  return oneSidedBounds({ value, standardError: guardedError, userCount }, { alpha, tightestAt });
}

function wealthOf(logEvidence: number): Wealth {
  return { logEvidence, peakLogEvidence: logEvidence };
}

function usersIn(phases: readonly Phase[]): { readonly candidate: number; readonly baseline: number } {
  const sum = (of: keyof Phase): number => phases.reduce((total, phase) => total + phase[of].userCount, 0);
  return { candidate: sum('candidate'), baseline: sum('baseline') };
}
