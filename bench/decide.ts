// What one decision costs: `npm run bench:decide` prints median and p99 over 10,000 different requests, in the quietest of 20
// interleaved rounds.
// "facts ready" is matchRollout + decide alone; "from the request" also reads host, path, headers, cookies and address off it.
import { styleText } from 'node:util';
import { CidrSet, parseCidr } from '../src/config/ip-set.ts';
import { RequestFacts } from '../src/gateway/facts.ts';
import type { RequestLike } from '../src/gateway/raw-headers.ts';
import { decide } from '../src/rollout/decide.ts';
import { fixedStaging } from '../src/rollout/staging.ts';
import type { Facts } from '../src/rollout/facts.ts';
import { compileRollouts, matchRollout, type RolloutTable } from '../src/rollout/matching.ts';
import type { Rollout, Version } from '../src/rollout/policy.ts';
import type { Condition, Matcher, Rule } from '../src/rollout/rule.ts';
import { layOutSplit } from '../src/rollout/split.ts';
import { defaultServing } from '../test/support/default-serving.ts';

const requestCount = 10_000;
const roundCount = 20;
const goalUs = 2;

const versions: [Version, Version] = [versionOf('stable', 0), versionOf('canary', 1)];
const split = layOutSplit(versions, { canary: 10 });
const noProxies = new CidrSet([]);

function versionOf(name: string, index: number): Version {
  const timeouts = { connectMs: 1, responseMs: 1, idleMs: 1 };
  const servers = [{ origin: 'http://127.0.0.1:1', weight: 1 }] as const;
  return { name, index, servers, timeouts, serving: defaultServing, http2: false, tls: null };
}

function rolloutOf(name: string, rules: readonly Rule[], match: Rollout['match'] = { hosts: [], paths: [] }): Rollout {
  const user: Rollout['user'] = { from: [{ kind: 'header', name: 'x-user-id' }], anonymous: 'cookie', jwt: null };
  const percents = { canary: 10 };
  const staging = fixedStaging('r1', ['stable', 'canary'], percents);
  const fixed = { fallback: 'baseline', expose: true, streams: 'keep', mirror: null, skew: null } as const;
  const uncompared = { events: [], experiment: null, exclude: [], layer: null, holdout: null } as const;
  return { name, match, user, salt: name, versions, rules, split: percents, staging, ...fixed, ...uncompared };
}

const anyOf = (...values: string[]): Matcher => ({ kind: 'any-of', values: new Set(values) });

/** Of ten rules: four user lists, two headers, one cookie, one CIDR range, two paths (one with a method). */
function ruleOf(i: number): Rule {
  const kinds: (() => Condition[])[] = [
    () => [{ on: 'user', matches: anyOf(...Array.from({ length: 50 }, (_, k) => `tester-${i}-${k}`)) }],
    () => [{ on: 'header', name: 'x-city', matches: anyOf(`city-${i}`) }],
    () => [
      { on: 'user', matches: anyOf(`vip-${i}`) },
      { on: 'method', matches: anyOf('GET') },
    ],
    () => [{ on: 'cookie', name: 'cohort', matches: anyOf(`cohort-${i}`) }],
    () => [{ on: 'user', matches: anyOf(`staff-${i}`, `staff-${i}-2`) }],
    () => [{ on: 'ip', within: rangeOf(`10.${i % 250}.0.0/16`) }],
    () => [{ on: 'path', prefixes: [`/beta-${i}`, `/api/beta-${i}`] }],
    () => [{ on: 'header', name: 'x-client', matches: anyOf(`app-${i}`) }],
    () => [{ on: 'user', matches: anyOf(`partner-${i}`) }],
    () => [
      { on: 'path', prefixes: [`/orders/${i}`] },
      { on: 'method', matches: anyOf('POST', 'PUT') },
    ],
  ];
  return { name: `rule ${i}`, when: kinds[i % kinds.length]!(), then: { kind: 'use', version: versions[1] } };
}

function rangeOf(cidr: string): CidrSet {
  const parsed = parseCidr(cidr);
  if (!parsed.ok) throw new Error(`expected a CIDR range, got ${cidr}`);
  return new CidrSet([parsed.value]);
}

const rulesOf = (count: number): Rule[] => Array.from({ length: count }, (_, i) => ruleOf(i));

/** One request in fifty is a tester's; the rest pass by every rule and are split. */
function requestOf(i: number): RequestLike {
  const user = i % 50 === 0 ? `tester-0-${i % 40}` : `user-${i * 7919}`;
  const rawHeaders = [
    ['Host', `shop-${i % 200}.example.com`],
    ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36'],
    ['Accept', 'text/html,application/xhtml+xml'],
    ['Accept-Encoding', 'gzip, br'],
    ['Accept-Language', 'zh-CN,zh;q=0.9'],
    ['Cookie', `session=${i}abcdef; cohort=none; theme=dark`],
    ['X-User-Id', user],
    ['X-City', 'hangzhou'],
    ['X-Client', 'web'],
    ['X-Request-Id', `r-${i}`],
  ].flat();
  const url = `/app-${i % 200}/item/${i}?page=${i % 9}`;
  return {
    method: 'GET',
    url,
    rawHeaders,
    remoteAddress: `192.168.${i % 8}.${i % 250}`,
    scheme: 'http',
  };
}

/** The same answers as RequestFacts, without the reading. */
function readyFacts(request: RequestLike): Facts {
  const facts = new RequestFacts(request, noProxies);
  const headers = new Map(['x-user-id', 'x-city', 'x-client'].map((name) => [name, facts.header(name)]));
  const cookies = new Map(['cohort', 'graygate_uid'].map((name) => [name, facts.cookie(name)]));
  return {
    method: facts.method,
    host: facts.host,
    path: facts.path,
    ip: facts.ip,
    header: (name) => headers.get(name),
    cookie: (name) => cookies.get(name),
    query: () => undefined,
    claim: () => undefined,
    freshUserId: () => facts.freshUserId(),
  };
}

type Figures = { readonly medianUs: number; readonly p99Us: number };

/** Times each call alone; the timer's own cost (tens of nanoseconds) is in the figures. */
function measureRound<Input>(inputs: readonly Input[], run: (input: Input) => unknown): Figures {
  const tookNs = new Float64Array(inputs.length);
  for (const [i, input] of inputs.entries()) {
    const before = process.hrtime.bigint();
    run(input);
    tookNs[i] = Number(process.hrtime.bigint() - before);
  }
  tookNs.sort();
  return { medianUs: tookNs[inputs.length >> 1]! / 1_000, p99Us: tookNs[Math.floor(inputs.length * 0.99)]! / 1_000 };
}

/** The quietest of many rounds: what others do on the machine can only add to a figure. */
function quietest(rounds: readonly Figures[]): Figures {
  return rounds.toSorted((a, b) => a.medianUs - b.medianUs)[0]!;
}

function decideOn(table: RolloutTable, facts: Facts): unknown {
  const compiled = matchRollout(table, facts);
  return compiled === null ? null : decide(compiled, split, facts);
}

const millionUsers = new Set(Array.from({ length: 1_000_000 }, (_, i) => `listed-${i}`));
const millionRule: Rule = {
  name: 'a million users',
  when: [{ on: 'user', matches: { kind: 'any-of', values: millionUsers } }],
  then: { kind: 'use', version: versions[1] },
};
const twoHundred = Array.from({ length: 200 }, (_, i) =>
  rolloutOf(`app-${i}`, rulesOf(10), {
    hosts: [
      i % 2 === 0 ? { kind: 'exact', host: `shop-${i}.example.com` } : { kind: 'suffix', suffix: '.example.com' },
    ],
    paths: [`/app-${i}`],
  }),
);
const cases: readonly (readonly [name: string, rollouts: readonly Rollout[]])[] = [
  ['no rule', [rolloutOf('shop', [])]],
  ...[1, 10, 100, 1_000].map((count) => [`${count} rules`, [rolloutOf('shop', rulesOf(count))]] as const),
  ['100 rules and a million-user list', [rolloutOf('shop', [...rulesOf(100), millionRule])]],
  ['200 rollouts, 10 rules each', twoHundred],
];

const requests = Array.from({ length: requestCount }, (_, i) => requestOf(i));
const ready = requests.map(readyFacts);
const subjects = cases.map(([name, rollouts]) => {
  const table = compileRollouts({ rollouts });
  return {
    name,
    alone: (facts: Facts) => decideOn(table, facts),
    whole: (request: RequestLike) => decideOn(table, new RequestFacts(request, noProxies)),
    aloneRounds: [] as Figures[],
    wholeRounds: [] as Figures[],
  };
});
for (let round = 0; round < roundCount; round += 1) {
  for (const subject of subjects) {
    subject.aloneRounds.push(measureRound(ready, subject.alone));
    subject.wholeRounds.push(measureRound(requests, subject.whole));
  }
}

const column = ({ medianUs, p99Us }: Figures, width: number): string =>
  `${medianUs.toFixed(2)}${p99Us.toFixed(2).padStart(9)}`.padStart(width);
const lines = [
  `${'microseconds a decision'.padEnd(36)}${'facts ready'.padStart(20)}${'from the request'.padStart(22)}`,
  `${''.padEnd(36)}${'median      p99'.padStart(20)}${'median      p99'.padStart(22)}`,
  `${'(the timer alone)'.padEnd(36)}${column(
    measureRound(ready, () => null),
    20,
  )}`,
];
let isMet = true;
for (const { name, aloneRounds, wholeRounds } of subjects) {
  const alone = quietest(aloneRounds);
  lines.push(`${name.padEnd(36)}${column(alone, 20)}${column(quietest(wholeRounds), 22)}`);
  if (name.startsWith('100 rules') && alone.medianUs >= goalUs) isMet = false;
}
lines.push(
  styleText(isMet ? 'green' : 'red', `goal: median below ${goalUs} with 100 rules: ${isMet ? 'met' : 'missed'}`),
);
process.stdout.write(`${lines.join('\n')}\n`);
