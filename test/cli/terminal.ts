// The command line in the test's own process with outputs that can be a terminal, and an end that the test chooses.
import { pino } from 'pino';
import { runCommandLine } from '../../src/cli/run-command-line.ts';

export type TerminalOptions = {
  /** Columns of a terminal; null: a pipe. */
  readonly columns?: number | null;
  readonly rows?: number;
  readonly env?: NodeJS.ProcessEnv;
};

/** A verb that has been started. `said` and `complained` give what it has written so far. */
export type Running = {
  said(): string;
  complained(): string;
  /** As Ctrl-C. */
  stop(): void;
  readonly ended: Promise<number>;
};

/** Starts a verb. */
export function startVerb(
  args: readonly string[],
  { columns = null, rows = 50, env = {} }: TerminalOptions = {},
): Running {
  let stdout = '';
  let stderr = '';
  const stopping = new AbortController();
  const terminal = columns === null ? {} : { isTTY: true, columns, rows };
  const ended = runCommandLine(args, {
    env,
    stdout: { ...terminal, write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    stop: stopping.signal,
    onHangUp: () => undefined,
    openLog: () => pino({ level: 'silent' }),
  });
  return { said: () => stdout, complained: () => stderr, stop: () => stopping.abort(), ended };
}

/** Runs a verb that ends by itself. */
export async function runVerb(args: readonly string[], options: TerminalOptions = {}) {
  const running = startVerb(args, options);
  const code = await running.ended;
  return { code, stdout: running.said(), stderr: running.complained() };
}
