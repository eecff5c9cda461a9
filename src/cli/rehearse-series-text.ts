// Many rehearsals in numbers: for a person and as JSON for a program.
import type { SeriesSummary, Spread } from '../rollout/rehearsal/series.ts';
import { countOf, durationOf } from '../rollout/wording.ts';
import { type Assumed, assumptionLines, assumptionsReport, labelled } from './rehearse-assumptions.ts';
import { tableLines } from './text-table.ts';

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
    ...stopLines(assumed, summary),
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
  return { ...assumptionsReport(assumed), ...summary, rolledBackShare: share, leastRequestsRatio: ratioOf(summary) };
}

function stopLines({ scenario }: Assumed, { stops, ...summary }: SeriesSummary): string[] {
  if (stops === null) return [];
  const { afterMs, requests, leastRequests, excessFailures, disappointedUsers } = stops;
  const ratio = ratioOf({ ...summary, stops });
  const limit =
    ratio === null ? '' : `: ${ratio.toFixed(2)} times the ${countOf(leastRequests ?? 0)} that any test needs`;
  return [
    labelled('found', `after ${spanOf(afterMs)}`),
    labelled('requests', `${countOf(requests.mean)} of ${scenario.harmOf ?? 'the new version'} on average${limit}`),
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

function timesText(afterMs: Spread | null): string {
  return afterMs === null ? '' : ` after ${spanOf(afterMs)}`;
}

function spanOf({ mean, median, p95 }: Spread): string {
  return `${durationOf(median)} (median; mean ${durationOf(mean)}, 95 % within ${durationOf(p95)})`;
}

/** Shares of runs, where a hundredth of a percent matters. */
function shareOf(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

function numberOf(value: number): string {
  return Math.abs(value) < 100 ? value.toFixed(1) : countOf(value);
}
