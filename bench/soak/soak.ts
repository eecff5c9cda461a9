// `npm run soak`: mixed traffic through a real gateway with workers and TLS while its servers are killed and stalled, its policy
// changed and broken, and its workers killed. Prints what became of the requests, and fails on what should not have happened.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { findFreePort } from '../children.ts';
import { measureTree } from '../process-tree.ts';
import { Clients, crowd } from './clients.ts';
import { policyText, type SoakPlace } from './policy.ts';
import type { MemoryRecord, RequestKind, RequestRecord, TroubleRecord } from './record.ts';
import { AppServers, makeTrouble } from './troubles.ts';
import { countFailures, fallenCounters, judgeMemory, type Scrape, wrongSums } from './verdict.ts';

const lookEveryMs = 10_000;

type Findings = {
  readonly requests: RequestRecord[];
  readonly troubles: TroubleRecord[];
  readonly memory: MemoryRecord[];
  readonly wrong: string[];
};

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, workers: { type: 'string', default: '2' } },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error(`--minutes: expected a number above 0, got "${values.minutes}"`);

const place = await choosePlace(Number(values.workers));
const servers = new AppServers();
const clients = new Clients(place.ports.traffic);
const found: Findings = { requests: [], troubles: [], memory: [], wrong: [] };
await writeFile(place.policyFile, policyText(place, { percent: 20, leavesOut: false }));
for (const port of [...place.ports.stable, ...place.ports.canary]) servers.start(port);
const gateway = spawn(process.execPath, ['bin/graygate.js', 'serve', '-c', place.policyFile], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
let lastSaid = '';
gateway.stdout.setEncoding('utf8').on('data', (text: string) => (lastSaid = (lastSaid + text).slice(-4_000)));
gateway.once('exit', (code, signal) => {
  if (!isOver) fail(`the gateway ended by itself: ${code ?? signal}; last it said ${lastSaid}`);
});
let isOver = false;
try {
  await untilReady();
  await run();
  await atRest();
  report();
} finally {
  isOver = true;
  clients.stop();
  gateway.kill('SIGTERM');
  servers.stop();
  await sleep(500);
  rmSync(place.folder, { recursive: true, force: true });
}
process.exit(process.exitCode ?? 0);

async function choosePlace(workers: number): Promise<SoakPlace> {
  const folder = mkdtempSync(join(tmpdir(), 'graygate-soak-'));
  const ports: number[] = [];
  while (ports.length < 7) {
    const port = await findFreePort();
    if (!ports.includes(port)) ports.push(port);
  }
  const [traffic, admin, ...others] = ports as [number, number, ...number[]];
  return {
    folder,
    policyFile: join(folder, 'policy.yaml'),
    ports: { traffic, admin, stable: others.slice(0, 3), canary: others.slice(3) },
    workers,
    certificate: { cert: resolve('test/certificates/shop.pem'), key: resolve('test/certificates/shop.key') },
  };
}

async function untilReady(): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${place.ports.admin}/readyz`).catch(() => null);
    if (answer?.ok) return sleep(1_000);
    if (Date.now() > deadline) throw new Error('the gateway is not ready after 30 s');
    await sleep(100);
  }
}

async function run(): Promise<void> {
  const stop = new AbortController();
  const loops = crowd.flatMap(({ kind, clients: count, restMs }) =>
    Array.from({ length: count }, () => requestAfterRequest(kind, restMs, stop.signal)),
  );
  const system = {
    place,
    servers,
    gatewayPid: gateway.pid!,
    noted: (record: TroubleRecord) => void found.troubles.push(record),
  };
  const trouble = makeTrouble(system, stop.signal);
  const looking = look(stop.signal);
  await sleep(minutes * 60_000);
  stop.abort();
  await Promise.all([...loops, trouble, looking]);
}

async function requestAfterRequest(kind: RequestKind, restMs: number, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    found.requests.push(await clients.make(kind));
    await sleep(Math.random() * 2 * restMs);
  }
}

/** Memory and counters, every ten seconds, and a line for whoever waits. */
async function look(stop: AbortSignal): Promise<void> {
  let before: Scrape = new Map();
  while (!stop.aborted) {
    const { residentBytes } = measureTree(gateway.pid!);
    found.memory.push({ atMs: Date.now(), residentBytes });
    const now = await scrape();
    found.wrong.push(...fallenCounters(before, now));
    before = now;
    const failed = found.requests.filter(({ failure }) => failure !== null).length;
    const last = found.troubles.at(-1);
    print(
      `${time(found.memory[0]!.atMs)}  ${found.requests.length} requests, ${failed} failed, ` +
        `${Math.round(residentBytes / 2 ** 20)} MiB${last === undefined ? '' : `, last: ${last.trouble} ${last.what}`}`,
    );
    await sleep(lookEveryMs, undefined, { signal: stop }).catch(() => undefined);
  }
}

/** Once nothing is under way the figures must add up. */
async function atRest(): Promise<void> {
  const begun = found.requests.length;
  const answered = found.requests.filter(({ status, kind }) => status !== null && kind !== 'leave').length;
  const workersKilled = found.troubles.filter(({ trouble }) => trouble === 'worker killed').length;
  const deadline = Date.now() + 20_000;
  for (;;) {
    const wrong = wrongSums(await scrape(), { answered, begun, workersKilled });
    if (wrong.length === 0) return;
    if (Date.now() > deadline) return void found.wrong.push(...wrong);
    await sleep(500);
  }
}

async function scrape(): Promise<Scrape> {
  const answer = await fetch(`http://127.0.0.1:${place.ports.admin}/metrics`);
  const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

function report(): void {
  const { requests, troubles, memory, wrong } = found;
  print(`\n${minutes} minutes, ${place.workers} workers, ${requests.length} requests, ${troubles.length} troubles`);
  for (const { kind } of crowd) {
    const own = requests.filter((request) => request.kind === kind);
    const durations = own.map(({ beganMs, endedMs }) => endedMs - beganMs).toSorted((a, b) => a - b);
    const at = (share: number): number => durations[Math.floor(durations.length * share)] ?? 0;
    const failed = own.filter(({ failure }) => failure !== null).length;
    print(
      `  ${kind.padEnd(10)} ${String(own.length).padStart(8)}   failed ${failed}   p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
    );
  }
  print('failures by cause (excused: a trouble made them unavoidable)');
  for (const { failure, excused, unexcused } of countFailures(requests, troubles)) {
    print(`  ${failure}: ${excused} excused, ${unexcused} not`);
    if (unexcused > 0) fail(`${unexcused} requests failed though a healthy server could have served them: ${failure}`);
  }
  print('memory of all processes');
  const step = Math.max(1, Math.floor(memory.length / 12));
  for (let i = 0; i < memory.length; i += step) {
    print(`  ${time(memory[0]!.atMs, memory[i]!.atMs)}  ${Math.round(memory[i]!.residentBytes / 2 ** 20)} MiB`);
  }
  const { leaks, text } = judgeMemory(memory);
  print(`  ${text}`);
  if (leaks) fail(`memory grows: ${text}`);
  for (const sentence of wrong) fail(sentence);
  print(process.exitCode === 1 ? '\nthe soak failed' : '\nthe soak is passed');
}

function time(fromMs: number, atMs = Date.now()): string {
  const seconds = Math.round((atMs - fromMs) / 1_000);
  return `${String(Math.floor(seconds / 60)).padStart(3)}:${String(seconds % 60).padStart(2, '0')}`;
}

function fail(sentence: string): void {
  process.exitCode = 1;
  print(`FAILED: ${sentence}`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
