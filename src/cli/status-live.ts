// How looks at rollouts are told while they go on: redrawn on a terminal, a line for each change elsewhere, JSON for programs.
import type { ShownRollout } from '../admin/contract.ts';
import { durationOf } from '../rollout/wording.ts';
import type { CommandContext } from './command-context.ts';
import { oneLine } from './display-width.ts';
import type { Change, Look } from './follow-rollouts.ts';
import { type Canvas, canvasOf } from './paint.ts';
import { Redraw } from './redraw.ts';
import { statusBlock } from './status-block.ts';
import { statusOverview } from './status-overview.ts';

/** Tells one look. */
export type Teller = (look: Look) => void;

/** One rollout in full; of several a row each. */
export function statusLines(rollouts: readonly ShownRollout[], canvas: Canvas): string[] {
  const [first, ...others] = rollouts;
  return first !== undefined && others.length === 0
    ? statusBlock(first, canvas, Date.now())
    : statusOverview(rollouts, canvas);
}

/** Draws over the look before. */
export function redrawLooks(context: CommandContext): Teller {
  const redraw = new Redraw(context.stdout);
  let last: readonly ShownRollout[] = [];
  return (look) => {
    const canvas = canvasOf(context.stdout, context);
    if (look.ok) last = look.rollouts;
    const trouble = look.ok
      ? []
      : ['', canvas.paint('red', `as it was ${durationOf(look.forMs)} ago: ${look.error.message}`)];
    redraw.draw([...statusLines(last, canvas), ...trouble]);
  };
}

/** A line for where each rollout stands when it is first seen, and one for each change; trouble on stderr, once. */
export function printChanges({ stdout, stderr }: CommandContext): Teller {
  const seen = new Set<string>();
  let isLost = false;
  return (look) => {
    if (!look.ok) {
      if (!isLost) stderr.write(`graygate: ${look.error.message}; trying again\n`);
      isLost = true;
      return;
    }
    isLost = false;
    const fresh = look.rollouts.filter(({ name }) => !seen.has(name));
    for (const { name } of fresh) seen.add(name);
    for (const change of [...fresh.flatMap(standingOf), ...look.changes]) stdout.write(`${changeLine(change)}\n`);
  };
}

/** A JSON object a line: each rollout when it is first seen, and whenever it has changed. */
export function printJsonLines({ stdout }: CommandContext): Teller {
  const revisions = new Map<string, number>();
  return (look) => {
    for (const rollout of look.ok ? look.rollouts : []) {
      if (revisions.get(rollout.name) === rollout.revision) continue;
      revisions.set(rollout.name, rollout.revision);
      stdout.write(`${JSON.stringify(rollout)}\n`);
    }
  };
}

function standingOf({ name, state }: ShownRollout): Change[] {
  if (state === null) return [];
  const { phase, percent, reason } = state;
  return [{ rollout: name, atMs: Date.now(), phase, percent, reason }];
}

/** `2026-11-22T09:30:05Z  shop  progressing  20 %  canary goes from 5 % to 20 % (stage some): …`. */
function changeLine({ rollout, atMs, phase, percent, reason }: Change): string {
  const time = `${new Date(atMs).toISOString().slice(0, 19)}Z`;
  return oneLine(`${time}  ${rollout}  ${phase}  ${percent} %  ${reason}`);
}
