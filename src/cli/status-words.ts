// The words and figures of `status`: how a phase, a percent, a rate, a latency and a verdict are written. Pure.
import type { ShownRollout } from '../admin/contract.ts';
import { countOf, latencyOf, percentOf } from '../rollout/wording.ts';
import { oneLine } from './display-width.ts';
import type { Canvas, Style } from './paint.ts';

type State = NonNullable<ShownRollout['state']>;
type Verdict = ShownRollout['checks'][number]['verdict'];

/** Where nothing is known. */
export const nothing = '–';

type Phase = State['phase'];

const phaseStyle: Readonly<Record<Phase, Style>> = {
  steady: 'cyan',
  progressing: 'cyan',
  waiting: 'yellow',
  paused: 'yellow',
  baking: 'cyan',
  promoted: 'green',
  'rolled-back': 'red',
};
const answers = {
  pass: { word: 'pass', style: 'green' },
  fail: { word: 'FAIL', style: 'red' },
  'not-enough-data': { word: 'not enough data', style: 'yellow' },
  error: { word: 'no answer', style: 'magenta' },
} as const;

/** The phase in its colour. */
export function phaseText(state: State | null, canvas: Canvas): string {
  return state === null ? 'not begun' : paintPhase(state.phase, state.phase, canvas);
}

/** A text in the colour of a phase. */
export function paintPhase(phase: Phase, text: string, { paint }: Canvas): string {
  return paint(phaseStyle[phase], text);
}

/** Whether it is the word of a phase. */
export function isPhase(word: unknown): word is Phase {
  return typeof word === 'string' && Object.hasOwn(phaseStyle, word);
}

/** `small (2 of 4)`; of a range the step that it stands at. */
export function stageText({ state, stages }: ShownRollout): string {
  if (state === null) return nothing;
  const { index, name } = state.stage;
  return oneLine(index === null ? name : `${name} (${index + 1} of ${stages.length})`);
}

/** `20 %`. */
export function shareText(percent: number): string {
  return `${percent} %`;
}

/** `4.9 %` of requests failed. */
export function errorsText(errorRatio: number | null): string {
  return errorRatio === null ? nothing : percentOf(errorRatio);
}

/** `38 ms`. */
export function timeText(ms: number | null): string {
  return ms === null ? nothing : latencyOf(ms);
}

/** Requests a second: `46.5`, `1,200`. */
export function rateText(perSecond: number): string {
  return perSecond < 99.95 ? perSecond.toFixed(1) : countOf(perSecond);
}

/** A check's name; where several candidates are watched, with the one that it is about. */
export function checkText({ name, version }: ShownRollout['checks'][number], { checks }: ShownRollout): string {
  return checks.some((other) => other.version !== version) ? `${oneLine(name)} of ${oneLine(version)}` : oneLine(name);
}

/** What a check says, in its colour. */
export function verdictText(verdict: Verdict, { paint }: Canvas): string {
  if (verdict === null) return 'not judged yet';
  const { word, style } = answers[verdict.answer];
  return paint(style, word);
}

/** Why it does not move now: what holds it, else what made it what it is. */
export function nowText({ state, holds }: ShownRollout): string {
  if (state === null) return 'it has not begun yet';
  return holds ?? state.reason;
}

/** Where its experiment stands: `conversion: not decided: …`; null where there is none. */
export function experimentText({ experiment, versions }: ShownRollout): string | null {
  if (experiment === null) return null;
  const { metric, winner, isOver, sentence } = experiment;
  const isBaseline = versions.some(({ name, role }) => name === winner && role === 'baseline');
  const standing = winner === null ? 'not decided' : `${winner} ${isBaseline ? 'stays' : 'wins'}`;
  return `${metric}: ${isOver ? 'over, ' : ''}${standing}: ${sentence}`;
}
