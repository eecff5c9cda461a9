// Which processes a process has started.
import { readFileSync } from 'node:fs';

/** The process IDs of the children of a process, the oldest first; none of one that is gone. Linux only. */
export function childrenOf(pid: number): number[] {
  return readOrNothing(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
