// The keys of a rollout's mirror and skew, and what is wrong between them and its versions.
import { z } from 'zod';
import type { Diff, Mirror } from '../rollout/mirror.ts';
import type { Version } from '../rollout/policy.ts';
import { parseJsonPath } from './json-path.ts';
import { suggestName } from '../rollout/nearest-name.ts';
import { type Finding, type Path, valueFinding } from './finding.ts';
import { parseCount, parsePercent, parseSize } from './quantities.ts';
import { pathPrefix, tokenPattern } from './rule-schema.ts';
import { accepted, refused, type Reading } from './reading.ts';
import { listOf, mapping, oneOrMore, text, toggle, written } from './schema-kit.ts';

const largestBodyBytes = 16 * 2 ** 20;
const headerNames = oneOrMore(written(readHeaderName, 'a header name'), 'a list of header names');
const place = written((value) => parseJsonPath(value, { wildcards: true }), 'a path such as $.time');
const placesForm = 'a list of paths such as $.time';
const places = z.union([place.transform((only) => [only]), listOf(place, placesForm)], { error: () => placesForm });

const diffSchema = mapping(
  {
    status: toggle().prefault(true),
    headers: headerNames.prefault(['content-type']),
    json: mapping({ ignore: places.prefault([]) }, 'a mapping with ignore').optional(),
  },
  'a mapping with status, headers or json',
);

export const mirrorSchema = mapping(
  {
    to: text('the name of a candidate'),
    percent: written(parsePercent, 'a percent from 0 to 100').prefault(100),
    maxRequests: written(parseCount, 'a whole number').prefault(100),
    bodyBytes: written(readBodyBytes, 'a size such as 64KiB').prefault('64KiB'),
    diff: diffSchema.optional(),
  },
  'a mapping with to and percent',
);

export const skewSchema = mapping(
  { assets: oneOrMore(pathPrefix, 'a path such as /assets/, or a list of them') },
  'a mapping with assets',
);

/** The mirror that a checked document means; `versions`: of the same rollout. */
export function buildMirror(document: z.output<typeof mirrorSchema>, versions: readonly Version[]): Mirror {
  const { to, percent, maxRequests, bodyBytes, diff } = document;
  const version = versions.find(({ name }) => name === to)!;
  return { to: version, percent, maxRequests, bodyBytes, diff: diff === undefined ? null : buildDiff(diff) };
}

function buildDiff({ status, headers, json }: z.output<typeof diffSchema>): Diff {
  return {
    status,
    headers: [...new Set([headers].flat())],
    json: json === undefined ? null : json,
  };
}

/** A mirror must name a candidate: copies of what the baseline gets are to show what another version makes of them. */
export function findInMirror(rollout: unknown, path: Path): Finding[] {
  const sketch = z
    .object({ mirror: z.object({ to: z.string() }), versions: z.record(z.string(), z.unknown()) })
    .safeParse(rollout).data;
  if (sketch === undefined) return [];
  const [baseline, ...candidates] = Object.keys(sketch.versions);
  const { to } = sketch.mirror;
  if (candidates.includes(to)) return [];
  const problem = to === baseline ? 'is the baseline' : 'is not a version';
  const hint = to === baseline ? 'name a candidate' : suggestName(to, candidates, 'candidates');
  return [valueFinding([...path, 'mirror', 'to'], problem, hint)];
}

function readHeaderName(value: unknown): Reading<string> {
  const name = String(value);
  return tokenPattern.test(name)
    ? accepted(name.toLowerCase())
    : refused('is not a header name', 'write one such as content-type');
}

function readBodyBytes(value: unknown): Reading<number> {
  const size = parseSize(value);
  if (!size.ok || size.value <= largestBodyBytes) return size;
  return refused('is out of range', 'write at most 16MiB: bodies are held in memory until they are compared');
}
