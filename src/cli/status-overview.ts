// Several rollouts as one table, a row each, with the reason why each does not move below it. Pure text.
import type { ShownRollout } from '../admin/contract.ts';
import { cutToWidth, oneLine } from './display-width.ts';
import type { Canvas } from './paint.ts';
import { candidatesIn, givenPercent, hasSeveral, worstOf, worstText } from './status-candidates.ts';
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

const heading = ['rollout', 'phase', 'stage', '>percent', '>requests/s', '>errors', '>p95', 'checks'];

/**
 * Lines of all rollouts: a row each with figures of the baseline → the candidate, of several the one that looks worst, and a few
 * sentences each, cut to the width.
 */
export function statusOverview(rollouts: readonly ShownRollout[], canvas: Canvas): string[] {
  if (rollouts.length === 0) return ['there is no rollout in the policy'];
  const [head = '', ...rows] = tableLines([heading, ...rollouts.map((rollout) => cellsOf(rollout, canvas))]);
  const told = rollouts.flatMap((rollout, i) => {
    const experiment = experimentText(rollout);
    const worst = worstText(rollout);
    const sentences = [
      nowText(rollout),
      ...(worst === null ? [] : [`worst: ${worst}`]),
      ...(experiment === null ? [] : [`experiment: ${experiment}`]),
    ];
    return [rows[i]!, ...sentences.map((text) => canvas.paint('dim', cutToWidth(`  ${oneLine(text)}`, canvas.width)))];
  });
  return [head, ...told];
}

function cellsOf(rollout: ShownRollout, canvas: Canvas): string[] {
  const { name, state, versions, checks } = rollout;
  const shown = worstOf(rollout)?.name ?? (hasSeveral(rollout) ? candidatesIn(rollout)[0] : state?.candidate);
  const candidate = versions.find((version) => version.name === shown) ?? versions[1];
  const pair = versions.filter((version) => version.role === 'baseline' || version === candidate);
  return [
    canvas.paint('bold', name),
    phaseText(state, canvas),
    stageText(rollout),
    state === null ? nothing : shareText(hasSeveral(rollout) ? givenPercent(rollout) : state.percent),
    rateText(versions.reduce((sum, { recent }) => sum + recent.requestsPerSecond, 0)),
    pair.map(({ recent }) => errorsText(recent.errorRatio)).join(' → '),
    pair.map(({ recent }) => timeText(recent.p95Ms)).join(' → '),
    checks.map((check) => `${checkText(check, rollout)}: ${verdictText(check.verdict, canvas)}`).join(', ') || nothing,
  ];
}
