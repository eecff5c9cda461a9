// A real Prometheus of its own folder and port that scrapes one exporter, for tests of queries.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { eventually } from '../support/eventually.ts';
import { findProgram } from '../support/requirements.ts';

export type Exporter = { metrics: string; readonly port: number; close(): Promise<void> };
export type Prometheus = { readonly url: string; close(): Promise<void> };

/** Serves whatever `metrics` is now, in the text format. */
export async function openExporter(metrics: string): Promise<Exporter> {
  const exporter = { metrics, port: 0, close: async () => undefined };
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(exporter.metrics);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (typeof address === 'object' && address !== null) exporter.port = address.port;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return Object.assign(exporter, { close });
}

/** Starts Prometheus and waits until it answers queries. It scrapes the exporter every 3 s, and waits as long for an answer. */
export async function openPrometheus(exporter: Exporter): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'graygate-prometheus-'));
  const targets = `static_configs: [{ targets: ['127.0.0.1:${exporter.port}'] }]`;
  const config = `scrape_configs:\n  - { job_name: app, scrape_interval: 3s, scrape_timeout: 3s, ${targets} }\n`;
  await writeFile(join(folder, 'prometheus.yml'), config);
  const child = spawn(
    findProgram('prometheus')!,
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      '--web.listen-address=127.0.0.1:0',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const url = await urlIn(child.stderr);
  await eventually('Prometheus to be ready', async () => isReady(url));
  return {
    url,
    async close() {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function isReady(url: string): Promise<boolean> {
  const response = await fetch(`${url}/-/ready`).catch(() => null);
  return response?.ok ?? false;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/** Where it says in its log that it listens; the rest of the log is read and left. */
async function urlIn(log: Readable): Promise<string> {
  let said = '';
  log.setEncoding('utf8').on('data', (text: string) => (said += text));
  const found = await eventually('the port', () => /"Listening on" address=(127\.0\.0\.1:\d+)/.exec(said)?.[1]);
  return `http://${found}`;
}
