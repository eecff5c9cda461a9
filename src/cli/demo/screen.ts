// The demo's two outputs: text that stays, and on a terminal one line at the bottom that is written over.
import type { Output } from '../command-context.ts';
import { cutToWidth } from '../display-width.ts';

const clearLine = '\r\x1b[K';

/** Keeps log lines (stderr) and text (stdout) from running into the line that is written over. */
export class Screen {
  readonly isTerminal: boolean;
  readonly #stdout: Output;
  readonly #stderr: Output;
  #status = '';

  constructor(stdout: Output, stderr: Output) {
    this.isTerminal = stdout.isTTY === true;
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  /** Text that stays, with the line end added. */
  say(text: string): void {
    this.#aside(() => this.#stdout.write(`${text}\n`));
  }

  /** A line of the log, with its line end. */
  log(line: string): void {
    this.#aside(() => this.#stderr.write(line));
  }

  /** Replaces the line at the bottom of a terminal, cut to its width; empty takes it away. Elsewhere nothing is written. */
  showStatus(text: string): void {
    if (!this.isTerminal) return;
    this.#status = cutToWidth(text, (this.#stdout.columns ?? 80) - 1);
    this.#stdout.write(`${clearLine}${this.#status}`);
  }

  #aside(write: () => void): void {
    if (this.#status !== '') this.#stdout.write(clearLine);
    write();
    if (this.#status !== '') this.#stdout.write(this.#status);
  }
}
