// A metric over the days of an experiment: the running figure of each version as a line, the new users of each day as bars.
import { figureText, type NumberStyle } from '../../rollout/experiment-report/numbers.ts';
import type { ExperimentReport, MetricReport } from '../../rollout/experiment-report/report.ts';
import { escapeHtml } from '../escape-html.ts';
import { place, scaleOf, type Scale } from './scale.ts';

const width = 440;
const height = 190;
const left = 50;
const right = 12;
const top = 12;
/** Between the lines and the bars. */
const middle = 122;
const bottom = 164;
const mostDates = 6;
/** Least height of the axis, in parts of the figure. */
const nearest = 0.02;

export type TimeWords = { readonly style: NumberStyle; readonly title: string; readonly newUsers: string };

/** Null with fewer than two days, or before there is anything to draw. */
export function timeDrawing(report: ExperimentReport, { metric }: MetricReport, words: TimeWords): string | null {
  const { days, versions } = report;
  const lines = versions.map((_, version) =>
    days.map(({ means }) => means.find(({ name }) => name === metric.name)?.means[version] ?? null),
  );
  const known = lines.flat().filter((mean) => mean !== null);
  if (days.length < 2 || known.length === 0) return null;
  const y = scaleOf(domainOf(known), [middle, top], 4);
  const x = (day: number): number => left + ((day + 0.5) / days.length) * (width - left - right);
  return `<svg class="time" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(words.title)}">
${yAxis(y, (value) => figureText(metric.kind, value, words.style))}
${bars(report, x)}
${lines.map((means, version) => lineOf(means, { version, x, y })).join('\n')}
${dates(report, x)}
<text class="note" x="${left}" y="${middle + 12}">${escapeHtml(words.newUsers)}</text></svg>`;
}

/** Never so fine that rounding looks like a fall; no figure is below 0. */
function domainOf(means: readonly number[]): readonly [number, number] {
  const [low, high] = [Math.min(...means), Math.max(...means)];
  const room = Math.max((high - low) * 0.15, ((nearest * high || 0.1) - (high - low)) / 2);
  return [Math.max(0, low - room), high + room];
}

function yAxis(scale: Scale, write: (value: number) => string): string {
  return scale.ticks
    .map((tick) => {
      const y = place(scale.at(tick));
      const text = `<text x="${left - 8}" y="${place(scale.at(tick) + 4)}" text-anchor="end">${escapeHtml(write(tick))}</text>`;
      return `<line class="grid" x1="${left}" x2="${width - right}" y1="${y}" y2="${y}"/>${text}`;
    })
    .join('');
}

/** Days without a figure interrupt the line; the last figure has a dot. */
function lineOf(
  means: readonly (number | null)[],
  { version, x, y }: { version: number; x: (day: number) => number; y: Scale },
): string {
  let path = '';
  let isOpen = false;
  means.forEach((mean, day) => {
    if (mean !== null) path += `${isOpen ? 'L' : 'M'}${place(x(day))} ${place(y.at(mean))}`;
    isOpen = mean !== null;
  });
  const last = means.findLastIndex((mean) => mean !== null);
  const dot = last === -1 ? '' : `<circle cx="${place(x(last))}" cy="${place(y.at(means[last]!))}" r="3.5"/>`;
  return `<g class="version-${version}"><path d="${path}"/>${dot}</g>`;
}

/** `exposed` of a day is everybody up to then. */
function bars({ days }: ExperimentReport, x: (day: number) => number): string {
  const totals = days.map(({ exposed }) => exposed.reduce((sum, users) => sum + users, 0));
  const fresh = totals.map((total, day) => Math.max(0, total - (totals[day - 1] ?? 0)));
  const most = Math.max(...fresh, 1);
  const barWidth = Math.max(2, ((width - left - right) / days.length) * 0.6);
  return fresh
    .map((users, day) => {
      const size = (users / most) * (bottom - middle - 18);
      return `<rect class="bar" x="${place(x(day) - barWidth / 2)}" y="${place(bottom - size)}" width="${place(barWidth)}" height="${place(size)}"/>`;
    })
    .join('');
}

function dates({ days, timeZone }: ExperimentReport, x: (day: number) => number): string {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone, month: '2-digit', day: '2-digit' });
  const every = Math.ceil(days.length / mostDates);
  return days
    .map(({ startMs }, day) =>
      day % every === 0
        ? `<text x="${place(x(day))}" y="${height - 8}" text-anchor="middle">${escapeHtml(format.format(startMs))}</text>`
        : '',
    )
    .join('');
}
