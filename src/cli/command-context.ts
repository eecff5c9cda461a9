// What a verb may know of the process it runs in; main.ts provides it, and nothing else of the process is used in this room.
import type { Logger } from 'pino';

/** 0 done, 1 the answer is no, 2 usage, 3 cannot reach the gateway. */
export type ExitCode = 0 | 1 | 2 | 3;

export type Output = {
  readonly isTTY?: boolean;
  /** Width of the terminal. */
  readonly columns?: number;
  /** Height of the terminal. */
  readonly rows?: number;
  write(text: string): unknown;
};

export type CommandContext = {
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Aborted when the process is asked to end. */
  readonly stop: AbortSignal;
  /** Calls the listener on each SIGHUP from now on, which would otherwise end the process: its terminal is gone, or its policy is another one. */
  onHangUp(listener: () => void): void;
  /** JSON lines on stdout; what breaks the process is logged there too. */
  openLog(): Logger;
  /** How the verb ended; 0 where it is never called. */
  finish(code: ExitCode): void;
};
