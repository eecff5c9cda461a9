// The prefixes of a path on segment borders: what lets rollouts and rules be looked up by path instead of tried one by one.
import type { ByteString } from './policy.ts';

/** Bytes of the longest prefix that a set of policies names; 0 for none. */
export function longestOf(prefixes: Iterable<ByteString>): number {
  let longest = 0;
  for (const prefix of prefixes) longest = Math.max(longest, prefix.length);
  return longest;
}

/**
 * Every prefix on a segment border that is at most `longest` bytes, `''` first: `/a/b/` gives `''`, `/a`, `/a/b` and itself.
 * A policy's prefix holds a path exactly if it is one of these. Cost: linear in `longest`, whatever the client sends.
 */
export function prefixesOf(path: ByteString, longest: number): ByteString[] {
  const prefixes: ByteString[] = [''];
  if (longest === 0) return prefixes;
  for (let at = path.indexOf('/', 1); at !== -1 && at <= longest; at = path.indexOf('/', at + 1)) {
    prefixes.push(path.slice(0, at));
  }
  if (path !== '' && path.length <= longest) prefixes.push(path);
  return prefixes;
}
