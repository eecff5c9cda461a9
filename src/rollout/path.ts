// Percent-encoding: the one form in which paths are compared, and the decoding of cookie and query values.
// Only for matching; what is forwarded is the client's bytes.
import type { ByteString } from './policy.ts';

const needsWork = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/]|\/\/|\/\.\.?(?:\/|$)/;
const unreserved = /[A-Za-z0-9\-._~]/;
const legalInPath = /[A-Za-z0-9\-._~!$&'()*+,;=:@/]/;
const hexDigit = /[0-9A-Fa-f]/;

/**
 * Brings the path of a request target (without the query) to the form that policies are matched in; never throws, idempotent.
 *
 * RFC 3986 6.2.2: unreserved escapes decoded once (`%2541` stays), other escapes upper case, bytes that a path may not
 * hold raw escaped (so a raw UTF-8 path equals its escaped form), dot segments removed, also when written `%2e`.
 * Choices, each so that another spelling of a path does not slip past its rule:
 * - `//` counts as `/` (as in nginx and Caddy), before dot segments are removed: `/a//../b` is `/b`;
 * - `%2F` and `%5C` are not separators, a backslash is not a slash: they stay one segment, as for most servers;
 * - `;` is an ordinary character (RFC 3986 3.3): `/item;v=1` is not below `/item`, `/..;/` climbs nowhere;
 * - a broken escape (`%zz`) stays, and no decoding next to it makes it a valid one (`%%34e` stays).
 * An empty path is `/`; a target that is not a path (`*`) comes back as it is.
 */
export function normalizePath(path: ByteString): ByteString {
  if (path === '') return '/';
  if (path.charCodeAt(0) !== 0x2f || !needsWork.test(path)) return path;
  return removeDotSegments(normalizeEscapes(path));
}

/** Decodes every `%XX` to its byte; malformed sequences and `+` stay as they are. Returns the same string when there is nothing to do. */
export function decodePercent(text: string): ByteString {
  if (!text.includes('%')) return text;
  return text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** `path` is a prefix on a segment border: `/item` holds `/item` and `/item/1`, not `/items`; `''` holds everything. */
export function isPathWithin(path: ByteString, prefix: ByteString): boolean {
  if (!path.startsWith(prefix)) return false;
  return prefix === '' || path.length === prefix.length || path.charCodeAt(prefix.length) === 0x2f;
}

function normalizeEscapes(path: ByteString): ByteString {
  let out = '';
  // A hex digit decoded here would complete a broken escape.
  let broken = false;
  for (let i = 0; i < path.length; i += 1) {
    const char = path[i]!;
    const byte = char === '%' ? escapedByte(path, i) : path.charCodeAt(i);
    const isEscape = char === '%' && byte >= 0;
    if (isEscape) i += 2;
    const plain = byte < 0 ? '%' : String.fromCharCode(byte);
    const keepsEscape = isEscape && (!unreserved.test(plain) || (broken && hexDigit.test(plain)));
    if (keepsEscape || (!isEscape && byte >= 0 && !legalInPath.test(plain))) out += escapeByte(byte);
    else out += plain;
    // True after the bare `%` itself and after one raw hex digit that follows it.
    broken = byte < 0 || (broken && !isEscape && hexDigit.test(char) && path[i - 1] === '%');
  }
  return out;
}

/** The byte that the escape at `at` stands for; -1 if it is broken. */
function escapedByte(path: ByteString, at: number): number {
  const hex = path.slice(at + 1, at + 3);
  return /^[0-9A-Fa-f]{2}$/.test(hex) ? Number.parseInt(hex, 16) : -1;
}

function escapeByte(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** RFC 3986 5.2.4 on merged slashes. */
function removeDotSegments(path: ByteString): ByteString {
  const segments = path.split('/');
  const kept: string[] = [];
  for (const segment of segments) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  const last = segments.at(-1)!;
  const isFolder = last === '' || last === '.' || last === '..';
  return `/${kept.join('/')}${isFolder && kept.length > 0 ? '/' : ''}`;
}
