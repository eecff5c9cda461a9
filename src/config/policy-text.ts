// The bytes of a policy file as text: UTF-8, within a sane size. Refuses before anything is parsed.
import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import type { Problem } from './problem.ts';

/** Lists of users, which are all that can make a policy longer, belong in files of their own. */
const maxPolicyBytes = 1_048_576;

/** The bytes of a file, at most one more than a policy may have. Rejects with the error of the file system. */
export async function readPolicyBytes(path: string): Promise<Buffer> {
  await using handle = await open(path);
  if ((await handle.stat()).isDirectory()) throw Object.assign(new Error('is a folder'), { code: 'EISDIR' });
  const chunks: Buffer[] = [];
  let length = 0;
  while (length <= maxPolicyBytes) {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(65_536));
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    length += bytesRead;
  }
  return Buffer.concat(chunks);
}

/** The text that the bytes spell, without a byte order mark; or what is wrong with them. */
export function decodePolicy(
  file: string,
  bytes: Buffer,
): { ok: true; text: string } | { ok: false; problem: Problem } {
  if (bytes.length > maxPolicyBytes) {
    const problem = `larger than ${maxPolicyBytes} bytes`;
    return {
      ok: false,
      problem: { file, line: 1, column: 1, path: '', problem, hint: 'put lists of users into files' },
    };
  }
  if (!isUtf8(bytes)) {
    const place = placeOfBadByte(bytes);
    return { ok: false, problem: { file, ...place, path: '', problem: 'not UTF-8', hint: 'save the file as UTF-8' } };
  }
  return { ok: true, text: bytes.toString('utf8').replace(/^\u{feff}/u, '') };
}

function placeOfBadByte(bytes: Buffer): { line: number; column: number } {
  let line = 1;
  let start = 0;
  for (
    let end = bytes.indexOf(0x0a);
    end !== -1 && isUtf8(bytes.subarray(start, end));
    end = bytes.indexOf(0x0a, start)
  ) {
    start = end + 1;
    line += 1;
  }
  return { line, column: bytes.subarray(start).toString('utf8').indexOf('\u{fffd}') + 1 };
}
