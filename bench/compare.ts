// graygate beside other proxies: the same load on each in turn, round after round, and what each spent on it. CPU time a
// request is the figure to trust on a machine whose cores the load and the upstream share.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../test/support/requirements.ts';
import { users, type Case } from './cases.ts';
import { findFreePort, killServers, startServer } from './children.ts';
import { contenders, type Contender } from './contenders.ts';
import { applyLoad, loadTool } from './load.ts';
import { parseOptions, type BenchOptions } from './options.ts';
import { measureHalfLoad } from './half-load.ts';
import { measureIdle } from './idle-connections.ts';
import { rolloutContenders } from './many-rollouts.ts';
import { measureTree } from './process-tree.ts';
import { reportTable, type Round } from './report.ts';
import type { Running } from './running.ts';
import { startUpstream } from './upstream.ts';

type Setting = { readonly folder: string; readonly stable: number; readonly canary: number };

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function compare(options: BenchOptions, folder: string): Promise<boolean> {
  const setting = { folder, stable: await findFreePort(), canary: await findFreePort() };
  const upstream = await startUpstream(folder, [setting.stable, setting.canary]);
  say(`case ${options.caseName}, ${options.rounds} rounds of ${options.seconds} s, ${options.connections} connections`);
  say(`load: ${loadTool}; upstream: ${upstream}; ${availableParallelism()} cores, ${cpus()[0]?.model ?? 'unknown'}`);
  const running: Running[] = [];
  for (const contender of chosenContenders(options)) running.push(await start(contender, setting));
  for (const proxy of running) await checkAnswer(proxy, options.case);
  const { text, isSound } = await measureCase(running, options, folder);
  say(`\n${text}`);
  return isSound;
}

type Finding = { readonly text: string; readonly isSound: boolean };

async function measureCase(running: readonly Running[], options: BenchOptions, folder: string): Promise<Finding> {
  for (const proxy of running) await measure(proxy, { ...options, seconds: Math.min(2, options.seconds) }, folder);
  if (options.caseName === 'idle-10k') return measureIdle(running, options.idleConnections);
  return options.caseName === 'p99' ? measureHalfLoad(running, options, folder) : measureCost(running, options, folder);
}

async function measureCost(running: readonly Running[], options: BenchOptions, folder: string): Promise<Finding> {
  const measured = new Map<string, Round[]>(running.map(({ name }) => [name, []]));
  for (let round = 0; round < options.rounds; round += 1) {
    for (const proxy of running) measured.get(proxy.name)?.push(await measure(proxy, options, folder));
  }
  const legend =
    'Medians over the rounds; × is CPU time a request against that proxy, the median of the ratios within a round.';
  return {
    text: `${reportTable(measured)}\n\n${legend}`,
    isSound: [...measured.values()].flat().every((round) => round.failures === 0),
  };
}

function chosenContenders({ only, caseName }: BenchOptions): Contender[] {
  const all = caseName === 'rollouts' ? rolloutContenders : contenders;
  const unknown = only.filter((name) => !all.some((contender) => contender.name === name));
  if (unknown.length > 0) throw new Error(`--only: there is no ${unknown.join(', ')}`);
  return all.filter(({ name, program }) => {
    if (only.length > 0 && !only.includes(name)) return false;
    const isInstalled = program === null || findProgram(program) !== null;
    if (!isInstalled) say(`${name} is not installed: left out`);
    return isInstalled;
  });
}

async function start(contender: Contender, { folder, stable, canary }: Setting): Promise<Running> {
  const place = join(folder, contender.name);
  mkdirSync(place);
  const port = await findFreePort();
  const { command, args, env } = contender.command({
    port,
    adminPort: await findFreePort(),
    stable: `127.0.0.1:${stable}`,
    canary: `127.0.0.1:${canary}`,
    folder: place,
  });
  return { name: contender.name, port, pid: await startServer({ name: contender.name, command, args, port }, env) };
}

/** A proxy that answers something else would be measured doing nothing. */
async function checkAnswer(
  { name, port }: Running,
  { method, path, requestBytes, responseBytes }: Case,
): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { 'x-user-id': users[0] ?? '' },
    ...(requestBytes > 0 ? { body: 'x'.repeat(requestBytes) } : {}),
  });
  const body = await answer.text();
  if (answer.status === 200 && body.length === responseBytes) return;
  throw new Error(`${name}: expected 200 with ${responseBytes} bytes, got ${answer.status} with ${body.length}`);
}

async function measure(proxy: Running, options: BenchOptions, folder: string): Promise<Round> {
  const { case: measuredCase, connections, seconds } = options;
  const before = measureTree(proxy.pid);
  const result = await applyLoad({ port: proxy.port, case: measuredCase, connections, seconds, folder });
  const after = measureTree(proxy.pid);
  return {
    cpuMicrosecondsPerRequest: (after.cpuMicroseconds - before.cpuMicroseconds) / result.requests,
    requestsPerSecond: result.requestsPerSecond,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    residentBytes: after.residentBytes,
    failures: result.failures,
  };
}

const folder = mkdtempSync(join(tmpdir(), 'graygate-bench-'));
process.on('exit', () => {
  killServers();
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));
try {
  const allAnswered = await compare(parseOptions(process.argv.slice(2)), folder);
  if (!allAnswered) say('some requests failed: the figures are not to be trusted');
  process.exit(allAnswered ? 0 : 1);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
