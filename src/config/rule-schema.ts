// The keys of one rule: when it holds (matchers) and what it does. Texts stay Unicode here; build-policy.ts makes bytes of them.
import { z } from 'zod';
import { parseCidr } from './ip-set.ts';
import { parsePattern } from './linear-pattern.ts';
import { parsePercent } from './quantities.ts';
import { accepted, refused, type Reading } from './reading.ts';
import {
  exactlyOne,
  isReadable,
  type IssueDetails,
  keyed,
  keyName,
  mapping,
  oneOrMore,
  someText,
  text,
  toggle,
  written,
} from './schema-kit.ts';

/** A name that HTTP allows for a header or a cookie (RFC 9110 5.6.2). */
export const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Percent a version; the names are checked against the versions in cross-checks.ts. */
export const percentByName = keyed(
  z.string(),
  written(parsePercent, 'a percent from 0 to 100'),
  'a mapping from versions to percents',
);

/** A path of requests: begins with `/`, and neither query nor fragment. */
export const pathPrefix = written(readPath, 'a path such as /item');

const operators = {
  prefix: someText('some text').optional(),
  suffix: someText('some text').optional(),
  contains: someText('some text').optional(),
  regex: written(parsePattern, 'a regular expression').optional(),
  exists: toggle().optional(),
};

const operatorNames = Object.keys(operators);
const matcherForms = `text, a list of texts, or one of ${operatorNames.join(', ')}`;
const texts = listedTexts(text('text'));
const matcher = matcherOf(texts);

const fileOrOperators = { file: someText('the name of a file, one user ID a line').optional(), ...operators };
const userForms = `${matcherForms} or file`;
const userMatcher = z.union([texts, exactlyOne(mapping(fileOrOperators, userForms), Object.keys(fileOrOperators))], {
  error: () => userForms,
});

const token = keyName(tokenPattern, 'write a name of letters, digits and -');
const anyName = keyName(/./s, 'write a name');

const whenForms = 'a mapping from what to look at (user, ip, header, …) to matchers';

/** A method, upper case. */
export const methodName = written(readMethod, 'a method such as GET');

/** Header names to matchers. */
export const headerMatchers = keyed(token, matcher, 'a mapping from header names to matchers');

/** Conditions that must all hold. */
export const whenSchema = mapping(
  {
    user: userMatcher.optional(),
    ip: oneOrMore(
      written(parseCidr, 'an address or a range such as 10.8.0.0/16'),
      'a list of addresses or ranges',
    ).optional(),
    method: matcherOf(listedTexts(methodName)).optional(),
    path: oneOrMore(pathPrefix, 'a path, or a list of paths').optional(),
    host: matcher.optional(),
    header: headerMatchers.optional(),
    cookie: keyed(token, matcher, 'a mapping from cookie names to matchers').optional(),
    query: keyed(anyName, matcher, 'a mapping from query parameters to matchers').optional(),
    jwt: keyed(anyName, matcher, 'a mapping from claims to matchers').optional(),
  },
  whenForms,
).refine((when) => Object.keys(when).length > 0, {
  message: 'has no condition',
  params: { hint: `expected ${whenForms}`, hidesValue: true, at: 'value' } satisfies IssueDetails,
  when: isReadable,
});

export const ruleSchema = exactlyOne(
  mapping(
    {
      name: someText('a name to show in logs and answers'),
      when: whenSchema,
      use: text('the name of a version').optional(),
      split: percentByName.optional(),
    },
    'a rule: a mapping with name, when, and use or split',
  ),
  ['use', 'split'],
);

export type MatcherDocument = z.output<typeof userMatcher>;
export type WhenDocument = z.output<typeof whenSchema>;
export type RuleDocument = z.output<typeof ruleSchema>;

function listedTexts<Item extends z.ZodType<string>>(item: Item) {
  return oneOrMore(item, 'text, or a list of texts').transform((values) => [values].flat());
}

function matcherOf<Texts extends z.ZodType<string[]>>(anyOf: Texts) {
  return z.union([anyOf, exactlyOne(mapping(operators, matcherForms), operatorNames)], { error: () => matcherForms });
}

function readMethod(value: unknown): Reading<string> {
  const method = String(value);
  if (!tokenPattern.test(method)) return refused('is not a method', 'write one such as GET');
  return method === method.toUpperCase()
    ? accepted(method)
    : refused('is not upper case', 'methods are written as in GET');
}

function readPath(value: unknown): Reading<string> {
  const path = String(value);
  if (!path.startsWith('/')) return refused('is not a path', 'write a path that begins with /');
  if (/[?#]/.test(path)) return refused('is more than a path', 'leave out what begins with ? or #');
  return accepted(path);
}
