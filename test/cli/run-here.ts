// The command line in the test's own process, for what does not depend on being a process.
import { pino } from 'pino';
import { runCommandLine } from '../../src/cli/run-command-line.ts';

/** Runs a verb with an empty environment; one that would go on is stopped as soon as it is up. */
export function runHere(args: readonly string[]) {
  return run(args, AbortSignal.abort());
}

/** Runs a verb that ends by itself. */
export function runToEnd(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return run(args, new AbortController().signal, env);
}

async function run(args: readonly string[], stop: AbortSignal, env: NodeJS.ProcessEnv = {}) {
  let stdout = '';
  let stderr = '';
  const code = await runCommandLine(args, {
    env,
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    stop,
    onHangUp: () => undefined,
    openLog: () => pino({ level: 'silent' }),
  });
  return { code, stdout, stderr };
}
