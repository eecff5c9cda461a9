// Whose decisions are simulated: made-up users, or those of a log, each once.
import { open } from 'node:fs/promises';
import { toByteString } from '../config/byte-string.ts';
import { GraygateError } from '../errors.ts';
import { isUsableId } from '../rollout/identity.ts';
import type { ByteString } from '../rollout/policy.ts';

/** IDs by the rollout that they were logged for; `''`: for whichever. `anonymousCount`: requests without an ID. */
export type LoggedUsers = {
  readonly byRollout: ReadonlyMap<string, ReadonlySet<ByteString>>;
  readonly anonymousCount: number;
};

/** `user-1`, `user-2`, … */
export function madeUpUsers(count: number): ByteString[] {
  return Array.from({ length: count }, (_, i) => `user-${i + 1}`);
}

/**
 * The users in a file: lines of graygate's access log (JSON with `user` and `rollout`; other lines of the log do not count), or
 * one ID a line. Throws `usage` where the file cannot be read.
 */
export async function loggedUsers(path: string): Promise<LoggedUsers> {
  const byRollout = new Map<string, Set<ByteString>>();
  let anonymousCount = 0;
  for await (const line of linesOf(path)) {
    const entry = line.startsWith('{') ? requestIn(line) : { rollout: '', user: line };
    if (entry === null) continue;
    const id = entry.user === null ? undefined : toByteString(entry.user);
    if (!isUsableId(id)) {
      anonymousCount += 1;
      continue;
    }
    const users = byRollout.get(entry.rollout) ?? new Set<ByteString>();
    byRollout.set(entry.rollout, users.add(id));
  }
  return { byRollout, anonymousCount };
}

/** The users that a rollout decided for, and those of no particular rollout. */
export function usersOfRollout({ byRollout }: LoggedUsers, name: string): ByteString[] {
  return [...new Set([...(byRollout.get(name) ?? []), ...(byRollout.get('') ?? [])])];
}

async function* linesOf(path: string): AsyncGenerator<string> {
  try {
    const file = await open(path);
    for await (const line of file.readLines()) if (line.trim() !== '') yield line.trim();
  } catch (cause) {
    const { message } = cause instanceof Error ? cause : new Error(String(cause));
    throw new GraygateError('usage', `expected --log to be a file that can be read: ${message}`, { cause });
  }
}

/** What the line says of a request that a rollout took; null for any other line. */
function requestIn(line: string): { rollout: string; user: string | null } | null {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof entry !== 'object' || entry === null || !('user' in entry)) return null;
  const { user, rollout }: { user: unknown; rollout?: unknown } = entry;
  if (typeof user !== 'string' && user !== null) return null;
  return { rollout: typeof rollout === 'string' ? rollout : '', user };
}
