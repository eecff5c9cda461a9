// What rehearsals showed, in words for a person and as JSON for a program.
import type { AuditEntry } from '../rollout/audit-entry.ts';
import type { Rollout } from '../rollout/policy.ts';
import { latencyQuantileMs } from '../rollout/rehearsal/latency-model.ts';
import type { Rehearsed } from '../rollout/rehearsal/rehearse.ts';
import type { BrokenUser, Scenario } from '../rollout/rehearsal/scenario.ts';
import { leastRequestsOf, type SeriesSummary, type Spread } from '../rollout/rehearsal/series.ts';
import { countOf, durationOf, latencyOf, percentOf } from '../rollout/wording.ts';
import { tableLines } from './text-table.ts';

/** What was rehearsed. */
export type Assumed = { readonly rollout: Rollout; readonly scenario: Scenario; readonly seed: number };

const labelWidth = 14;

/** Hours, minutes and seconds of a simulated time: `1:02:03`. */
export function clockOf(atMs: number): string {
  const seconds = Math.floor(atMs / 1_000);
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

/** One rehearsal: every change with its time and sentence, and what it cost. */
export function rehearsalLines(assumed: Assumed, rehearsed: Rehearsed): string[] {
  const { rollout } = assumed;
  const { state, endedMs, holds, entries, candidate, flagger } = rehearsed;
  const ended = state.phase === 'promoted' || state.phase === 'rolled-back';
  const end = ended ? `${state.phase} after ${durationOf(endedMs)}` : `still ${state.phase} at ${state.percent} %`;
  return [
    ...assumptionLines(assumed),
    '',
    ...tableLines([['>time', 'change', 'why'], ...entries.map(entryCells)]),
    '',
    labelled('end', `${end}${ended || holds === null ? '' : ` after ${durationOf(endedMs)}: ${holds}`}`),
    labelled(
      'cost',
      `${requestsOf(candidate.requests, rollout)}, ${countOf(candidate.failures)} failed; at most ${countOf(candidate.disappointedUsers)} users saw a failure`,
    ),
    ...harmLines(assumed, rehearsed),
    labelled('Flagger rule', flaggerText(flagger.rolledBackAtMs, flagger.candidateFailures)),
  ];
}

/** The same for programs. */
export function rehearsalReport(assumed: Assumed, rehearsed: Rehearsed): object {
  const { state, endedMs, holds, entries, candidate, flagger } = rehearsed;
  const { sinceHarm } = candidate;
  return {
    ...assumptions(assumed),
    end: { phase: state.phase, percent: state.percent, atMs: endedMs, reason: state.reason, holds },
    changes: entries.map(({ atMs, kind, by, reason, to }) => ({ atMs, kind, by, reason, ...to })),
    candidate,
    leastRequests: sinceHarm === null ? null : leastRequestsIn(assumed, sinceHarm.percent),
    flagger,
  };
}

/** Many rehearsals in numbers. */
export function seriesLines(assumed: Assumed, summary: SeriesSummary): string[] {
  const { runCount, promotedCount, rolledBackCount, rolledBackInterval, flagger } = summary;
  const { lower, upper } = rolledBackInterval;
  const interval = `95 % interval ${shareOf(lower)} to ${shareOf(upper)}`;
  return [
    ...assumptionLines(assumed),
    '',
    labelled('rehearsals', countOf(runCount)),
    labelled('rolled back', `${countOf(rolledBackCount)}, ${shareOf(rolledBackCount / runCount)} (${interval})`),
    labelled('promoted', `${countOf(promotedCount)}${timesText(summary.promotedAfterMs)}`),
    ...stopLines(summary),
    labelled(
      'Flagger rule',
      `${countOf(flagger.rolledBackCount)} rolled back, ${shareOf(flagger.rolledBackCount / runCount)}${timesText(flagger.rolledBackAfterMs)}; ${numberOf(flagger.candidateFailures.mean)} failed requests on average`,
    ),
    ...(summary.stays.length === 0 ? [] : ['', ...stayLines(summary)]),
  ];
}

/** The same for programs. */
export function seriesReport(assumed: Assumed, summary: SeriesSummary): object {
  const share = summary.rolledBackCount / summary.runCount;
  return { ...assumptions(assumed), ...summary, rolledBackShare: share, leastRequestsRatio: ratioOf(summary) };
}

function assumptions({ rollout, scenario, seed }: Assumed): object {
  return { rollout: rollout.name, release: rollout.staging.release, seed, scenario };
}

function assumptionLines({ rollout, scenario }: Assumed): string[] {
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

function entryCells({ atMs, kind, to, reason }: AuditEntry): string[] {
  return [clockOf(atMs), `${kind} (${to.percent} %)`, reason];
}

function harmLines(assumed: Assumed, { state, candidate }: Rehearsed): string[] {
  const { sinceHarm } = candidate;
  if (sinceHarm === null || state.phase !== 'rolled-back') return [];
  const least = leastRequestsIn(assumed, sinceHarm.percent);
  const limit = least === null ? '' : `; any test needs ${countOf(least)} on average`;
  const requests = requestsOf(sinceHarm.requests, assumed.rollout);
  return [labelled('found', `${durationOf(sinceHarm.forMs)} after the harm began, ${requests}${limit}`)];
}

function stopLines({ stops, ...summary }: SeriesSummary): string[] {
  if (stops === null) return [];
  const { afterMs, requests, leastRequests, excessFailures, disappointedUsers } = stops;
  const ratio = ratioOf({ ...summary, stops });
  const limit =
    ratio === null ? '' : `: ${ratio.toFixed(2)} times the ${countOf(leastRequests ?? 0)} that any test needs`;
  return [
    labelled('found', `after ${spanOf(afterMs)}`),
    labelled('requests', `${countOf(requests.mean)} of the new version on average${limit}`),
    labelled(
      'users',
      `${numberOf(disappointedUsers.mean)} saw a failure on average, ${countOf(disappointedUsers.p95)} or fewer in 95 % of the rehearsals; ${numberOf(excessFailures.mean)} failures more than without the release`,
    ),
  ];
}

function stayLines({ stays }: SeriesSummary): string[] {
  const rows = stays.map(({ name, percent, ms }) => [
    name,
    `${percent} %`,
    durationOf(ms.median),
    durationOf(ms.mean),
    durationOf(ms.p95),
  ]);
  return tableLines([['stage', '>percent', '>median', '>mean', '>95 % within'], ...rows]);
}

function ratioOf({ stops }: SeriesSummary): number | null {
  if (stops === null || stops.leastRequests === null) return null;
  return stops.requests.mean / stops.leastRequests;
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

function timesText(afterMs: Spread | null): string {
  return afterMs === null ? '' : ` after ${spanOf(afterMs)}`;
}

function spanOf({ mean, median, p95 }: Spread): string {
  return `${durationOf(median)} (median; mean ${durationOf(mean)}, 95 % within ${durationOf(p95)})`;
}

function requestsOf(count: number, { staging }: Rollout): string {
  return `${countOf(count)} ${staging.candidates[0]} requests`;
}

/** Shares of runs, where a hundredth of a percent matters. */
function shareOf(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

function numberOf(value: number): string {
  return Math.abs(value) < 100 ? value.toFixed(1) : countOf(value);
}

function labelled(label: string, text: string): string {
  return `${label.padEnd(labelWidth)}${text}`;
}
