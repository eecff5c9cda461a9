// What an operator decided about how a release moves: stages, bake, analysis, checks, as typed values that config builds.
// Pure: no parsing and no I/O; the defaults stand here because a default is part of what a key means.
import type { Metric } from './experiment.ts';
import type { PercentByVersion } from './policy.ts';

export type Staging = {
  readonly release: string;
  /** The baseline's name, for sentences. */
  readonly baseline: string;
  /** Names in listed order; the stages move the first. */
  readonly candidates: readonly [string, ...string[]];
  /** The fixed split of a rollout without stages; nothing while there are stages. */
  readonly split: PercentByVersion;
  /** In the order of the file, ranges already expanded (`expandStage`); empty: the split is fixed. */
  readonly stages: readonly Stage[];
  readonly bake: Bake | null;
  /** Of a rollout without the key `analysis` and without stages: `unwatched`. */
  readonly analysis: Analysis;
};

/** One step. `percent` 0 is rules only; `approve: manual` waits for a person before it is left. */
export type Stage = {
  readonly name: string;
  readonly percent: number;
  readonly holdMs: number;
  /** Least requests of each version in the stage. With 0 % the rules' requests to the candidate; with 100 % the candidate's. */
  readonly minRequests: number;
  readonly approve: 'auto' | 'manual';
};

/** After the last stage: everyone but `controlPercent` of users is on the candidate for `holdMs`. */
export type Bake = { readonly holdMs: number; readonly controlPercent: number };

export type Analysis = {
  /** False rollbacks for the whole rollout, however often it is looked at and however many candidates it has (0–1). */
  readonly alpha: number;
  /** Chance that a stage is left although a check is harmed by its whole `prove` margin (0–1). */
  readonly promoteAlpha: number;
  readonly advance: 'evidence' | 'time';
  readonly maxHoldMs: number;
  readonly onTimeout: 'hold' | 'advance' | 'rollback';
  readonly onFail: 'rollback' | 'step-back' | 'pause';
  readonly onNoTraffic: 'hold' | 'rollback';
  readonly onSourceError: 'hold' | 'rollback';
  /** Every server of the candidate refused for this long: roll back. null: never. */
  readonly downMs: number | null;
  readonly checks: readonly Check[];
};

export type Check = ErrorRateCheck | LatencyCheck | BusinessCheck | PrometheusCheck | WebhookCheck;

/** `name` is unique in the rollout. A failing guard does `onFail`, a failing signal pauses. */
type Named = { readonly name: string; readonly role: 'guard' | 'signal' };

/** The candidate may be `ratio` times the baseline plus `plus` (0–1; the policy file says percentage points). */
export type Margin = { readonly ratio: number; readonly plus: number };

export type ErrorRateCheck = Named & {
  readonly metric: 'error-rate';
  readonly tolerate: Margin;
  readonly prove: Margin;
};

/** `quantiles` between 0 and 1; the ratios are of the candidate's latency to the baseline's. */
export type LatencyCheck = Named & {
  readonly metric: 'latency';
  readonly quantiles: readonly [number, ...number[]];
  readonly tolerate: { readonly ratio: number };
  readonly prove: { readonly ratio: number };
};

/**
 * What the business counts. The candidate's figure may be `ratio` (above 0, at most 1) times the baseline's. `prove` null: nothing
 * need be shown to go forward.
 */
export type BusinessCheck = Named & {
  readonly metric: 'conversion' | 'value' | 'revenue' | 'retention';
  /** Among the experiment's metrics, with the check's name. */
  readonly measure: Metric;
  readonly tolerate: { readonly ratio: number };
  readonly prove: { readonly ratio: number } | null;
};

/** A number asked from outside every `everyMs`; `failures` bad answers in a row fail the check. */
export type PrometheusCheck = Named & {
  readonly metric: 'prometheus';
  readonly url: string;
  readonly query: string;
  readonly min: number | null;
  readonly max: number | null;
  readonly everyMs: number;
  readonly timeoutMs: number;
  readonly failures: number;
};

/** A program outside that answers 2xx while all is well; `failures` other answers in a row fail the check. */
export type WebhookCheck = Named & {
  readonly metric: 'webhook';
  readonly url: string;
  readonly everyMs: number;
  readonly timeoutMs: number;
  readonly failures: number;
};

/**
 * The candidates that checks compare with the baseline: the one that moves, and every other that a fixed split gives users. In the
 * order of the policy.
 */
export function comparedCandidates({
  candidates: [first, ...others],
  split,
}: Pick<Staging, 'candidates' | 'split'>): readonly [string, ...string[]] {
  return [first, ...others.filter((name) => (split[name] ?? 0) > 0)];
}

/** The part of `alpha` that each compared candidate has: one that fails ends the rollout, so they share it (STATISTICS 7). */
export function alphaOf(staging: Pick<Staging, 'candidates' | 'split' | 'analysis'>): number {
  return staging.analysis.alpha / comparedCandidates(staging).length;
}

/** Percent of users that a fixed split gives to other candidates than this one, who are in no comparison of it; 0 with stages. */
export function otherPercentOf(
  { candidates, split }: Pick<Staging, 'candidates' | 'split'>,
  candidate: string,
): number {
  const buckets = candidates.reduce((sum, name) => sum + (name === candidate ? 0 : 100 * (split[name] ?? 0)), 0);
  return Math.round(buckets) / 100;
}

/** Whether a check sets the candidate beside the baseline, so that it can prove nothing while one of them gets no split traffic. */
export function comparesVersions(check: Check): boolean {
  return check.metric !== 'prometheus' && check.metric !== 'webhook';
}

/** Whether a check must pass before its stage is left: a guard, unless it has nothing to prove. */
export function asksForProof(check: Check): boolean {
  return check.role === 'guard' && !('prove' in check && check.prove === null);
}

/** What `analysis` says where the policy does not; `checks` are the two that need no outside source. */
export const defaultAnalysis: Analysis = {
  alpha: 0.01,
  promoteAlpha: 0.05,
  advance: 'evidence',
  maxHoldMs: 24 * 60 * 60_000,
  onTimeout: 'hold',
  onFail: 'rollback',
  onNoTraffic: 'hold',
  onSourceError: 'hold',
  downMs: 5_000,
  checks: [
    {
      name: 'error-rate',
      role: 'guard',
      metric: 'error-rate',
      tolerate: { ratio: 1.1, plus: 0.0005 },
      prove: { ratio: 1.5, plus: 0.001 },
    },
    {
      name: 'latency',
      role: 'guard',
      metric: 'latency',
      quantiles: [0.5, 0.95, 0.99],
      tolerate: { ratio: 1.1 },
      prove: { ratio: 1.25 },
    },
  ],
};

/** Of a rollout that nobody asked to watch: nothing happens by itself. */
export const unwatched: Analysis = { ...defaultAnalysis, downMs: null, checks: [] };

/** The staging of a rollout without stages: a fixed split that nothing moves. `versions`: at least two names, the baseline first. */
export function fixedStaging(release: string, versions: readonly string[], split: PercentByVersion): Staging {
  const [baseline, candidate, ...others] = versions;
  const candidates = [candidate!, ...others] as const;
  return { release, baseline: baseline!, candidates, split, stages: [], bake: null, analysis: unwatched };
}
