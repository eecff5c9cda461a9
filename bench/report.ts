// The figures of a run as a table for a person.
import { median, pairedRatio } from './statistics.ts';

export type Round = {
  readonly cpuMicrosecondsPerRequest: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly residentBytes: number;
  readonly failures: number;
};

/** Rounds by the proxy's name; all of one length. */
export type Measured = ReadonlyMap<string, readonly Round[]>;

/** Those that the others are compared with. */
const references = ['nginx', 'caddy', 'bare', '1 rollout'];

/** A line a proxy: medians over its rounds, and its CPU time a request against each reference, paired by round. */
export function reportTable(measured: Measured): string {
  const present = references.filter((name) => measured.has(name));
  const head = [
    'proxy',
    'CPU µs/req',
    'req/s',
    'p50 ms',
    'p99 ms',
    'RSS MB',
    'failed',
    ...present.map((name) => `× ${name}`),
  ];
  const rows = [...measured].map(([name, rounds]) => {
    const of = (figure: keyof Round): number => median(rounds.map((round) => round[figure]));
    const cpu = rounds.map((round) => round.cpuMicrosecondsPerRequest);
    const ratios = present.map((reference) => {
      const other = measured.get(reference)?.map((round) => round.cpuMicrosecondsPerRequest) ?? [];
      return pairedRatio(cpu, other).toFixed(2);
    });
    const figures = [
      name,
      of('cpuMicrosecondsPerRequest').toFixed(1),
      of('requestsPerSecond').toFixed(0),
      of('p50Ms').toFixed(2),
      of('p99Ms').toFixed(2),
      (of('residentBytes') / 1e6).toFixed(0),
      `${rounds.reduce((sum, round) => sum + round.failures, 0)}`,
    ];
    return figures.concat(ratios);
  });
  return layOut([head, ...rows]);
}

/** Rows as text: the first column to the left, figures to the right. */
export function layOut(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ');
  return rows.map(line).join('\n');
}
