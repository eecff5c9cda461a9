// One rollout as a person looks at it: where it stands and why, both versions side by side, every check. Pure text.
import type { ShownRollout } from '../admin/contract.ts';
import { durationOf } from '../rollout/wording.ts';
import { oneLine, widthOf, wrapToWidth } from './display-width.ts';
import type { Canvas } from './paint.ts';
import { placeText, worstText } from './status-candidates.ts';
import {
  checkText,
  errorsText,
  experimentText,
  nothing,
  nowText,
  phaseText,
  rateText,
  shareText,
  stageText,
  timeText,
  verdictText,
} from './status-words.ts';
import { tableLines } from './text-table.ts';

/** Least columns that a sentence is broken to. */
const leastSentenceWidth = 24;

/** Lines of one rollout at `nowMs`, none wider than the canvas unless it is very narrow. */
export function statusBlock(rollout: ShownRollout, canvas: Canvas, nowMs: number): string[] {
  return [
    headline(rollout, canvas),
    ...sinceLines(rollout, canvas, nowMs),
    ...nowLines(rollout, canvas),
    ...worstLines(rollout, canvas),
    '',
    ...versionLines(rollout),
    ...checkLines(rollout, canvas),
    ...experimentLines(rollout, canvas),
  ];
}

function headline(rollout: ShownRollout, canvas: Canvas): string {
  const { name, state, release, revision } = rollout;
  const place = state === null ? [] : [stageText(rollout), placeText(rollout, state)];
  const facts = [phaseText(state, canvas), ...place, `release ${oneLine(release)}`, `revision ${revision}`];
  return `${canvas.paint('bold', name)}   ${facts.join(' · ')}`;
}

function sinceLines({ state }: ShownRollout, canvas: Canvas, nowMs: number): string[] {
  if (state === null) return [];
  const { stage, paused, frozenSinceMs, saved } = state;
  const spent = `${durationOf(Math.max(0, nowMs - stage.sinceMs))} here: ${state.reason}`;
  return [
    ...labelled('for', spent, canvas),
    ...(paused === null ? [] : labelled('then', `${paused.resumeTo}, once it is resumed`, canvas)),
    ...(frozenSinceMs === null ? [] : labelled('frozen', `for ${durationOf(nowMs - frozenSinceMs)}`, canvas)),
    ...(saved ? [] : labelled('store', 'it has not taken the last change yet', canvas)),
  ];
}

/** What made it what it is has been said above. */
function nowLines(rollout: ShownRollout, canvas: Canvas): string[] {
  const sentence = nowText(rollout);
  return sentence === rollout.state?.reason ? [] : labelled('now', sentence, canvas);
}

function worstLines(rollout: ShownRollout, canvas: Canvas): string[] {
  const text = worstText(rollout);
  return text === null ? [] : labelled('worst', text, canvas);
}

/** A sentence beside its label, broken to the width below itself. */
function labelled(label: string, sentence: string, canvas: Canvas): string[] {
  return beside(canvas.paint('dim', label.padEnd(6)), 8, sentence, canvas);
}

function versionLines({ versions }: ShownRollout): string[] {
  const knowsServers = versions.some(({ servers }) => servers.some(({ up }) => up !== null));
  const heading = ['version', '>users', '>requests/s', '>errors', '>p50', '>p95', '>p99'];
  const rows = versions.map(({ name, percent, recent, servers }) => [
    oneLine(name),
    shareText(percent),
    rateText(recent.requestsPerSecond),
    errorsText(recent.errorRatio),
    timeText(recent.p50Ms),
    timeText(recent.p95Ms),
    timeText(recent.p99Ms),
    ...(knowsServers ? [`${servers.filter(({ up }) => up !== false).length} of ${servers.length} up`] : []),
  ]);
  return tableLines([knowsServers ? [...heading, 'servers'] : heading, ...rows]);
}

function checkLines(rollout: ShownRollout, canvas: Canvas): string[] {
  const { checks } = rollout;
  if (checks.length === 0) return [];
  const rows = checks.map((check) => [checkText(check, rollout), check.role, verdictText(check.verdict, canvas)]);
  const [heading = '', ...lines] = tableLines([['check', 'role', 'verdict'], ...rows]);
  const indent = Math.max(widthOf(heading), ...lines.map(widthOf)) + 3;
  const told = checks.flatMap(({ verdict }, i) => beside(lines[i]!, indent, verdict?.sentence ?? nothing, canvas));
  return ['', heading, ...told];
}

function experimentLines(rollout: ShownRollout, canvas: Canvas): string[] {
  const text = experimentText(rollout);
  return text === null ? [] : ['', ...beside(canvas.paint('dim', 'experiment'), 13, text, canvas)];
}

/** `left`, blanks up to the column `indent`, and the text in what is left of the width. */
function beside(left: string, indent: number, text: string, { width }: Canvas): string[] {
  const room = Math.max(leastSentenceWidth, width - indent);
  return wrapToWidth(oneLine(text), room).map((line, i) => {
    const start = i === 0 ? left : '';
    return start + ' '.repeat(indent - widthOf(start)) + line;
  });
}
