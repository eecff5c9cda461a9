// How many client connections leave room for those to servers, by what the operating system lets this process have open.
import { readFile } from 'node:fs/promises';

/** Files, the store, the admin port. */
const reservedCount = 64;
/** Of what may be open this part is for servers: idle clients need none, busy ones one each. */
const serverShareRatio = 0.25;

/** Infinity where the limit cannot be read (it can on Linux). */
export async function connectionRoom(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'latin1').catch(() => '');
  return roomWithin(limits);
}

/** The room within limits as Linux writes them (`proc_pid_limits(5)`); at least one connection. */
export function roomWithin(limits: string): number {
  const openFiles = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  const reserved = Math.max(reservedCount, Math.ceil(openFiles * serverShareRatio));
  return openFiles === Infinity ? Infinity : Math.max(1, openFiles - reserved);
}
