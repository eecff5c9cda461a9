// Asks a running gateway which metrics it has.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { metricsIn } from './real-surface.ts';

const policy = `
version: 1
listen: 127.0.0.1:0
admin: { listen: 127.0.0.1:0 }
rollouts:
  - name: shop
    versions:
      stable: { servers: [http://127.0.0.1:1] }
      canary: { servers: [http://127.0.0.1:2] }
    split: { canary: 10 }
`;

/** Starts `graygate serve`, scrapes it once and ends it. Returns graygate's own metrics, sorted. */
export async function scrapeRealMetrics(): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'graygate-metrics-'));
  const file = join(folder, 'policy.yaml');
  writeFileSync(file, policy);
  const gateway = spawn(process.execPath, ['bin/graygate.js', 'serve', '--config', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const admin = await readAdminAddress(gateway.stdout);
    const answer = await fetch(`${admin}/metrics`);
    return metricsIn(await answer.text());
  } finally {
    gateway.kill('SIGTERM');
    if (gateway.exitCode === null) await once(gateway, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function readAdminAddress(log: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: log })) {
    const entry: { msg?: string; admin?: string } = JSON.parse(line);
    if (entry.msg !== 'graygate is ready') continue;
    const address = entry.admin ?? '';
    return address.startsWith('http') ? address : `http://${address}`;
  }
  throw new Error('graygate ended before it was ready');
}
