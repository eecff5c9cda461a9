// What keeps a rollout from going forward by itself now, as a sentence. Pure; it decides nothing.
import type { Measurement } from './measurement.ts';
import type { Tick } from './rollout-event.ts';
import { basePhase, heldMsOf } from './rollout-state.ts';
import type { WatchedState } from './rollout-state.ts';
import { asksForProof, comparesVersions } from './staging.ts';
import type { Check, Staging } from './staging.ts';
import { isCalm } from './verdict.ts';
import type { Verdict } from './verdict.ts';
import { countOf, durationOf } from './wording.ts';

/** `firm`: not even `onTimeout: advance` goes on over it. */
export type HoldReason = { readonly firm: boolean; readonly sentence: string };

/** A candidate without a request for this long (or for its `hold`, when that is longer) has no traffic. */
const quietMs = 60_000;

/** The first reason to hold in the order of their weight; null where the rollout may go forward. */
export function holdReason(policy: Staging, state: WatchedState, tick: Tick): HoldReason | null {
  const firm = objection(policy, state, tick);
  if (firm !== null) return { firm: true, sentence: firm };
  const soft =
    timeReason(policy, state, tick.nowMs) ??
    trafficReason(policy, state, tick.measured) ??
    proofReason(policy, state, tick.measured);
  return soft === null ? null : { firm: false, sentence: soft };
}

/** What freezes even a person's forward move: a failing guard, or users that fall otherwise than the split says. */
export function freezeReason(state: WatchedState, { verdicts, sampleRatio }: Measurement): string | null {
  const failing = failingCheck(verdicts, 'guard');
  if (failing !== undefined) return failing.sentence;
  if (sampleRatio.answer === 'ok') return null;
  const { candidateUsers, users, expectedCandidateUsers } = sampleRatio;
  const odds = countOf(1 / Math.max(sampleRatio.chance, 1e-9));
  const version = sampleRatio.version ?? state.candidate;
  return `${version} received ${countOf(candidateUsers)} of ${countOf(users)} new users where the split says ${countOf(expectedCandidateUsers)}; the chance of this by luck is 1 in ${odds}, so nothing moves forward`;
}

/** The first failing check of a role. */
export function failingCheck(verdicts: readonly Verdict[], role: Verdict['role']): Verdict | undefined {
  return verdicts.find((verdict) => verdict.answer === 'fail' && verdict.role === role);
}

/** Since when the candidate has answered nobody, when that is too long; null while it has traffic or is due none. */
export function silence(policy: Staging, state: WatchedState, { measured, nowMs }: Tick): string | null {
  const phase = basePhase(state);
  if (state.percent === 0 || (phase !== 'progressing' && phase !== 'baking')) return null;
  const sinceMs = Math.max(measured.figures.lastCandidateRequestMs ?? 0, state.stay.countingSinceMs);
  const limitMs = Math.max(holdMsOf(policy, state), quietMs);
  if (nowMs - sinceMs < limitMs) return null;
  return `${state.candidate} has had no request for ${durationOf(nowMs - sinceMs)} at ${state.percent} %`;
}

/** The least time here; a bake that the policy no longer has asks for none. */
export function holdMsOf(policy: Staging, state: WatchedState): number {
  const { stage } = state.stay;
  return (stage === null ? policy.bake?.holdMs : policy.stages[stage]?.holdMs) ?? 0;
}

/**
 * What speaks against any forward move now, whatever asks for it; null where nothing does. Other candidates than the one that
 * moves only object by failing.
 */
export function objection(policy: Staging, state: WatchedState, tick: Tick): string | null {
  const verdicts = tick.measured.verdicts.filter(({ version }) => version === state.candidate);
  if (!tick.storeOk) return 'the store cannot save, so nothing moves forward';
  const frozen = freezeReason(state, tick.measured);
  if (frozen !== null) return frozen;
  const broken = verdicts.find(({ answer }) => answer === 'error');
  if (broken !== undefined) return broken.sentence;
  const uneasy = verdicts.find((verdict) => verdict.role === 'guard' && !isCalm(verdict) && canChange(state, verdict));
  return uneasy?.sentence ?? silence(policy, state, tick);
}

function timeReason(policy: Staging, state: WatchedState, nowMs: number): string | null {
  const [holdMs, heldMs] = [holdMsOf(policy, state), heldMsOf(state, nowMs)];
  return heldMs >= holdMs ? null : `held ${durationOf(heldMs)} of ${durationOf(holdMs)}`;
}

/** A stage of 0 % waits for the rules' requests, one of 100 % for the candidate's; no split traffic is never enough. */
function trafficReason(policy: Staging, state: WatchedState, { figures }: Measurement): string | null {
  const stage = state.stay.stage === null ? undefined : policy.stages[state.stay.stage];
  const least = state.percent === 0 ? (stage?.minRequests ?? 0) : Math.max(1, stage?.minRequests ?? 1);
  const short = (name: string, count: number) =>
    count >= least ? null : `${name} has had ${countOf(count)} of the ${countOf(least)} requests that are asked for`;
  const candidate = short(state.candidate, figures.candidate.requests);
  if (candidate !== null || !isCompared(state)) return candidate;
  return short(policy.baseline, figures.baseline.requests);
}

/** A source must say yes; a comparison must have proved it where evidence is asked for and both versions have split traffic. */
function proofReason(policy: Staging, state: WatchedState, { verdicts }: Measurement): string | null {
  const byEvidence = policy.analysis.advance === 'evidence' && basePhase(state) !== 'baking';
  const isAsked = (check: Check) =>
    asksForProof(check) && (!comparesVersions(check) || (byEvidence && isCompared(state)));
  for (const check of policy.analysis.checks.filter(isAsked)) {
    const verdict = verdicts.find(({ check: name }) => name === check.name);
    if (verdict === undefined) return `check ${check.name} has not been judged yet`;
    if (verdict.answer !== 'pass') return verdict.sentence;
  }
  return null;
}

/** Old evidence of a comparison stands still where one version has no split traffic: it would hold for ever. */
function canChange(state: WatchedState, { evidence }: Verdict): boolean {
  return evidence.kind === 'source' || isCompared(state);
}

/** Whether the split sends users to both versions. */
function isCompared({ percent }: WatchedState): boolean {
  return percent > 0 && percent < 100;
}
