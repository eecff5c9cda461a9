// What the link between the control process and its workers costs: CPU a request, and a connection, of each side, beside one process.
// `node bench/workers.ts [SECONDS]`; Linux only. With as many cores as processes it would also say how many requests they serve.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cases } from './cases.ts';
import { findFreePort, killServers, startServer } from './children.ts';
import { applyLoad, loadTool } from './load.ts';
import { measureTree, parseStat } from './process-tree.ts';
import { startUpstream } from './upstream.ts';

const seconds = Number(process.argv[2] ?? 4);
const clientCount = 16;

type Used = { readonly controlMicroseconds: number; readonly workerMicroseconds: number; readonly count: number };

const folder = mkdtempSync(join(tmpdir(), 'graygate-bench-'));
try {
  const upstreams = [await findFreePort(), await findFreePort()] as const;
  const upstream = await startUpstream(folder, upstreams);
  process.stdout.write(`upstream ${upstream}, load by ${loadTool}; microseconds of CPU\n`);
  for (const workers of [1, 2]) await measure(workers, upstreams);
} finally {
  killServers();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(workers: number, [stable, canary]: readonly [number, number]): Promise<void> {
  const port = await findFreePort();
  const pid = await startServer(
    {
      name: 'graygate',
      command: process.execPath,
      args: ['bin/graygate.js', 'serve', '-c', 'bench/graygate.yaml'],
      port,
    },
    {
      BENCH_WORKERS: String(workers),
      BENCH_LISTEN: `127.0.0.1:${port}`,
      BENCH_ADMIN_LISTEN: `127.0.0.1:${await findFreePort()}`,
      BENCH_STABLE: `http://127.0.0.1:${stable}`,
      BENCH_CANARY: `http://127.0.0.1:${canary}`,
      BENCH_STORE: `sqlite:${join(folder, `${workers}.db`)}`,
    },
  );
  const load = { port, case: cases['get-1k'], connections: 64, folder };
  await applyLoad({ ...load, seconds: 2 });
  const kept = await usedBy(pid, async () => (await applyLoad({ ...load, seconds })).requests);
  say(workers, 'a request on kept connections', kept);
  say(workers, 'a request on a connection of its own', await usedBy(pid, () => connectAnew(port)));
}

async function usedBy(pid: number, work: () => Promise<number>): Promise<Used> {
  const before = usageOf(pid);
  const count = await work();
  // What was done is reported and counted a moment later.
  await sleep(200);
  const after = usageOf(pid);
  return {
    controlMicroseconds: (after.controlMicroseconds - before.controlMicroseconds) / count,
    workerMicroseconds: (after.workerMicroseconds - before.workerMicroseconds) / count,
    count,
  };
}

function usageOf(pid: number): Used {
  const controlMicroseconds = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8')).cpuMicroseconds;
  return { controlMicroseconds, workerMicroseconds: measureTree(pid).cpuMicroseconds - controlMicroseconds, count: 0 };
}

/** Clients that open a connection for every request; how many requests they sent. */
async function connectAnew(port: number): Promise<number> {
  const untilMs = performance.now() + seconds * 1_000;
  let count = 0;
  const client = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      await get(port);
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: clientCount }, client));
  return count;
}

function get(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'x-user-id': 'user-1' };
    request({ port, host: '127.0.0.1', path: '/1k', agent: false, headers }, (answer) => {
      answer.resume().on('end', resolve);
    })
      .on('error', reject)
      .end();
  });
}

function say(workers: number, what: string, { controlMicroseconds, workerMicroseconds, count }: Used): void {
  const figures =
    workers === 1
      ? `${controlMicroseconds.toFixed(0)} in one process`
      : `${workerMicroseconds.toFixed(0)} in the worker and ${controlMicroseconds.toFixed(1)} in the control process`;
  process.stdout.write(`workers: ${workers}, ${what}: ${figures}; ${count} requests\n`);
}
