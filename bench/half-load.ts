// How late the latest are while a proxy is busy but not overrun: `npm run bench -- --case p99`. Every proxy gets the same requests a second,
// half of what graygate can take.
import type { BenchOptions } from './options.ts';
import { applyLoad } from './load.ts';
import { cases } from './cases.ts';
import { layOut } from './report.ts';
import { median, pairedRatio } from './statistics.ts';
import type { Running } from './running.ts';

type Latency = {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly requestsPerSecond: number;
  readonly failures: number;
};

const goalRatio = 2;

/** Measures the proxies in turn, round after round. Returns a table, and whether every request was answered. */
export async function measureHalfLoad(
  running: readonly Running[],
  options: BenchOptions,
  folder: string,
): Promise<{ text: string; isSound: boolean }> {
  const shape = { case: cases['get-1k'], connections: options.connections, seconds: options.seconds, folder };
  const own = running.find(({ name }) => name === 'graygate');
  if (own === undefined) throw new Error('--case p99: expected graygate among the proxies');
  const most = await applyLoad({ ...shape, port: own.port });
  const ratePerSecond = most.requestsPerSecond / 2;
  const measured = new Map<string, Latency[]>(running.map(({ name }) => [name, []]));
  for (let round = 0; round < options.rounds; round += 1) {
    for (const { name, port } of running) measured.get(name)!.push(await applyLoad({ ...shape, port, ratePerSecond }));
  }
  const text = [
    `half load: ${ratePerSecond.toFixed(0)} requests a second`,
    latencyTable(measured),
    `goal: p99 within ${goalRatio} x that of nginx`,
  ];
  return { text: text.join('\n'), isSound: [...measured.values()].flat().every(({ failures }) => failures === 0) };
}

function latencyTable(measured: ReadonlyMap<string, readonly Latency[]>): string {
  const nginx = measured.get('nginx')?.map(({ p99Ms }) => p99Ms) ?? [];
  const rows = [...measured].map(([name, rounds]) => [
    name,
    median(rounds.map((round) => round.requestsPerSecond)).toFixed(0),
    median(rounds.map((round) => round.p50Ms)).toFixed(2),
    median(rounds.map((round) => round.p99Ms)).toFixed(2),
    nginx.length === 0
      ? ''
      : pairedRatio(
          rounds.map((round) => round.p99Ms),
          nginx,
        ).toFixed(2),
  ]);
  return layOut([['proxy', 'req/s', 'p50 ms', 'p99 ms', 'p99 × nginx'], ...rows]);
}
