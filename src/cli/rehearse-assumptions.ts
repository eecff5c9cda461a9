// What is rehearsed, as it stands above every answer of `rehearse`.
import type { Rollout } from '../rollout/policy.ts';
import { latencyQuantileMs } from '../rollout/rehearsal/latency-model.ts';
import type { BrokenUser, Scenario } from '../rollout/rehearsal/scenario.ts';
import { countOf, durationOf, latencyOf, percentOf } from '../rollout/wording.ts';

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
  const candidate = rollout.staging.candidates[0];
  const wrong = [
    ...(harm === null
      ? []
      : [`${candidate} ${harmText(harm)}${harm.fromMs === 0 ? '' : ` from ${durationOf(harm.fromMs)} on`}`]),
    ...(outage === null
      ? []
      : [
          `both versions fail ${percentOf(outage.failureRate)} more from ${durationOf(outage.fromMs)} on, for ${durationOf(outage.forMs)}`,
        ]),
    ...(brokenUser === null ? [] : [brokenUserText(brokenUser)]),
  ];
  return [
    `${rollout.name}: ${countOf(requestsPerSecond)} requests a second of ${countOf(userCount)} users; ${percentOf(failureRate)} fail; latency ${latencyOf(latency.medianMs)}, p99 ${p99}`,
    wrong.length === 0 ? `${candidate} is as good as ${rollout.staging.baseline}` : wrong.join('; '),
  ];
}

function harmText({ failureRate, latencyFactor }: NonNullable<Scenario['harm']>): string {
  const parts = [
    ...(failureRate === null ? [] : [`fails ${percentOf(failureRate)} of its requests`]),
    ...(latencyFactor === 1 ? [] : [`takes ${latencyFactor} times as long`]),
  ];
  return parts.join(' and ');
}

function brokenUserText(brokenUser: BrokenUser): string {
  const whose = brokenUser === 'first' ? 'one of the first users of the new version' : 'one user';
  return `${whose} fails on both versions and retries every two seconds`;
}

/** A line of the answer with its label in front. */
export function labelled(label: string, text: string): string {
  return `${label.padEnd(labelWidth)}${text}`;
}
