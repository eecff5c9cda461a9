// The process edge: arguments, environment, signals and exit codes. The only process.exit; what graygate does is elsewhere.
import { pino, type Logger } from 'pino';
import { runCommandLine } from './cli/run-command-line.ts';
import { GraygateError } from './errors.ts';

/** A terminal's Ctrl-C reaches graygate twice under npm, which passes its own on; within this time they are one. */
const sameSignalMs = 300;
const logLevels: readonly string[] = [...Object.keys(pino.levels.values), 'silent'];

const stop = new AbortController();
let stoppedAt = 0;
let log: { logger: Logger; flush(): void } | null = null;

process.on('SIGTERM', () => onStopSignal(143));
process.on('SIGINT', () => onStopSignal(130));
// A rejection that nobody handles comes here too.
process.on('uncaughtException', crash);
for (const stream of [process.stdout, process.stderr]) stream.on('error', onClosedOutput);

runCommandLine(process.argv.slice(2), {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  stop: stop.signal,
  onReload: (listener) => process.on('SIGHUP', listener),
  openLog: () => (log ??= openLog(1)).logger,
}).then(exit, crash);

function onStopSignal(exitCode: number): void {
  if (!stop.signal.aborted) {
    stoppedAt = performance.now();
    stop.abort();
  } else if (performance.now() - stoppedAt > sameSignalMs) exit(exitCode);
}

function openLog(fileDescriptor: number, level = logLevel()): { logger: Logger; flush(): void } {
  const destination = pino.destination({ dest: fileDescriptor, sync: false });
  return { logger: pino({ level }, destination), flush: () => destination.flushSync() };
}

/** The least level that is logged. */
function logLevel(): string {
  const level = process.env['GRAYGATE_LOG_LEVEL'] || 'info';
  if (logLevels.includes(level)) return level;
  throw new GraygateError('usage', `expected GRAYGATE_LOG_LEVEL as one of ${logLevels.join(', ')}; got "${level}"`);
}

/** Whoever read the output has left (`graygate demo | head`): nobody is served by going on. */
function onClosedOutput(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') crash(error);
  else stop.abort();
}

function crash(error: unknown): void {
  log ??= openLog(2, 'fatal');
  log.logger.fatal({ err: error }, 'graygate failed');
  exit(1);
}

function exit(code: number): void {
  log?.flush();
  process.exit(code);
}
