// The report of an experiment as one page that needs nothing else: no script, no picture, no font from elsewhere. To be opened,
// printed, or sent to somebody who has never heard of graygate.
import { createHash } from 'node:crypto';
import type { ExperimentReport, MetricReport } from '../../rollout/experiment-report/report.ts';
import type { Words } from '../../rollout/experiment-report/words.ts';
import { countOf } from '../../rollout/wording.ts';
import { escapeHtml } from '../escape-html.ts';
import { resultsTable } from './results-table.ts';
import { style } from './style.ts';
import { timeDrawing } from './time-drawing.ts';

/** Of the page: its own style, nothing else, and in nobody's frame. */
export const experimentPagePolicy = [
  `default-src 'none'`,
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'none'`,
].join('; ');

/** The whole document. */
export function experimentPage(report: ExperimentReport, words: Words): string {
  const title = escapeHtml(words.title(report));
  return `<!doctype html>
<html lang="${words.tag}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} · graygate</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${facts(report, words)}
${alarm(report, words)}${outcome(report, words)}
${resultsTable(report, words)}
${overTime(report, words)}
${users(report, words)}
${events(report, words)}
<section><h2>${escapeHtml(words.label.howToRead)}</h2><p>${escapeHtml(words.promise(report))}</p></section>
<footer>graygate</footer>
</main>
</body>
</html>
`;
}

function facts(report: ExperimentReport, words: Words): string {
  const { label } = words;
  const { release, versions, beganMs, atMs, timeZone } = report;
  const total = versions.reduce((sum, version) => sum + version.users, 0);
  const parts = [
    `${label.release} ${release}`,
    `${label.age} ${words.duration(atMs - beganMs)}`,
    words.userCount(total),
    `${label.madeAt} ${timeText(atMs, timeZone)}`,
  ];
  return `<p class="facts">${parts.map((part) => `<span>${escapeHtml(part)}</span>`).join('')}</p>`;
}

function alarm({ balance }: ExperimentReport, words: Words): string {
  return balance.answer === 'ok' ? '' : `<p class="alarm" role="alert">⚠ ${escapeHtml(words.mismatch(balance))}</p>\n`;
}

function outcome(report: ExperimentReport, words: Words): string {
  const { decision, versions } = report;
  const isBaseline = decision.kind === 'winner' && decision.version === versions[0]!.name;
  const look = decision.kind === 'undecided' ? 'is-open' : isBaseline ? 'is-worse' : 'is-better';
  return `<p class="outcome ${look}">${escapeHtml(words.outcome(report))}</p>`;
}

function overTime(report: ExperimentReport, words: Words): string {
  const { label, numbers } = words;
  const charts = report.metrics.flatMap((metric) => chart(report, metric, { words, style: numbers }));
  if (charts.length === 0) return '';
  const legend = report.versions.map(({ name }, i) => `<span><i class="version-${i}"></i>${escapeHtml(name)}</span>`);
  return `<section><h2>${escapeHtml(label.overTime)}</h2><p class="legend">${legend.join('')}</p><div class="charts">${charts.join('\n')}</div></section>`;
}

function chart(
  report: ExperimentReport,
  metric: MetricReport,
  { words, style: numbers }: { readonly words: Words; readonly style: Words['numbers'] },
): string[] {
  const title = words.metric(metric.metric);
  const drawing = timeDrawing(report, metric, { style: numbers, title, newUsers: words.label.newUsers });
  return drawing === null ? [] : [`<div><h3>${escapeHtml(title)}</h3>${drawing}</div>`];
}

/** Who was sent where, and what was expected. */
function users(report: ExperimentReport, words: Words): string {
  const { label } = words;
  const rows = report.balance.versions.map(
    ({ name, users: count, expected }) =>
      `<tr><td>${escapeHtml(name)}</td><td class="number">${countOf(count)}</td><td class="number">${countOf(expected)}</td></tr>`,
  );
  const phases = report.phases.map(({ beganMs, percents, exposed }) => {
    const shares = percents.map((percent) => `${percent}${words.numbers.blank}%`).join(' / ');
    return `<tr><td>${timeText(beganMs, report.timeZone)}</td><td class="number">${shares}</td><td class="number">${exposed.map(countOf).join(' / ')}</td></tr>`;
  });
  const leftOut = words.leftOut(report.leftOut);
  return `<section><h2>${escapeHtml(label.whoCame)}</h2>
<div class="wide"><table><tr><th>${escapeHtml(label.version)}</th><th class="number">${escapeHtml(label.users)}</th><th class="number">${escapeHtml(label.expected)}</th></tr>${rows.join('')}</table></div>
${leftOut === null ? '' : `<p class="small">${escapeHtml(leftOut)}</p>`}
<h2>${escapeHtml(label.phases)}</h2>
<div class="wide"><table><tr><th>${escapeHtml(label.began)}</th><th class="number">${escapeHtml(label.split)}</th><th class="number">${escapeHtml(label.users)}</th></tr>${phases.join('')}</table></div></section>`;
}

function events({ events: counted }: ExperimentReport, { label }: Words): string {
  if (counted.length === 0) return '';
  const rows = counted.map(
    ({ event, count, valueSum }) =>
      `<tr><td>${escapeHtml(event)}</td><td class="number">${countOf(count)}</td><td class="number">${countOf(valueSum)}</td></tr>`,
  );
  return `<section><h2>${escapeHtml(label.events)}</h2><div class="wide"><table><tr><th>${escapeHtml(label.event)}</th><th class="number">${escapeHtml(label.count)}</th><th class="number">${escapeHtml(label.valueSum)}</th></tr>${rows.join('')}</table></div></section>`;
}

/** `2026-11-22 14:05 Asia/Shanghai`. */
function timeText(atMs: number, timeZone: string): string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  return escapeHtml(`${format.format(atMs)} ${timeZone}`);
}
