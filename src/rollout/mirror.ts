// What an operator decided about copies of requests, and how the answer to a copy is held against the one the user got. Pure.
import { isWithin, type JsonPath, showPlace } from './json-path.ts';
import type { ByteString, Version } from './policy.ts';

export type Mirror = {
  /** The candidate that gets the copies of what other versions answer. */
  readonly to: Version;
  /** Percent of the safe requests. */
  readonly percent: number;
  /** Copies under way at a time; beyond it none is made. */
  readonly maxRequests: number;
  /** Longest body, of a request that is copied and of an answer that is compared. */
  readonly bodyBytes: number;
  readonly diff: Diff | null;
};

/** What of two answers must be the same. Header names in lower case. */
export type Diff = {
  readonly status: boolean;
  readonly headers: readonly string[];
  /** null: bodies are not compared. Places in `ignore` may differ. */
  readonly json: { readonly ignore: readonly JsonPath[] } | null;
};

/** `json`: undefined where the body is not JSON, or too long to be compared. */
export type ComparedAnswer = {
  readonly status: number;
  /** Names in lower case and values in turn. */
  readonly headers: readonly ByteString[];
  readonly json: unknown;
};

export type DifferenceKind = 'status' | 'header' | 'json';

/** One way in which the answers differ; values as text, shortened. `place`: a header's name, or a path such as `$.items[0]`. */
export type Difference = {
  readonly kind: DifferenceKind;
  readonly place: string;
  readonly user: string | null;
  readonly copy: string | null;
};

/** Differences of one pair of answers that are worth a look; more say nothing new. */
const mostDifferences = 20;
const longestShown = 120;

/** How the answer to the copy differs from the user's; empty: not at all. Cost: linear in the smaller of the two documents. */
export function differencesBetween(user: ComparedAnswer, copy: ComparedAnswer, diff: Diff): Difference[] {
  const found: Difference[] = [];
  if (diff.status && user.status !== copy.status) {
    found.push({ kind: 'status', place: 'status', user: String(user.status), copy: String(copy.status) });
  }
  for (const name of diff.headers) {
    const [a, b] = [headerOf(user, name), headerOf(copy, name)];
    if (a !== b) found.push({ kind: 'header', place: name, user: shorten(a), copy: shorten(b) });
  }
  if (diff.json !== null) compareJson({ found, ignore: diff.json.ignore }, [user.json, copy.json], []);
  return found.slice(0, mostDifferences);
}

/** All values of a header; null where it is absent. */
function headerOf({ headers }: ComparedAnswer, name: string): string | null {
  const values = headers.filter((_, index) => index % 2 === 1 && headers[index - 1] === name);
  return values.length === 0 ? null : values.join(', ');
}

type JsonSearch = { readonly found: Difference[]; readonly ignore: readonly JsonPath[] };

function compareJson(search: JsonSearch, [user, copy]: readonly [unknown, unknown], place: readonly string[]): void {
  if (search.found.length >= mostDifferences) return;
  if (user === copy || search.ignore.some((path) => isWithin(place, path))) return;
  if (!isContainer(user) || !isContainer(copy) || Array.isArray(user) !== Array.isArray(copy)) {
    search.found.push({ kind: 'json', place: showPlace(place), user: showJson(user), copy: showJson(copy) });
    return;
  }
  const keys = new Set([...Object.keys(user), ...Object.keys(copy)]);
  for (const key of keys) compareJson(search, [ownValue(user, key), ownValue(copy, key)], [...place, key]);
}

type Container = Readonly<Record<string, unknown>>;

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

function ownValue(container: Container, key: string): unknown {
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

function showJson(value: unknown): string | null {
  return value === undefined ? null : shorten(JSON.stringify(value));
}

function shorten(text: string | null): string | null {
  return text === null || text.length <= longestShown ? text : `${text.slice(0, longestShown)}…`;
}
