// Tells how the generated customers fare: on a terminal all the time, elsewhere once, and in sum at the end.
import type { Screen } from './screen.ts';
import { addTallies, statusText } from './status-text.ts';
import type { TrafficTally, VersionTally } from './traffic-tally.ts';

const intervalMs = 2_000;
/** Stretches that the line on a terminal looks back on. */
const stretchCount = 4;

export type Shown = {
  readonly screen: Screen;
  readonly json: boolean;
  /** Where the rollouts stand, in front of the line on a terminal. */
  readonly standing: () => string;
};

/** Begins to tell; `close` tells the sum. As `json` only the sum is told, as one object. */
export function showTraffic(tally: TrafficTally, { screen, json, standing }: Shown): { close(): void } {
  let total: readonly VersionTally[] = [];
  let recent: (readonly VersionTally[])[] = [];
  let isTold = false;
  const look = () => {
    const taken = tally.take();
    total = addTallies([total, taken]);
    recent = [...recent, taken].slice(-stretchCount);
  };
  const timer = setInterval(() => {
    look();
    if (json) return;
    screen.showStatus([standing(), statusText(addTallies(recent))].filter(Boolean).join(' · '));
    if (isTold || screen.isTerminal || total.length === 0) return;
    screen.say(statusText(total));
    isTold = true;
  }, intervalMs);
  return {
    close() {
      clearInterval(timer);
      look();
      screen.showStatus('');
      screen.say(json ? JSON.stringify({ versions: total }) : `In all ${statusText(total)}`);
    },
  };
}
