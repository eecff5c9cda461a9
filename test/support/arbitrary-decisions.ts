// Random rollouts and requests from a small world, so that rules hold often, overlap, and share facts.
import * as fc from 'fast-check';
import type { Rollout, UserIdentity } from '../../src/rollout/policy.ts';
import type { Condition, IpSet, Matcher, Rule } from '../../src/rollout/rule.ts';
import { anyOf, beta, buildRollout, bytesOf, canary, type FactValues, issuedId, stable } from './decisions.ts';

const texts = ['a', 'ab', 'b', 'ba', '', bytesOf('张三')] as const;
const text = fc.constantFrom(...texts);
const name = fc.constantFrom('x', 'y');

/** Longer than any list that is copied into a map; more of them than are asked themselves. */
const longLists = Array.from({ length: 10 }, (_, i) =>
  anyOf(...Array.from({ length: 1_100 + i }, (__, k) => `filler-${i}-${k}`), ...(i % 2 === 0 ? ['a'] : ['b', 'ab'])),
);

const startsWithA: Matcher = { kind: 'pattern', pattern: { source: '^a', test: (value) => value.startsWith('a') } };

const matcher: fc.Arbitrary<Matcher> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(text, { maxLength: 3 }).map((values): Matcher => ({ kind: 'any-of', values: new Set(values) })),
  },
  { weight: 2, arbitrary: fc.constantFrom(...longLists) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('prefix', 'suffix', 'contains'), text }) },
  { weight: 1, arbitrary: fc.boolean().map((expected): Matcher => ({ kind: 'exists', expected })) },
  { weight: 1, arbitrary: fc.constant(startsWithA) },
);

const within: fc.Arbitrary<IpSet> = fc
  .subarray(['192.0.2.1', '192.0.2.2', '2001:db8::1'])
  .map((addresses) => ({ has: (ip) => addresses.includes(ip) }));

const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ on: fc.constant('user'), matches: matcher }),
  fc.record({ on: fc.constantFrom('header', 'cookie', 'query', 'jwt'), name, matches: matcher }),
  fc.record({ on: fc.constantFrom('method', 'host'), matches: fc.oneof(matcher, fc.constant(anyOf('GET', 'a'))) }),
  fc.record({
    on: fc.constant('path'),
    prefixes: fc.array(fc.constantFrom('', '/a', '/a/b', '/a/b/c', '/b'), { maxLength: 3 }),
  }),
  fc.record({ on: fc.constant('ip'), within }),
);

const percents = fc.record({ canary: fc.integer({ min: 0, max: 50 }), beta: fc.integer({ min: 0, max: 50 }) });

const then: fc.Arbitrary<Rule['then']> = fc.oneof(
  fc.constantFrom(stable, canary, beta).map((version) => ({ kind: 'use' as const, version })),
  percents.map((split) => ({ kind: 'split' as const, split })),
);

const identity: fc.Arbitrary<UserIdentity> = fc.record({
  from: fc.array(
    fc.oneof(
      fc.record({ kind: fc.constantFrom('header', 'cookie', 'query'), name }),
      fc.record({ kind: fc.constant('jwt'), claim: name }),
      fc.constant({ kind: 'ip' } as const),
    ),
    { maxLength: 3 },
  ),
  anonymous: fc.constantFrom('cookie', 'baseline', 'ip'),
  jwt: fc.constant(null),
});

const hundredths = fc.integer({ min: 0, max: 10_000 }).map((count) => count / 100);

const layer = fc.tuple(hundredths, hundredths).map(([one, other]) => ({
  name: 'checkout',
  salt: 'checkout',
  fromPercent: Math.min(one, other),
  toPercent: Math.max(one, other),
}));

const holdout = fc.record({ salt: fc.constantFrom('holdout', 'h2'), percent: fc.integer({ min: 1, max: 80 }) });

/** A rollout of three versions and up to 30 rules, named by their position. */
export const arbitraryRollout: fc.Arbitrary<Rollout> = fc
  .record({
    user: identity,
    rules: fc.array(fc.record({ when: fc.array(condition, { maxLength: 3 }), then }), { maxLength: 30 }),
    split: percents,
    layer: fc.option(layer, { freq: 2 }),
    holdout: fc.option(holdout, { freq: 2 }),
  })
  .map(({ user, rules, split, ...aside }) =>
    buildRollout({
      ...aside,
      user,
      split,
      versions: [stable, canary, beta],
      rules: rules.map((rule, i) => ({ name: `rule ${i}`, ...rule })),
    }),
  );

const values = fc.dictionary(name, fc.oneof(text, fc.constant('x'.repeat(1_025))), { maxKeys: 2 });

/** The facts of a request that such rollouts may or may not catch. */
export const arbitraryFacts: fc.Arbitrary<FactValues> = fc.record({
  method: fc.constantFrom('GET', 'POST'),
  host: fc.constantFrom('a', 'b', ''),
  path: fc.constantFrom('/', '/a', '/ab', '/a/b', '/a/b/', '/a/b/c/d', '/b/a', '*'),
  ip: fc.constantFrom('192.0.2.1', '192.0.2.2', '2001:db8::1', ''),
  headers: values,
  cookies: fc
    .tuple(values, fc.constantFrom(undefined, issuedId, 'forged'))
    .map(([own, issued]) => (issued === undefined ? own : { ...own, graygate_uid: issued })),
  queries: values,
  claims: values,
});
