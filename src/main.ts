// The process edge: arguments, environment, signals and exit codes. The only process.exit; what graygate does is elsewhere.
import { createRequire } from 'node:module';
import type { Logger, pino as Pino } from 'pino';
import { runCommandLine } from './cli/run-command-line.ts';
import { GraygateError } from './errors.ts';

/** A terminal's Ctrl-C reaches graygate twice under npm, which passes its own on; within this time they are one. */
const sameSignalMs = 300;
const require = createRequire(import.meta.url);

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
  onHangUp: (listener) => process.on('SIGHUP', listener),
  openLog: () => (log ??= openLog(1)).logger,
}).then(exit, crash);

function onStopSignal(exitCode: number): void {
  if (!stop.signal.aborted) {
    stoppedAt = performance.now();
    stop.abort();
  } else if (performance.now() - stoppedAt > sameSignalMs) exit(exitCode);
}

/** Most verbs log nothing: the logger is loaded by those that do, and at once, since a crash may be what it is for. */
function openLog(fileDescriptor: number, level?: string): { logger: Logger; flush(): void } {
  const { pino } = require('pino') as { pino: typeof Pino };
  const destination = pino.destination({ dest: fileDescriptor, sync: false });
  const logger = pino({ level: level ?? logLevel(Object.keys(pino.levels.values)) }, destination);
  return { logger, flush: () => destination.flushSync() };
}

/** The least level that is logged. */
function logLevel(known: readonly string[]): string {
  const level = process.env['GRAYGATE_LOG_LEVEL'] || 'info';
  const levels = [...known, 'silent'];
  if (levels.includes(level)) return level;
  throw new GraygateError('usage', `expected GRAYGATE_LOG_LEVEL as one of ${levels.join(', ')}; got "${level}"`);
}

/** Whoever read the output has left (`graygate demo | head`), or the terminal is closed: nobody is served by going on. */
function onClosedOutput(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') crash(error);
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
