// The lifts of an experiment drawn as lines on one axis: a dot for the estimate, a line for what is not ruled out.
import { liftText, type NumberStyle } from '../../rollout/experiment-report/numbers.ts';
import type { Estimated, MetricComparison } from '../../rollout/experiment-report/report.ts';
import { escapeHtml } from '../escape-html.ts';
import { place, scaleOf, type Scale } from './scale.ts';

const width = 320;
/** Half a label of the axis, such as `+100 %`, has room beside it. */
const edge = 24;
/** The axis never reaches further than this (1: twice as much); lines that do end in an arrow. */
const furthest = 1;
const nearest = 0.02;

type Lift = NonNullable<Estimated['lift']>;

/** One axis for all comparisons, as wide as their intervals; 0 is in its middle. */
export function liftScale(lifts: readonly Lift[]): Scale {
  const reach = Math.max(nearest, ...lifts.flatMap(({ lower, upper }) => [-lower, upper]));
  const limit = Math.min(furthest, reach * 1.1);
  return scaleOf([-limit, limit], [edge, width - edge], 4);
}

/** The line of one comparison. */
export function intervalDrawing(
  { value, lower, upper }: Lift,
  {
    scale,
    kind,
    style,
  }: { readonly scale: Scale; readonly kind: MetricComparison['verdict']['kind']; readonly style: NumberStyle },
): string {
  const [left, middle, right] = [lower, value, upper].map((lift) => within(scale.at(lift))) as [number, number, number];
  const label = `${liftText(value, style)} (${liftText(lower, style)} … ${liftText(upper, style)})`;
  return `<svg class="interval is-${kind}" viewBox="0 0 ${width} 28" role="img" aria-label="${escapeHtml(label)}">
${gridLines(scale, 28)}<line class="range" x1="${place(left)}" x2="${place(right)}" y1="14" y2="14"/>
${end(left, Math.sign(scale.at(lower) - left))}${end(right, Math.sign(scale.at(upper) - right))}<circle cx="${place(middle)}" cy="14" r="5"/></svg>`;
}

/** The axis below the lines. */
export function axisDrawing(
  scale: Scale,
  style: NumberStyle,
  words: { readonly worse: string; readonly better: string },
): string {
  const ticks = scale.ticks.map(
    (tick) =>
      `<text x="${place(scale.at(tick))}" y="12" text-anchor="middle">${escapeHtml(liftText(tick, style))}</text>`,
  );
  return `<svg class="axis" viewBox="0 0 ${width} 34" aria-hidden="true">${ticks.join('')}
<text class="side" x="0" y="30">← ${escapeHtml(words.worse)}</text>
<text class="side" x="${width}" y="30" text-anchor="end">${escapeHtml(words.better)} →</text></svg>`;
}

function gridLines(scale: Scale, height: number): string {
  return scale.ticks
    .map((tick) => {
      const x = place(scale.at(tick));
      return `<line class="${tick === 0 ? 'zero' : 'grid'}" x1="${x}" x2="${x}" y1="0" y2="${height}"/>`;
    })
    .join('');
}

/** The nearest place in the drawing. */
function within(x: number): number {
  return Math.min(Math.max(x, edge / 2), width - edge / 2);
}

/** A cap, or an arrow to where (-1: left, 1: right) the end is out of the drawing. */
function end(x: number, direction: number): string {
  if (direction === 0) return `<line class="range" x1="${place(x)}" x2="${place(x)}" y1="9" y2="19"/>`;
  const back = place(x - 6 * direction);
  return `<polyline class="range" points="${back},9 ${place(x)},14 ${back},19"/>`;
}
