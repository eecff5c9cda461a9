// What is rehearsed, as it stands above every answer of `rehearse`.
import type { Rollout } from '../rollout/policy.ts';
import { latencyQuantileMs } from '../rollout/rehearsal/latency-model.ts';
import { type BrokenUser, type Scenario, subjectOf } from '../rollout/rehearsal/scenario.ts';
import { candidatesWithUsers } from '../rollout/rehearsal/shares.ts';
import { countOf, durationOf, latencyOf, listOf, percentOf } from '../rollout/wording.ts';

/** What was rehearsed. */
export type Assumed = { readonly rollout: Rollout; readonly scenario: Scenario; readonly seed: number };

const labelWidth = 14;

/** For programs. */
export function assumptionsReport({ rollout, scenario, seed }: Assumed): object {
  return { rollout: rollout.name, release: rollout.staging.release, seed, scenario };
}

/** Two lines: the traffic, and what is wrong with it. */
export function assumptionLines({ rollout, scenario }: Assumed): string[] {
  const { requestsPerSecond, userCount, failureRate, latency, harm, outage, brokenUser } = scenario;
  const p99 = latencyOf(latencyQuantileMs(latency, 0.99));
  const candidates = candidatesWithUsers(rollout.staging);
  const all = candidates.length === 1 ? 'both versions' : 'all versions';
  const wrong = [
    ...(harm === null
      ? []
      : [
          `${subjectOf(scenario, rollout.staging)} ${harmText(harm)}${harm.fromMs === 0 ? '' : ` from ${durationOf(harm.fromMs)} on`}`,
        ]),
    ...(outage === null
      ? []
      : [
          `${all} fail ${percentOf(outage.failureRate)} more from ${durationOf(outage.fromMs)} on, for ${durationOf(outage.forMs)}`,
        ]),
    ...(brokenUser === null ? [] : [brokenUserText(brokenUser, all)]),
  ];
  return [
    `${rollout.name}: ${countOf(requestsPerSecond)} requests a second of ${countOf(userCount)} users; ${percentOf(failureRate)} fail; latency ${latencyOf(latency.medianMs)}, p99 ${p99}`,
    wrong.length === 0 ? soundText(candidates, rollout.staging.baseline) : wrong.join('; '),
  ];
}

function harmText({ failureRate, latencyFactor }: NonNullable<Scenario['harm']>): string {
  const parts = [
    ...(failureRate === null ? [] : [`fails ${percentOf(failureRate)} of its requests`]),
    ...(latencyFactor === 1 ? [] : [`takes ${latencyFactor} times as long`]),
  ];
  return parts.join(' and ');
}

function soundText(candidates: readonly string[], baseline: string): string {
  return `${listOf(candidates)} ${candidates.length === 1 ? 'is' : 'are'} as good as ${baseline}`;
}

function brokenUserText(brokenUser: BrokenUser, all: string): string {
  const whose = brokenUser === 'first' ? 'one of the first users of the new version' : 'one user';
  return `${whose} fails on ${all} and retries every two seconds`;
}

/** A line of the answer with its label in front. */
export function labelled(label: string, text: string): string {
  return `${label.padEnd(labelWidth)}${text}`;
}
