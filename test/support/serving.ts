// `graygate serve` as a real process on free ports with a policy of its own, for end-to-end tests.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';

export type LogLine = { readonly level: number; readonly msg: string; readonly [field: string]: unknown };

export type Serving = {
  readonly process: ChildProcess;
  readonly folder: string;
  readonly policyFile: string;
  readonly port: number;
  readonly adminUrl: string;
  readonly log: readonly LogLine[];
  /** Resolves with the exit code. */
  readonly exit: Promise<number | null>;
};

export type Cleanup = { after(fn: () => Promise<void> | void): void };

/** A folder that is gone after the test. */
export function temporaryFolder(t: Cleanup): string {
  const folder = mkdtempSync(join(tmpdir(), 'graygate-e2e-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts the gateway in `folder` (where its store is kept too) and waits until it is ready; it is killed after the test. */
export async function serve(t: Cleanup, folder: string, policy: string): Promise<Serving> {
  const policyFile = join(folder, 'graygate.yaml');
  writeFileSync(policyFile, policy);
  const bin = join(import.meta.dirname, '../../bin/graygate.js');
  const child = spawn(process.execPath, [bin, 'serve', '-c', policyFile], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => void child.kill('SIGKILL'));
  const exit = once(child, 'exit').then(([code]) => code as number | null);
  const log: LogLine[] = [];
  let complained = '';
  let partial = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complained += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (partial + text).split('\n');
    partial = lines.pop() ?? '';
    log.push(...lines.map((line) => JSON.parse(line) as LogLine));
  });
  const ready = await eventually('the gateway to be ready', () => {
    if (child.exitCode !== null)
      throw new Error(`graygate ended with ${child.exitCode}: ${complained}${JSON.stringify(log)}`);
    return log.find(({ msg }) => msg === 'graygate is ready');
  });
  const port = Number(new URL(String(ready['traffic'])).port);
  return { process: child, folder, policyFile, port, adminUrl: String(ready['admin']), log, exit };
}

export type Upstream = { readonly server: Server; readonly url: string };

/** An app server on a free port; closed after the test. */
export async function startUpstream(t: Cleanup, listener: RequestListener, port = 0): Promise<Upstream> {
  const server = createServer({ keepAliveTimeout: 60_000 }, listener).listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => stopUpstream({ server, url: '' }));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  return { server, url: `http://127.0.0.1:${address.port}` };
}

/** Closes a server and cuts its connections, as when its process is killed. */
export function stopUpstream({ server }: Upstream): void {
  server.close();
  server.closeAllConnections();
}
