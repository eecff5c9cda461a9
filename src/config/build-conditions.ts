// From checked conditions and matchers to the typed ones, with text as the bytes it is compared in.
import { toByteString } from './byte-string.ts';
import { CidrSet } from './ip-set.ts';
import type { MatcherDocument, WhenDocument } from './rule-schema.ts';
import { normalizePath } from '../rollout/path.ts';
import type { ByteString } from '../rollout/policy.ts';
import type { Condition, Matcher } from '../rollout/rule.ts';

/** The IDs of a named file, by its name in the policy. */
export type UsersOf = (file: string) => ReadonlySet<ByteString>;

/** The conditions of a `when`. */
export function buildConditions(when: WhenDocument, usersOf: UsersOf): Condition[] {
  const conditions: Condition[] = [];
  if (when.user !== undefined) conditions.push({ on: 'user', matches: buildMatcher(when.user, usersOf) });
  if (when.ip !== undefined) conditions.push({ on: 'ip', within: new CidrSet(listed(when.ip)) });
  if (when.method !== undefined) conditions.push({ on: 'method', matches: buildMatcher(when.method, usersOf) });
  if (when.path !== undefined) conditions.push({ on: 'path', prefixes: listed(when.path).map(toPathPrefix) });
  if (when.host !== undefined) conditions.push({ on: 'host', matches: buildMatcher(lowerCase(when.host), usersOf) });
  for (const on of ['header', 'cookie', 'query', 'jwt'] as const) {
    for (const [key, matcher] of Object.entries(when[on] ?? {})) {
      const name = on === 'header' ? key.toLowerCase() : on === 'jwt' ? key : toByteString(key);
      conditions.push({ on, name, matches: buildMatcher(matcher, usersOf) });
    }
  }
  return conditions;
}

/** One matcher. */
export function buildMatcher(document: MatcherDocument, usersOf: UsersOf): Matcher {
  if (Array.isArray(document)) return { kind: 'any-of', values: new Set(document.map(toByteString)) };
  const { file, regex, exists } = document;
  if (file !== undefined) return { kind: 'any-of', values: usersOf(file) };
  if (regex !== undefined) return { kind: 'pattern', pattern: regex };
  if (exists !== undefined) return { kind: 'exists', expected: exists };
  const kind = document.prefix !== undefined ? 'prefix' : document.suffix !== undefined ? 'suffix' : 'contains';
  return { kind, text: toByteString(document[kind] ?? '') };
}

/** Hosts are compared in lower case; a pattern is left to say so itself. */
function lowerCase(document: MatcherDocument): MatcherDocument {
  if (Array.isArray(document)) return document.map((host) => host.toLowerCase());
  const { prefix, suffix, contains } = document;
  return {
    ...document,
    prefix: prefix?.toLowerCase(),
    suffix: suffix?.toLowerCase(),
    contains: contains?.toLowerCase(),
  };
}

/** Normalised as request paths are, without a slash at the end: `/` is everything. */
export function toPathPrefix(path: string): ByteString {
  return normalizePath(toByteString(path)).replace(/\/+$/, '');
}

/** What stands where a list may stand, as a list; none where it is absent. */
export function listed<T>(value: T | T[] | undefined): T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
