// Reads of files that somebody may be writing: a read counts only if the file was the same before and after it.
import { stat } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

/** Tries before a file that keeps changing is given up, and the pause between two. */
const maxTries = 40;
const pauseMs = 25;

/**
 * What `read` makes of the file, once size and time of change agree before and after. Rejects with the error of the file
 * system, or when the file still changes after a second of trying.
 */
export async function readStable<T>(path: string, read: (path: string) => Promise<T>): Promise<T> {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const before = await signatureOf(path);
    const result = await read(path);
    if ((await signatureOf(path)) === before) return result;
    await wait(pauseMs);
  }
  throw new Error(`the file changes while it is read`);
}

/** What tells one state of a file from the next without reading it. Rejects where there is no file. */
export async function signatureOf(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
  return [dev, ino, size, mtimeNs].join(':');
}

/** Why a file cannot be read, without its path: `no such file`. */
export function readFailure(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known: Readonly<Record<string, string>> = {
    ENOENT: 'no such file',
    ENOTDIR: 'no such file',
    EACCES: 'no permission',
    EPERM: 'no permission',
    EISDIR: 'it is a folder',
    ELOOP: 'its symbolic links lead in a circle',
  };
  return known[code] ?? (code === '' && error instanceof Error ? error.message : code);
}
