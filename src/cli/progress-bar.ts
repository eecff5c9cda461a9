// One line at the bottom of a terminal that says how far something is; elsewhere nothing is written.
import type { Output } from './command-context.ts';

const clearLine = '\r\x1b[2K';
const barWidth = 24;
const everyMs = 80;

export class ProgressBar {
  readonly #output: Output;
  #drawnMs = -Infinity;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Draws the bar with a text beside it, not more often than eyes can follow. */
  show(doneShare: number, text: string): void {
    const nowMs = performance.now();
    if (this.#output.isTTY !== true || nowMs - this.#drawnMs < everyMs) return;
    this.#drawnMs = nowMs;
    const filled = Math.round(Math.min(1, Math.max(0, doneShare)) * barWidth);
    const line = `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} ${text}`;
    this.#output.write(clearLine + line.slice(0, (this.#output.columns || 80) - 1));
  }

  /** Takes it away. */
  clear(): void {
    if (this.#output.isTTY === true && this.#drawnMs !== -Infinity) this.#output.write(clearLine);
  }
}
