// The keys of `events`: which requests count as something that a user did, and what it is worth.
import type { z } from 'zod';
import { buildMatcher, listed, toPathPrefix } from './build-conditions.ts';
import { toByteString } from './byte-string.ts';
import { parseJsonPath } from './json-path.ts';
import { accepted, refused, type Reading } from './reading.ts';
import { headerMatchers, methodName, pathPrefix, tokenPattern } from './rule-schema.ts';
import { listOf, mapping, oneOrMore, written } from './schema-kit.ts';
import type { EventRule, ValueSource } from '../rollout/experiment.ts';

type StatusRange = EventRule['statuses'][number];

/** A name that may stand in metrics and in the paths of the API. */
export const eventName = written(readEventName, 'a name such as purchase');

const onSchema = mapping(
  {
    method: oneOrMore(methodName, 'a method, or a list of methods').optional(),
    path: oneOrMore(pathPrefix, 'a path, or a list of paths').optional(),
    status: oneOrMore(
      written(readStatus, 'a status such as 2xx or 201'),
      'a status such as 2xx, or a list of them',
    ).prefault('2xx'),
    header: headerMatchers.optional(),
  },
  'a mapping with method, path, status or header',
);

export const eventsSchema = listOf(
  mapping(
    {
      name: eventName,
      on: onSchema.optional(),
      value: written(readValue, 'header:NAME, query:NAME, json:$.PATH or a number').optional(),
    },
    'an event: a mapping with name and on',
  ),
  'a list of events',
);

/** The events that a checked document means. */
export function buildEvents(document: z.output<typeof eventsSchema>): EventRule[] {
  return document.map(({ name, on, value = worthNothing }) => ({
    name,
    fromTraffic: on !== undefined,
    methods: listed(on?.method),
    paths: listed(on?.path).map(toPathPrefix),
    statuses: listed(on?.status),
    headers: Object.entries(on?.header ?? {}).map(([header, matcher]) => ({
      name: header.toLowerCase(),
      // Only a list of users may be a file.
      matches: buildMatcher(matcher, () => new Set()),
    })),
    value: value.kind === 'query' ? { kind: 'query', name: toByteString(value.name) } : value,
  }));
}

const worthNothing: ValueSource = { kind: 'constant', value: 0 };
const valueHint = 'write header:NAME, query:NAME, json:$.PATH or a number of at least 0';

function readEventName(value: unknown): Reading<string> {
  const name = String(value);
  if (/^[A-Za-z][A-Za-z0-9._-]{0,62}$/.test(name)) return accepted(name);
  return refused('is not a name for an event', 'begin with a letter; letters, digits and . _ - follow, 63 in all');
}

function readStatus(value: unknown): Reading<StatusRange> {
  const text = String(value);
  const hundreds = /^([1-5])xx$/.exec(text)?.[1];
  if (hundreds !== undefined) return accepted({ from: Number(hundreds) * 100, to: Number(hundreds) * 100 + 99 });
  if (/^[1-5]\d\d$/.test(text)) return accepted({ from: Number(text), to: Number(text) });
  return refused('is not a status', 'write one such as 201, or 2xx for all from 200 to 299');
}

function readValue(value: unknown): Reading<ValueSource> {
  const text = String(value);
  if (/^\d{1,12}(\.\d{1,9})?$/.test(text)) return accepted({ kind: 'constant', value: Number(text) });
  const [, kind, name = ''] = /^(header|query|json):(.*)$/s.exec(text) ?? [];
  if (kind === 'json') {
    const path = parseJsonPath(name, { wildcards: false });
    return path.ok ? accepted({ kind, path: path.value as readonly string[] }) : path;
  }
  if (kind === 'query' && name !== '') return accepted({ kind, name });
  if (kind === 'header' && tokenPattern.test(name)) return accepted({ kind, name: name.toLowerCase() });
  return refused('is not where a value comes from', valueHint);
}
