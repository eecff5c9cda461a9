// What the statistics promise before a release begins: how long each stage takes, how soon a bad release is stopped in it, and at
// whose cost.
import { alphaShareOf } from './checks.ts';
import { type ComparingCheck, type ExpectedTraffic, type HarmSize, harmMs, proofMs } from './plan-check.ts';
import { type Analysis, alphaOf, comparedCandidates, otherPercentOf, type Staging } from './staging.ts';

/** Times are in ms, and null where it never comes to that. */
export type StagePlan = {
  readonly name: string;
  /** Of several candidates that the split gives users, the one that is planned; absent: there is one. */
  readonly candidate?: string;
  readonly percent: number;
  readonly holdMs: number;
  readonly candidateRequestsPerSecond: number;
  /** Until each guard that compares versions has proved a good candidate; none where there is nothing to compare. */
  readonly proofs: readonly Proof[];
  /** Until a good candidate goes on: `hold`, `minRequests` and, where evidence is asked for, the slowest proof. */
  readonly goesOnAfterMs: number | null;
  /** In the order of the sizes that were asked for. */
  readonly stops: readonly Stop[];
};

export type Proof = { readonly check: string; readonly ms: number | null };

/** A bad release that shows itself in this stage; null where its guards cannot find it. */
export type Stop = {
  readonly harm: HarmSize;
  readonly found: {
    readonly afterMs: number;
    readonly requests: number;
    readonly users: number;
    readonly failedUsers: number;
  } | null;
};

/** A stage whose proof does not come within `maxHold`. `provesAtPercent`: the least percent tried where it would; null: none. */
export type PlanWarning = {
  readonly stage: string;
  readonly percent: number;
  readonly check: string;
  readonly ms: number | null;
  readonly provesAtPercent: number | null;
};

/** The plan of each stage in order and of the bake; of a rollout without stages that of its split, candidate by candidate. */
export function planStages(staging: Staging, traffic: ExpectedTraffic, sizes: readonly HarmSize[]): StagePlan[] {
  const { analysis } = staging;
  return placesOf(staging).map((place) => {
    const { name, candidate, percent, holdMs } = place;
    const proofs = place.isProved ? proofsAt(analysis, traffic, percent) : [];
    const waits = [holdMs, trafficMs(place, traffic)];
    if (place.asksEvidence) waits.push(...proofs.map(({ ms }) => ms ?? Infinity));
    const goesOnAfterMs = Math.max(...waits);
    return {
      name,
      ...(candidate === undefined ? {} : { candidate }),
      percent,
      holdMs,
      candidateRequestsPerSecond: (traffic.requestsPerSecond * percent) / 100,
      proofs,
      goesOnAfterMs: Number.isFinite(goesOnAfterMs) ? goesOnAfterMs : null,
      stops: sizes.map((harm) => ({ harm, found: foundAt(staging, traffic, { place, harm }) })),
    };
  });
}

/** The stages that can prove nothing at this traffic; none where nobody asks for evidence. */
export function planWarnings(staging: Staging, traffic: ExpectedTraffic): PlanWarning[] {
  const { analysis } = staging;
  const isLate = ({ ms }: Proof): boolean => ms === null || ms > analysis.maxHoldMs;
  return placesOf(staging).flatMap(({ name, percent, asksEvidence }) => {
    const late = asksEvidence ? proofsAt(analysis, traffic, percent).filter(isLate) : [];
    return late.map(({ check, ms }) => {
      const enough = triedPercents.find((tried) => {
        const proof = proofsAt(analysis, traffic, tried).find((each) => each.check === check);
        return proof !== undefined && !isLate(proof);
      });
      return { stage: name, percent, check, ms, provesAtPercent: enough ?? null };
    });
  });
}

/** Failures and latencies that a bad release may have, worse than today's: to see how a policy takes them. */
export function usualHarms(failureRate: number): HarmSize[] {
  const rates = [2 * failureRate, 10 * failureRate, 0.05, 0.5].filter((rate) => rate > failureRate && rate <= 1);
  const failing = [...new Set(rates)]
    .toSorted((a, b) => a - b)
    .map((rate) => ({ failureRate: rate, latencyFactor: 1 }));
  return [...failing, ...[1.5, 2].map((latencyFactor) => ({ failureRate: null, latencyFactor }))];
}

const triedPercents = [0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 15, 20, 25, 30, 40, 50];

type Place = {
  readonly name: string;
  readonly candidate?: string;
  readonly percent: number;
  /** Of users of other candidates. */
  readonly otherPercent: number;
  readonly holdMs: number;
  readonly minRequests: number;
  /** Whether a proof means something here, and whether the rollout waits for it. */
  readonly isProved: boolean;
  readonly asksEvidence: boolean;
};

const unasked = { minRequests: 0, isProved: false, asksEvidence: false };

function placesOf(staging: Staging): Place[] {
  const { stages, bake, analysis } = staging;
  if (stages.length === 0) return splitPlaces(staging);
  const asksEvidence = analysis.advance === 'evidence';
  const staged = stages.map((stage) => ({ ...stage, otherPercent: 0, isProved: true, asksEvidence }));
  if (bake === null) return staged;
  const percent = Math.round(10_000 - bake.controlPercent * 100) / 100;
  return [...staged, { ...unasked, name: 'bake', percent, otherPercent: 0, holdMs: bake.holdMs }];
}

function splitPlaces(staging: Staging): Place[] {
  const compared = comparedCandidates(staging);
  return compared.map((candidate) => ({
    ...unasked,
    name: 'split',
    ...(compared.length === 1 ? {} : { candidate }),
    percent: staging.split[candidate] ?? 0,
    otherPercent: otherPercentOf(staging, candidate),
    holdMs: 0,
  }));
}

function guardsOf({ checks }: Analysis): ComparingCheck[] {
  return comparingOf(checks).filter(({ role }) => role === 'guard');
}

function comparingOf(checks: Analysis['checks']): ComparingCheck[] {
  return checks.filter((check) => check.metric === 'error-rate' || check.metric === 'latency');
}

function proofsAt(analysis: Analysis, traffic: ExpectedTraffic, percent: number): Proof[] {
  if (percent <= 0 || percent >= 100) return [];
  return guardsOf(analysis).map((check) => ({
    check: check.name,
    ms: proofMs(check, { traffic, percent, alpha: analysis.promoteAlpha }),
  }));
}

/** Of the split's requests, each version's; of a stage of 0 % the rules' requests are not known. */
function trafficMs({ percent, minRequests }: Place, { requestsPerSecond }: ExpectedTraffic): number {
  if (percent === 0 || minRequests === 0) return 0;
  const share = Math.min(percent, percent < 100 ? 100 - percent : 100) / 100;
  return (1_000 * minRequests) / (requestsPerSecond * share);
}

function foundAt(
  staging: Staging,
  traffic: ExpectedTraffic,
  { place: { percent, otherPercent }, harm }: { place: Place; harm: HarmSize },
): Stop['found'] {
  if (percent <= 0 || percent >= 100 - otherPercent) return null;
  const { analysis } = staging;
  const comparing = analysis.checks.filter((check) => check.metric !== 'prometheus' && check.metric !== 'webhook');
  const times = guardsOf(analysis).flatMap((check) => {
    const alpha = alphaOf(staging) * alphaShareOf(check, comparing);
    return harmMs(check, harm, { traffic, percent, otherPercent, alpha }) ?? [];
  });
  if (times.length === 0) return null;
  const afterMs = Math.min(...times);
  const users = (traffic.userCount * percent) / 100;
  const requests = (traffic.requestsPerSecond * percent * afterMs) / 100_000;
  const reached = (share: number): number => users * -Math.expm1((-requests * share) / users);
  return { afterMs, requests, users: reached(1), failedUsers: reached(harm.failureRate ?? traffic.failureRate) };
}
