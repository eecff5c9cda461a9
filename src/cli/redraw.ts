// Text that is drawn over in place, on a terminal only: what stood above it stays, and so does the last drawing.
import type { Output } from './command-context.ts';

/** Wider lines are cut by the terminal instead of wrapped, so that what was drawn is as high as it has lines. */
const [wrapOff, wrapOn] = ['\x1b[?7l', '\x1b[?7h'];

/** Draws lines over the ones before; more than the terminal is high are left out. */
export class Redraw {
  readonly #output: Output;
  #drawnCount = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  draw(lines: readonly string[]): void {
    const shown = lines.slice(0, Math.max(1, (this.#output.rows ?? 24) - 1));
    const up = this.#drawnCount === 0 ? '' : `\x1b[${this.#drawnCount}A`;
    this.#output.write(`${up}\r\x1b[J${wrapOff}${shown.join('\n')}${wrapOn}\n`);
    this.#drawnCount = shown.length;
  }
}
