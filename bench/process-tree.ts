// What a process and all its descendants have used, read from /proc. Linux only.
import { readdirSync, readFileSync } from 'node:fs';

/** Linux reports CPU time in hundredths of a second on every platform that Node.js runs on (`getconf CLK_TCK`). */
const microsecondsPerTick = 10_000;

export type ProcessStat = { readonly pid: number; readonly parent: number; readonly cpuMicroseconds: number };

export type Usage = {
  /** User and system time since each process began. */
  readonly cpuMicroseconds: number;
  /** Resident memory added up; pages that processes share count once a process. */
  readonly residentBytes: number;
};

/** Reads one line of /proc/PID/stat. The name, in parentheses, may hold spaces and parentheses itself. */
export function parseStat(line: string): ProcessStat {
  const pid = Number(line.slice(0, line.indexOf(' ')));
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { pid, parent: Number(fields[1]), cpuMicroseconds: ticks * microsecondsPerTick };
}

/** The process `root` and everything below it. */
export function treeOf(root: number, processes: readonly ProcessStat[]): ProcessStat[] {
  const own = processes.filter(({ pid }) => pid === root);
  const below = processes.filter(({ parent }) => parent === root).flatMap(({ pid }) => treeOf(pid, processes));
  return [...own, ...below];
}

/** What the tree under `root` has used so far. Cost: one read a process of the machine. */
export function measureTree(root: number): Usage {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => readOrNothing(`/proc/${pid}/stat`).map(parseStat));
  const tree = treeOf(root, processes);
  if (tree.length === 0) throw new Error(`process ${root} is gone`);
  return {
    cpuMicroseconds: tree.reduce((sum, each) => sum + each.cpuMicroseconds, 0),
    residentBytes: tree.reduce((sum, { pid }) => sum + residentBytesOf(pid), 0),
  };
}

function residentBytesOf(pid: number): number {
  const status = readOrNothing(`/proc/${pid}/status`).join('');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

/** A process may end between the listing and the read. */
function readOrNothing(path: string): string[] {
  try {
    return [readFileSync(path, 'utf8')];
  } catch {
    return [];
  }
}
