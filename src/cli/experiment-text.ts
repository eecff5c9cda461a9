// The report of an experiment on a terminal: the alarm first, then what is decided, then every comparison. Pure text.
import { decisiveOf } from '../rollout/experiment-report/decisive.ts';
import { chinese } from '../rollout/experiment-report/chinese.ts';
import { english } from '../rollout/experiment-report/english.ts';
import { lineOn } from '../rollout/experiment-report/notes.ts';
import { changeTexts, figureText, type NumberStyle } from '../rollout/experiment-report/numbers.ts';
import type { ExperimentReport, MetricComparison, MetricReport } from '../rollout/experiment-report/report.ts';
import type { ReportLanguage, Words } from '../rollout/experiment-report/words.ts';
import { oneLine, wrapToWidth } from './display-width.ts';
import type { Canvas, Style } from './paint.ts';
import { tableLines } from './text-table.ts';

const languages: Readonly<Record<ReportLanguage, Words>> = { en: english, zh: chinese };

const styles: Readonly<Record<MetricComparison['verdict']['kind'], Style>> = {
  better: 'green',
  worse: 'red',
  'no-difference': 'cyan',
  'not-enough-data': 'yellow',
  frozen: 'yellow',
};

/** Least columns that a sentence is broken to. */
const leastWidth = 24;
const nothing = '–';

/** The lines of a report; sentences are broken to the width of the canvas. */
export function experimentLines(report: ExperimentReport, lang: ReportLanguage, canvas: Canvas): string[] {
  const words = languages[lang];
  const { balance } = report;
  const sentence = (text: string): string[] => wrapToWidth(oneLine(text), Math.max(leastWidth, canvas.width));
  const alarm =
    balance.answer === 'ok' ? [] : [...sentence(words.mismatch(balance)).map((line) => canvas.paint('red', line)), ''];
  const leftOut = words.leftOut(report.leftOut);
  return [
    ...alarm,
    headline(report, words, canvas),
    ...sentence(words.outcome(report)).map((line) => canvas.paint('bold', line)),
    '',
    ...table(report, words, canvas),
    '',
    ...report.metrics.flatMap((metric) =>
      metric.comparisons.flatMap((one) => sentence(lineOn(report, { metric, one }, words))),
    ),
    ...(leftOut === null ? [] : ['', ...sentence(leftOut)]),
  ];
}

function headline(
  { rollout, release, beganMs, atMs, versions }: ExperimentReport,
  words: Words,
  { paint }: Canvas,
): string {
  const users = versions.reduce((sum, version) => sum + version.users, 0);
  const facts = [`${words.label.release} ${oneLine(release)}`, words.duration(atMs - beganMs), words.userCount(users)];
  return `${paint('bold', rollout)}   ${facts.join(' · ')}`;
}

/** With one candidate its figures stand under its name, with several each row names its own. */
function table({ metrics, versions }: ExperimentReport, words: Words, { paint }: Canvas): string[] {
  const { label, numbers } = words;
  const [baseline, candidate] = versions.map(({ name }) => oneLine(name));
  const isPair = versions.length === 2;
  const figure = isPair ? candidate! : label.figure;
  const heading = [label.metric, ...(isPair ? [] : [label.version]), `>${baseline}`, `>${figure}`];
  const rows = metrics.flatMap((metric) =>
    metric.comparisons.map((one) => [
      `${oneLine(words.metric(metric.metric))}${metric.role === 'primary' ? ' *' : ''}`,
      ...(isPair ? [] : [oneLine(one.candidate)]),
      ...figureCells(metric, one, numbers),
      paint(styles[one.verdict.kind], words.answer(one.verdict)),
    ]),
  );
  return [
    ...tableLines([[...heading, `>${label.lift}`, label.interval, label.verdict], ...rows]),
    `* ${label.primary}`,
  ];
}

/** Both figures, the lift (or the difference where there is none) and its interval. */
function figureCells({ metric: { kind } }: MetricReport, one: MetricComparison, style: NumberStyle): string[] {
  const decisive = decisiveOf(one);
  if (one.figures === null || decisive === null) return [nothing, nothing, nothing, nothing];
  const { change, lower, upper } = changeTexts(kind, decisive, style);
  const means = [one.figures.baselineMean, one.figures.candidateMean].map((mean) => figureText(kind, mean, style));
  return [...means, change, `${lower} … ${upper}`];
}
