// A plan in words for a person and as JSON for a program.
import type { ExpectedTraffic, HarmSize } from '../rollout/plan-check.ts';
import type { PlanWarning, StagePlan, Stop } from '../rollout/plan-stages.ts';
import type { Rollout } from '../rollout/policy.ts';
import { asksForProof } from '../rollout/staging.ts';
import { latencyQuantileMs } from '../rollout/rehearsal/latency-model.ts';
import { countOf, durationOf, latencyOf, percentOf } from '../rollout/wording.ts';
import type { ExperimentPlan } from './experiment-plan.ts';
import { experimentPlanLines } from './experiment-plan-text.ts';
import { tableLines } from './text-table.ts';

export type Plan = {
  readonly rollout: Rollout;
  readonly traffic: ExpectedTraffic;
  readonly stages: readonly StagePlan[];
  readonly warnings: readonly PlanWarning[];
  /** Null where no lift was asked for. */
  readonly experiment: ExperimentPlan | null;
};

/** Tables of the stages, of what a bad release costs and of what an experiment needs, then the warnings. */
export function planLines(plan: Plan): string[] {
  const { rollout, stages, warnings, experiment } = plan;
  const isStaged = rollout.staging.stages.length > 0;
  return [
    trafficLine(plan),
    '',
    ...(isStaged ? stageLines(stages) : [fixedText(rollout)]),
    ...businessLines(rollout),
    '',
    ...stopLines(plan),
    ...(experiment === null ? [] : ['', ...experimentPlanLines(experiment)]),
    ...(warnings.length === 0 ? [] : ['', ...warnings.map((warning) => `warning: ${warningText(warning, rollout)}`)]),
  ];
}

function stageLines(stages: readonly StagePlan[]): string[] {
  const headings = ['stage', '>percent', '>requests/s', '>hold', '>proves no harm', '>goes on after'];
  return [...tableLines([headings, ...stages.map((stage) => stageCells(stage))]), totalLine(stages)];
}

function fixedText({ staging: { candidates, split } }: Rollout): string {
  const shares = candidates.map((name) => `${split[name] ?? 0} % of users on ${name}`);
  return `a fixed split, which nothing moves forward: ${shares.join(', ')}`;
}

function stopLines({ rollout, stages }: Plan): string[] {
  if (rollout.staging.analysis.checks.length === 0) return ['nothing watches it: write analysis, or stages'];
  const what = hasSeveral(stages)
    ? 'a bad candidate is stopped, and the others with it, after'
    : 'a bad release that shows itself in a stage is stopped after';
  return [`${what} … (users who saw it fail, or were slowed down)`, ...tableLines(stopRows(stages))];
}

/** What else a stage waits for: how soon the business proves something depends on its users, not on requests. */
function businessLines({ staging: { analysis } }: Rollout): string[] {
  const asked = analysis.checks.filter((check) => 'measure' in check && asksForProof(check));
  if (asked.length === 0 || analysis.advance !== 'evidence') return [];
  const names = asked.map(({ name }) => name).join(', ');
  return [`not in these times: ${names} must pass too, which takes as many users as an experiment (--lift)`];
}

/** The same for programs; times in ms, null where it never comes to that. */
export function planReport({ rollout, traffic, stages, warnings, experiment }: Plan): object {
  const times = stages.map(({ goesOnAfterMs }) => goesOnAfterMs);
  const isPromoted = rollout.staging.stages.length > 0 && !times.includes(null);
  const promotedAfterMs = isPromoted ? times.reduce<number>((sum, ms) => sum + (ms ?? 0), 0) : null;
  return {
    rollout: rollout.name,
    release: rollout.staging.release,
    traffic,
    stages,
    promotedAfterMs,
    warnings,
    experiment,
  };
}

function trafficLine({ rollout, traffic }: Plan): string {
  const { requestsPerSecond, userCount, failureRate, latency } = traffic;
  const p99 = latencyOf(latencyQuantileMs(latency, 0.99));
  return `${rollout.name}: ${countOf(requestsPerSecond)} requests a second of ${countOf(userCount)} users; ${percentOf(failureRate)} fail; latency ${latencyOf(latency.medianMs)}, p99 ${p99}`;
}

function stageCells({ name, percent, candidateRequestsPerSecond, holdMs, proofs, goesOnAfterMs }: StagePlan): string[] {
  const never = proofs.some(({ ms }) => ms === null);
  const slowest = Math.max(0, ...proofs.map(({ ms }) => ms ?? 0));
  const proof = proofs.length === 0 ? '–' : never ? 'never' : durationOf(slowest);
  const goesOn = goesOnAfterMs === null ? 'never' : durationOf(goesOnAfterMs);
  const rate = String(Number(candidateRequestsPerSecond.toPrecision(3)));
  return [name, `${percent} %`, rate, holdMs === 0 ? '–' : durationOf(holdMs), proof, goesOn];
}

function totalLine(stages: readonly StagePlan[]): string {
  const times = stages.map(({ goesOnAfterMs }) => goesOnAfterMs);
  if (times.includes(null)) return 'a good release is never promoted by itself';
  return `a good release is promoted after ${durationOf(times.reduce<number>((sum, ms) => sum + (ms ?? 0), 0))}`;
}

function stopRows(stages: readonly StagePlan[]): string[][] {
  const harms = (stages[0]?.stops ?? []).map(({ harm }) => `>${harmText(harm)}`);
  const rows = stages.map(({ name, candidate, percent, stops }) => [
    candidate ?? name,
    `${percent} %`,
    ...stops.map(stopText),
  ]);
  return [[hasSeveral(stages) ? 'candidate' : 'stage', '>percent', ...harms], ...rows];
}

/** Whether it is a plan by candidate. */
function hasSeveral(stages: readonly StagePlan[]): boolean {
  return stages.some(({ candidate }) => candidate !== undefined);
}

function harmText({ failureRate, latencyFactor }: HarmSize): string {
  const parts = [
    ...(failureRate === null ? [] : [`fails ${percentOf(failureRate)}`]),
    ...(latencyFactor === 1 ? [] : [`${latencyFactor}x as slow`]),
  ];
  return parts.join(', ');
}

function stopText({ harm, found }: Stop): string {
  if (found === null) return '–';
  const users = harm.latencyFactor === 1 ? found.failedUsers : found.users;
  return `${durationOf(found.afterMs)} (${countOf(Math.max(1, users))})`;
}

function warningText({ stage, percent, check, ms, provesAtPercent }: PlanWarning, { staging }: Rollout): string {
  const { maxHoldMs, onTimeout } = staging.analysis;
  const time = ms === null ? 'never' : `only after ${durationOf(ms)}`;
  const better =
    provesAtPercent === null
      ? 'no percent would do: widen prove, or give it more time'
      : `${provesAtPercent} % of users would do`;
  return `stage ${stage} (${percent} %) proves ${check} ${time}, but maxHold is ${durationOf(maxHoldMs)} and then it does onTimeout (${onTimeout}); ${better}`;
}
