// Builders for tests of the rollout's machine: policies, measurements, verdicts and events with only what a test is about.
import assert from 'node:assert/strict';
import type { ExperimentStanding } from '../../src/rollout/experiment-standing.ts';
import type { CandidateHealth, Measurement, SampleRatio, StageFigures } from '../../src/rollout/measurement.ts';
import { transition } from '../../src/rollout/machine.ts';
import type { Action, ActionKind, RolloutEvent, Tick } from '../../src/rollout/rollout-event.ts';
import type { RolloutState } from '../../src/rollout/rollout-state.ts';
import { defaultAnalysis } from '../../src/rollout/staging.ts';
import type { Analysis, Stage, Staging } from '../../src/rollout/staging.ts';
import type { Changed, Refusal } from '../../src/rollout/transition.ts';
import type { Verdict } from '../../src/rollout/verdict.ts';

export const minuteMs = 60_000;
/** When the rollouts of these tests begin. */
export const startMs = 1_000_000;

export function stageOf(percent: number, more: Partial<Stage> = {}): Stage {
  return { name: `s${percent}`, percent, holdMs: 10 * minuteMs, minRequests: 100, approve: 'auto', ...more };
}

/** Stages 1, 5, 25 and 100 %, a bake of an hour with 1 % control, one error-rate guard. */
export function stagingOf(more: Partial<Staging> = {}, analysis: Partial<Analysis> = {}): Staging {
  return {
    release: 'r1',
    baseline: 'stable',
    candidates: ['canary'],
    split: {},
    stages: [stageOf(1), stageOf(5), stageOf(25), stageOf(100, { holdMs: 0 })],
    bake: { holdMs: 60 * minuteMs, controlPercent: 1 },
    analysis: { ...defaultAnalysis, checks: defaultAnalysis.checks.slice(0, 1), ...analysis },
    ...more,
  };
}

export function fixedOf(split: Record<string, number> = { canary: 10 }, analysis: Partial<Analysis> = {}): Staging {
  return stagingOf({ stages: [], bake: null, split }, analysis);
}

/** A verdict of the guard of `stagingOf`; pass, or whatever `more` says. */
export function comparison(
  answer: 'pass' | 'fail' | 'not-enough-data',
  more: { role?: 'guard' | 'signal'; check?: string; version?: string; logHarm?: number } = {},
): Verdict {
  const harm = answer === 'fail' ? 6 : 0;
  return {
    check: more.check ?? 'error-rate',
    version: more.version ?? 'canary',
    role: more.role ?? 'guard',
    answer,
    evidence: {
      kind: 'error-rate',
      logHarm: more.logHarm ?? harm,
      harmThreshold: 4.6,
      logProof: answer === 'pass' ? 4 : 1,
      proofThreshold: 3,
      baseline: { hits: 10, count: 10_000 },
      candidate: { hits: 1, count: 1_000 },
    },
    sentence: `error-rate says ${answer}`,
  };
}

/** A verdict of an outside source that takes three bad answers. */
export function source(
  answer: Verdict['answer'],
  more: { role?: 'guard' | 'signal'; check?: string; version?: string; inARow?: number } = {},
): Verdict {
  const inARow = more.inARow ?? 3;
  return {
    check: more.check ?? 'cpu',
    version: more.version ?? 'canary',
    role: more.role ?? 'guard',
    answer,
    evidence: {
      kind: 'source',
      value: null,
      breachesInARow: answer === 'fail' ? inARow : 0,
      errorsInARow: answer === 'error' ? inARow : 0,
      failures: 3,
    },
    sentence: `cpu says ${answer}`,
  };
}

export const evenRatio: SampleRatio = {
  answer: 'ok',
  chance: 0.5,
  candidateUsers: 100,
  users: 10_000,
  expectedCandidateUsers: 100,
};
export const skewedRatio: SampleRatio = { ...evenRatio, answer: 'mismatch', chance: 0.0005, candidateUsers: 40 };

export type Seen = {
  readonly verdicts?: readonly Verdict[];
  readonly figures?: Partial<StageFigures>;
  readonly sampleRatio?: SampleRatio;
  readonly candidate?: CandidateHealth;
  readonly others?: Measurement['others'];
  readonly experiment?: ExperimentStanding;
};

/** A measurement in which nothing holds a rollout of `stagingOf`. */
export function measuredAt(nowMs: number, seen: Seen = {}): Measurement {
  return {
    verdicts: seen.verdicts ?? [comparison('pass')],
    figures: {
      baseline: { requests: 10_000, failures: 10 },
      candidate: { requests: 1_000, failures: 1 },
      lastCandidateRequestMs: nowMs,
      ...seen.figures,
    },
    sampleRatio: seen.sampleRatio ?? evenRatio,
    candidate: seen.candidate ?? { kind: 'up' },
    ...(seen.others === undefined ? {} : { others: seen.others }),
    ...(seen.experiment === undefined ? {} : { experiment: seen.experiment }),
  };
}

export function tickAt(nowMs: number, seen: Seen & { storeOk?: boolean } = {}): Tick {
  return { kind: 'tick', nowMs, measured: measuredAt(nowMs, seen), storeOk: seen.storeOk ?? true };
}

export function actionAt(nowMs: number, action: ActionKind, more: Partial<Action> = {}): Action {
  return {
    kind: 'action',
    action,
    by: 'ops',
    reason: 'because',
    nowMs,
    measured: measuredAt(nowMs),
    revision: null,
    ...more,
  };
}

/** A transition that must not be refused, and leaves a state. */
export function moved(
  policy: Staging,
  state: RolloutState | null,
  event: RolloutEvent,
): Changed & { state: RolloutState } {
  const result = transition(policy, state, event);
  assert.ok(result.ok, `expected a transition, got the refusal: ${result.ok ? '' : result.reason}`);
  const { state: next } = result;
  assert.ok(next !== null, 'expected a state, got none');
  return { ...result, state: next };
}

/** A transition that must be refused. */
export function refused(policy: Staging, state: RolloutState | null, event: RolloutEvent): Refusal {
  const result = transition(policy, state, event);
  assert.ok(!result.ok, 'expected a refusal, got a transition');
  assert.equal(result.state, state, 'a refusal leaves the state as it was');
  return result;
}

/** The state after events that all succeed, from the start of the policy at `startMs`. */
export function after(policy: Staging, ...events: RolloutEvent[]): RolloutState {
  const first = moved(policy, null, { kind: 'started', nowMs: startMs }).state;
  return events.reduce((state, event) => moved(policy, state, event).state, first);
}

/** What a state looks like from outside. */
export function view(state: RolloutState): { phase: string; percent: number; stage: number | null } {
  return { phase: state.phase, percent: state.percent, stage: state.stay.stage };
}
