// Lists of user IDs in files of their own: streamed, so that a million lines neither block the loop nor are held twice.
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { ByteString } from '../rollout/policy.ts';

export type UserFile =
  | { readonly ok: true; readonly users: ReadonlySet<ByteString>; readonly digest: string }
  | { readonly ok: false; readonly line: number; readonly problem: string; readonly hint: string };

/** A Set of the platform holds a little more than this. */
const maxUsers = 16_000_000;

/** Bytes of the longest line; a longer one is not a list of IDs. */
const maxLineBytes = 4_096;

/**
 * Reads one ID a line as bytes. UTF-8 with or without a byte order mark, LF or CRLF; white space around an ID, blank lines and
 * lines that begin with `#` do not count. Rejects with the error of the file system when the file cannot be read.
 */
export async function readUserFile(path: string): Promise<UserFile> {
  const users = new Set<ByteString>();
  const hash = createHash('sha256');
  let line = 0;
  let rest = '';
  // latin1 is one char a byte: the form in which IDs are compared.
  for await (const chunk of createReadStream(path, { encoding: 'latin1' }) as AsyncIterable<string>) {
    hash.update(chunk, 'latin1');
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) {
      line += 1;
      const problem = addUser(users, text, line);
      if (problem !== null) return { ok: false, line, ...problem };
    }
    if (rest.length > maxLineBytes) return { ok: false, line: line + 1, ...tooLong };
  }
  const problem = addUser(users, rest, line + 1);
  return problem === null ? { ok: true, users, digest: hash.digest('hex') } : { ok: false, line: line + 1, ...problem };
}

type LineProblem = { readonly problem: string; readonly hint: string };

const tooLong: LineProblem = { problem: `a line longer than ${maxLineBytes} bytes`, hint: 'write one user ID a line' };

function addUser(users: Set<ByteString>, text: string, line: number): LineProblem | null {
  const id = (line === 1 && text.startsWith('\xef\xbb\xbf') ? text.slice(3) : text).replace(/^[ \t]+|[ \t\r]+$/g, '');
  if (id === '' || id.startsWith('#')) return null;
  if (id.length > maxLineBytes) return tooLong;
  if (/[\x80-\xff]/.test(id) && !isUtf8(Buffer.from(id, 'latin1'))) {
    return { problem: 'not UTF-8', hint: 'save the file as UTF-8' };
  }
  if (users.size >= maxUsers) return { problem: `more than ${maxUsers} users`, hint: 'use a header or a smaller list' };
  users.add(id);
  return null;
}
