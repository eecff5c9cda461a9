// One rehearsal, in words for a person and as JSON for a program.
import type { AuditEntry } from '../rollout/audit-entry.ts';
import type { CandidateSums } from '../rollout/rehearsal/candidate-record.ts';
import type { Rehearsed } from '../rollout/rehearsal/rehearse.ts';
import { subjectOf } from '../rollout/rehearsal/scenario.ts';
import { leastRequestsOf } from '../rollout/rehearsal/series.ts';
import { countOf, durationOf } from '../rollout/wording.ts';
import { type Assumed, assumptionLines, assumptionsReport, labelled } from './rehearse-assumptions.ts';
import { splitText } from './split-text.ts';
import { tableLines } from './text-table.ts';

/** Hours, minutes and seconds of a simulated time: `1:02:03`. */
export function clockOf(atMs: number): string {
  const seconds = Math.floor(atMs / 1_000);
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

/** One rehearsal: every change with its time and sentence, and what it cost. */
export function rehearsalLines(assumed: Assumed, rehearsed: Rehearsed): string[] {
  const { state, endedMs, holds, entries, candidate, others = [], flagger } = rehearsed;
  const ended = state.phase === 'promoted' || state.phase === 'rolled-back';
  const end = ended
    ? `${state.phase} after ${durationOf(endedMs)}`
    : `still ${state.phase} at ${percentText(state, assumed)}`;
  return [
    ...assumptionLines(assumed),
    '',
    ...tableLines([['>time', 'change', 'why'], ...entries.map((entry) => entryCells(entry, assumed))]),
    '',
    labelled('end', `${end}${ended || holds === null ? '' : ` after ${durationOf(endedMs)}: ${holds}`}`),
    ...[candidate, ...others].map((each, i) => labelled(i === 0 ? 'cost' : '', costText(assumed, each))),
    ...harmLines(assumed, rehearsed),
    labelled('Flagger rule', flaggerText(flagger.rolledBackAtMs, flagger.candidateFailures)),
  ];
}

/** The same for programs. */
export function rehearsalReport(assumed: Assumed, rehearsed: Rehearsed): object {
  const { state, endedMs, holds, entries, candidate, others, flagger } = rehearsed;
  const { sinceHarm } = candidate;
  return {
    ...assumptionsReport(assumed),
    end: { phase: state.phase, percent: state.percent, atMs: endedMs, reason: state.reason, holds },
    changes: entries.map(({ atMs, kind, by, reason, to }) => ({ atMs, kind, by, reason, ...to })),
    candidate,
    ...(others === undefined ? {} : { others }),
    leastRequests: sinceHarm === null ? null : leastRequestsIn(assumed, sinceHarm.percent),
    flagger,
  };
}

function entryCells({ atMs, kind, to, reason }: AuditEntry, assumed: Assumed): string[] {
  return [clockOf(atMs), `${kind} (${percentText(to, assumed)})`, reason];
}

/** `20 %`; of a split among several candidates that of each. */
function percentText({ phase, percent }: Pick<AuditEntry['to'], 'phase' | 'percent'>, { rollout }: Assumed): string {
  const { staging } = rollout;
  const isSplit = staging.stages.length === 0 && phase !== 'promoted' && phase !== 'rolled-back';
  return isSplit ? splitText(staging) : `${percent} %`;
}

function costText(assumed: Assumed, { version, requests, failures, disappointedUsers }: CandidateSums): string {
  return `${requestsOf(requests, assumed, version)}, ${countOf(failures)} failed; at most ${countOf(disappointedUsers)} users saw a failure`;
}

function harmLines(assumed: Assumed, { state, candidate }: Rehearsed): string[] {
  const { sinceHarm } = candidate;
  if (sinceHarm === null || state.phase !== 'rolled-back') return [];
  const least = leastRequestsIn(assumed, sinceHarm.percent);
  const limit = least === null ? '' : `; any test needs ${countOf(least)} on average`;
  const requests = requestsOf(sinceHarm.requests, assumed, candidate.version);
  return [labelled('found', `${durationOf(sinceHarm.forMs)} after the harm began, ${requests}${limit}`)];
}

function leastRequestsIn({ rollout, scenario }: Assumed, percent: number): number | null {
  return leastRequestsOf(rollout.staging, scenario, percent);
}

function flaggerText(rolledBackAtMs: number | null, failures: number): string {
  const failed = `${countOf(failures)} failed requests`;
  return rolledBackAtMs === null
    ? `would not roll back; ${failed}`
    : `rolls back after ${durationOf(rolledBackAtMs)}; ${failed}`;
}

function requestsOf(count: number, { rollout, scenario }: Assumed, version?: string): string {
  return `${countOf(count)} ${version ?? subjectOf(scenario, rollout.staging)} requests`;
}
