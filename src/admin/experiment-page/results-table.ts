// Every comparison of an experiment as a row: both figures, the lift drawn on one axis, what is to be concluded.
import { decisiveOf } from '../../rollout/experiment-report/decisive.ts';
import { lineOn } from '../../rollout/experiment-report/notes.ts';
import { changeTexts, figureText, type NumberStyle } from '../../rollout/experiment-report/numbers.ts';
import type {
  Estimated,
  ExperimentReport,
  MetricComparison,
  MetricReport,
} from '../../rollout/experiment-report/report.ts';
import type { Words } from '../../rollout/experiment-report/words.ts';
import { escapeHtml } from '../escape-html.ts';
import { axisDrawing, intervalDrawing, liftScale } from './interval-drawing.ts';
import type { Scale } from './scale.ts';

type Sheet = { readonly report: ExperimentReport; readonly words: Words; readonly scale: Scale };

/** The section with the table, and the sentences below it. */
export function resultsTable(report: ExperimentReport, words: Words): string {
  const { label, numbers } = words;
  const lifts = report.metrics.flatMap(({ comparisons }) => comparisons.flatMap((one) => decisiveOf(one)?.lift ?? []));
  const scale = liftScale(lifts);
  const rows = report.metrics.flatMap((metric) =>
    metric.comparisons.map((one) => row({ report, words, scale }, metric, one)),
  );
  const { baseline, candidate } = figureLabels(report, label.candidate);
  const heads = [
    `<th>${escapeHtml(label.metric)}</th>`,
    `<th class="number">${escapeHtml(baseline)}</th>`,
    `<th class="number">${escapeHtml(candidate)}</th>`,
    `<th class="number">${escapeHtml(label.lift)}</th>`,
    `<th class="drawn">${escapeHtml(label.interval)}</th>`,
    `<th>${escapeHtml(label.verdict)}</th>`,
  ];
  return `<section><div class="wide"><table class="results"><tr class="heads">${heads.join('')}</tr>
${rows.join('\n')}
<tr><td colspan="4"></td><td class="drawn">${axisDrawing(scale, numbers, label)}</td><td></td></tr></table></div>
<ul class="sentences small">${sentences(report, words)}</ul></section>`;
}

/** What is above the figures; of several candidates each row names its own. */
function figureLabels({ versions }: ExperimentReport, several: string): { baseline: string; candidate: string } {
  const [baseline, candidate] = versions;
  return { baseline: baseline!.name, candidate: versions.length === 2 ? candidate!.name : several };
}

function row({ report, words, scale }: Sheet, metric: MetricReport, one: MetricComparison): string {
  const { numbers, label } = words;
  const { kind } = metric.metric;
  const decisive = decisiveOf(one);
  const write = (mean: number | undefined): string =>
    mean === undefined ? '–' : escapeHtml(figureText(kind, mean, numbers));
  const badge = metric.role === 'primary' ? ` <span class="badge">${escapeHtml(label.primary)}</span>` : '';
  const candidate = report.versions.length > 2 ? `<br><span class="small">${escapeHtml(one.candidate)}</span>` : '';
  const lift = decisive?.lift ?? null;
  const drawn = lift === null ? '' : intervalDrawing(lift, { scale, kind: one.verdict.kind, style: numbers });
  const cells = [
    `<td>${escapeHtml(words.metric(metric.metric))}${badge}${candidate}</td>`,
    numberCell(report.versions[0]!.name, write(one.figures?.baselineMean)),
    numberCell(one.candidate, write(one.figures?.candidateMean)),
    numberCell(label.lift, changeHtml(decisive, { metric, style: numbers })),
    `<td class="drawn">${drawn}</td>`,
    `<td><span class="answer is-${one.verdict.kind}">${escapeHtml(words.answer(one.verdict))}</span></td>`,
  ];
  return `<tr class="row">${cells.join('')}</tr>`;
}

/** A narrow screen has no row of headings, so each number carries its own. */
function numberCell(heading: string, html: string): string {
  return `<td class="number" data-label="${escapeHtml(heading)}">${html}</td>`;
}

function changeHtml(
  decisive: Estimated | null,
  { metric, style }: { readonly metric: MetricReport; readonly style: NumberStyle },
): string {
  if (decisive === null) return '–';
  const { change, lower, upper } = changeTexts(metric.metric.kind, decisive, style);
  return `${escapeHtml(change)}<br><span class="small">${escapeHtml(`${lower} … ${upper}`)}</span>`;
}

function sentences(report: ExperimentReport, words: Words): string {
  const lines = report.metrics.flatMap((metric) =>
    metric.comparisons.map((one) => lineOn(report, { metric, one }, words)),
  );
  return lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('');
}
