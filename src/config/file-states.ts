// How files look from outside: whether they changed, and whether the one who writes them seems to be done.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { signatureOf } from './stable-read.ts';

/** Signature a file; `absent` for one that cannot be seen. */
export type Signatures = ReadonlyMap<string, string>;

/** What can be seen of a file's content without understanding it. */
export type Outline = { readonly lines: number; readonly lastLine: string; readonly isEnded: boolean };

const keptTailBytes = 4_096;

/** The signatures of files as they are now. */
export async function signaturesOf(files: readonly string[]): Promise<Signatures> {
  const entries = files.map(async (file) => [file, await signatureOf(file).catch(() => 'absent')] as const);
  return new Map(await Promise.all(entries));
}

/** The files whose signature is not what it was. */
export function changedFiles(before: Signatures, now: Signatures): string[] {
  return [...now].filter(([file, signature]) => before.get(file) !== signature).map(([file]) => file);
}

/** Milliseconds since the file was last written, 0 where that cannot be told. */
export async function ageMs(file: string, nowMs: number): Promise<number> {
  const entry = await stat(file).catch(() => null);
  return entry === null ? 0 : Math.max(0, nowMs - entry.mtimeMs);
}

/** Reads the outline of a file; null where it cannot be read. */
export async function outlineOf(file: string): Promise<Outline | null> {
  let lines = 0;
  let tail = '';
  try {
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      for (let at = chunk.indexOf(0x0a); at !== -1; at = chunk.indexOf(0x0a, at + 1)) lines += 1;
      tail = (tail + chunk.subarray(-keptTailBytes).toString('latin1')).slice(-keptTailBytes);
    }
  } catch {
    return null;
  }
  return { lines, lastLine: tail.trimEnd().split('\n').at(-1) ?? '', isEnded: tail.endsWith('\n') };
}

/**
 * Whether a file may be the first part of what is being written: gone, empty, cut within the last line, or shorter with another
 * end. A file cut at a line can be valid YAML that says less than its writer means.
 */
export function looksUnfinished(before: Outline | null, now: Outline | null): boolean {
  if (now === null || now.lastLine === '') return true;
  if (before === null) return !now.isEnded;
  if (before.isEnded && !now.isEnded) return true;
  return now.lines < before.lines && now.lastLine !== before.lastLine;
}
