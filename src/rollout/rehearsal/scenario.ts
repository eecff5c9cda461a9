// What a rehearsal assumes of the service and of the release: traffic, how the versions behave, and what goes wrong when.
import type { Staging } from '../staging.ts';
import type { LatencyModel } from './latency-model.ts';
import { candidatesWithUsers } from './shares.ts';

export type Scenario = {
  /** Of all users together. */
  readonly requestsPerSecond: number;
  /** Users who come again and again at random moments; each keeps the bucket. */
  readonly userCount: number;
  /** Requests a second that rules send to the candidate; they count in a stage of 0 %. */
  readonly ruleRequestsPerSecond: number;
  /** Of the baseline and of a healthy candidate (0–1). */
  readonly failureRate: number;
  readonly latency: LatencyModel;
  /** What is wrong with a candidate; null: nothing. */
  readonly harm: Harm | null;
  /** The candidate that is harmed; absent: the first that gets users. */
  readonly harmOf?: string;
  /** Something that every version needs and that fails; null: nothing does. */
  readonly outage: Outage | null;
  /** One user more, whose every request fails on every version, and who retries; null: there is none. */
  readonly brokenUser: BrokenUser | null;
};

/** Whose bucket it is: any by chance, or the `first`, whom the candidate gets with its first users. */
export type BrokenUser = 'anyone' | 'first';

/** From `fromMs` on the candidate fails `failureRate` of its requests (null: as the baseline does) and takes `latencyFactor` times as long. */
export type Harm = { readonly failureRate: number | null; readonly latencyFactor: number; readonly fromMs: number };

/** `failureRate` of the requests of every version fail because of it. */
export type Outage = { readonly failureRate: number; readonly fromMs: number; readonly forMs: number };

/** Failure rates (0–1) of the baseline, as of every healthy candidate, and of the candidate that may be harmed. */
export type FailureRates = { readonly baseline: number; readonly candidate: number };

/** The candidate that a rehearsal is about: the one that is harmed, or would be. */
export function subjectOf({ harmOf }: Pick<Scenario, 'harmOf'>, staging: Staging): string {
  return harmOf ?? candidatesWithUsers(staging)[0];
}

/** The failure rates at a time since the start. */
export function failureRatesAt(scenario: Scenario, atMs: number): FailureRates {
  const { failureRate, harm, outage } = scenario;
  const isOut = outage !== null && atMs >= outage.fromMs && atMs < outage.fromMs + outage.forMs;
  const withOutage = (own: number): number => (isOut ? 1 - (1 - own) * (1 - outage.failureRate) : own);
  const candidate = harm !== null && atMs >= harm.fromMs ? (harm.failureRate ?? failureRate) : failureRate;
  return { baseline: withOutage(failureRate), candidate: withOutage(candidate) };
}
