// The report of an experiment as CSV (RFC 4180), a line for each metric and candidate.
import { decisiveOf } from '../rollout/experiment-report/decisive.ts';
import type { ExperimentReport, MetricComparison, MetricReport } from '../rollout/experiment-report/report.ts';

type Cell = string | number | null;

/** Column by name, in order: what a line says. */
const columns: Readonly<
  Record<string, (report: ExperimentReport, metric: MetricReport, one: MetricComparison) => Cell>
> = {
  rollout: ({ rollout }) => rollout,
  release: ({ release }) => release,
  as_of: ({ atMs }) => new Date(atMs).toISOString(),
  metric: (_, { metric }) => metric.name,
  kind: (_, { metric }) => metric.kind,
  role: (_, { role }) => role,
  baseline: ({ versions }) => versions[0]!.name,
  candidate: (_, __, { candidate }) => candidate,
  baseline_users: (_, { versions }) => versions[0]!.users,
  candidate_users: (_, { versions }, { candidate }) => versions.find(({ name }) => name === candidate)?.users ?? null,
  baseline_figure: (_, __, { figures }) => figures?.baselineMean ?? null,
  candidate_figure: (_, __, { figures }) => figures?.candidateMean ?? null,
  difference: (_, __, one) => decisiveOf(one)?.difference ?? null,
  difference_lower: (_, __, one) => decisiveOf(one)?.lower ?? null,
  difference_upper: (_, __, one) => decisiveOf(one)?.upper ?? null,
  lift: (_, __, one) => decisiveOf(one)?.lift?.value ?? null,
  lift_lower: (_, __, one) => decisiveOf(one)?.lift?.lower ?? null,
  lift_upper: (_, __, one) => decisiveOf(one)?.lift?.upper ?? null,
  chance_by_luck: (_, __, one) => decisiveOf(one)?.chance ?? null,
  alpha: (_, __, { alpha }) => alpha,
  sample_ratio: ({ balance }) => balance.answer,
  verdict: (_, __, { verdict }) => verdict.kind,
  sentence: (_, __, { sentence }) => sentence,
};

/** Begins with a byte order mark, by which spreadsheets know UTF-8. Lines end in CR LF; numbers are in full, shares between 0 and 1. */
export function experimentCsv(report: ExperimentReport): string {
  const lines = report.metrics.flatMap((metric) =>
    metric.comparisons.map((one) => Object.values(columns).map((read) => cellText(read(report, metric, one)))),
  );
  return `\uFEFF${[Object.keys(columns), ...lines].map((cells) => `${cells.join(',')}\r\n`).join('')}`;
}

/** Text that a spreadsheet would take for a formula, also in wide characters, gets an apostrophe in front. */
function cellText(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = /^[=+\-@\t\r\n＝＋－＠]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
