// Which processes a process has started, and which of them have ended.
import { readdirSync, readFileSync } from 'node:fs';

/** The process IDs of the children of a process, in the order of their numbers; none of one that is gone. Linux only. */
export function childrenOf(pid: number): number[] {
  const all = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return all.filter((each) => standingOf(each)?.parent === pid).toSorted((a, b) => a - b);
}

/** Whether a process has ended and only its parent has not asked yet, as the first process of a container never may. */
export function isZombie(pid: number): boolean {
  return standingOf(pid)?.state === 'Z';
}

type Standing = { readonly state: string; readonly parent: number };

/** Null where the process is gone, or the system has no such files. */
function standingOf(pid: number): Standing | null {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state = '', parent] = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return null;
  }
}
