import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { loadPolicy } from '../../src/config/load-policy.ts';
import { formatProblem } from '../../src/config/problem.ts';
import type { Condition } from '../../src/rollout/rule.ts';
import { loadText, policyIn, shopPolicy, temporaryFolder } from './policy-folder.ts';

test('the smallest policy gets every default', async (t) => {
  const policy = await policyIn(t, shopPolicy());
  const { trustedProxies, ...rest } = policy;
  assert.equal(trustedProxies.has('127.0.0.1'), false);
  const timeouts = { connectMs: 2_000, responseMs: 30_000, idleMs: 60_000 };
  assert.partialDeepStrictEqual(rest, {
    listen: { host: '127.0.0.1', port: 0 },
    admin: { listen: { host: '127.0.0.1', port: 9090 } },
    limits: { headerBytes: 16_384, bodyBytes: Infinity, connections: Infinity, connectionsPerSecond: Infinity },
    timeouts: { headerMs: 10_000, idleMs: 75_000, drainMs: 30_000 },
    logging: { access: false },
    rollouts: [
      {
        name: 'shop',
        match: { hosts: [], paths: [] },
        user: { from: [{ kind: 'header', name: 'x-user-id' }], anonymous: 'cookie', jwt: null },
        salt: 'shop',
        versions: [
          { name: 'stable', index: 0, servers: [{ origin: 'http://10.0.0.1:3000', weight: 1 }], timeouts },
          { name: 'canary', index: 1, servers: [{ origin: 'http://10.0.0.2:3000', weight: 1 }], timeouts },
        ],
        fallback: 'baseline',
        expose: true,
        mirror: null,
        skew: null,
        rules: [],
        split: { canary: 10 },
        events: [],
        experiment: null,
        exclude: [],
        layer: null,
        holdout: null,
      },
    ],
  });
});

test('every key of the gateway itself is read', async (t) => {
  const top = `admin: { listen: "[::1]:0" }
trustedProxies: 10.0.0.0/8
limits: { headerBytes: 32KiB, bodyBytes: 16MiB, connections: 1000, connectionsPerSecond: 50 }
timeouts: { header: 250ms, idle: 2m, drain: 1h }
logging: { access: true }
`;
  const policy = await policyIn(t, shopPolicy(undefined, top));
  assert.partialDeepStrictEqual(policy.admin, { listen: { host: '::1', port: 0 } });
  assert.deepEqual([policy.trustedProxies.has('10.9.9.9'), policy.trustedProxies.has('11.1.1.1')], [true, false]);
  assert.deepEqual(policy.limits, {
    headerBytes: 32_768,
    bodyBytes: 16_777_216,
    connections: 1_000,
    connectionsPerSecond: 50,
  });
  assert.deepEqual(policy.timeouts, { headerMs: 250, idleMs: 120_000, drainMs: 3_600_000 });
  assert.equal(policy.logging.access, true);
});

test('every key of a rollout is read', async (t) => {
  const [rollout] = (
    await policyIn(
      t,
      `version: 1
listen: 127.0.0.1:0
rollouts:
  - name: shop
    match: { host: [Shop.example.com, "*.example.org"], path: [/, /a/../item/, /深, /%41] }
    user:
      from: [header:X-Id, "cookie:uid", "query:用户", "jwt:用户", ip]
      anonymous: ip
      jwt: { jwksUrl: https://a/jwks, issuer: i, audience: a }
    salt: 盐
    versions:
      stable: { servers: http://a, timeouts: { connect: 1s, response: 2s, idle: 3s } }
      canary: { servers: [http://b, { url: http://c, weight: 3 }] }
      constructor: { servers: http://d }
    fallback: none
    expose: false
    split: { canary: "12.5%" }
`,
    )
  ).rollouts;
  assert.deepEqual(rollout?.match, {
    hosts: [
      { kind: 'exact', host: 'shop.example.com' },
      { kind: 'suffix', suffix: '.example.org' },
    ],
    paths: ['', '/item', '/%E6%B7%B1', '/A'],
  });
  assert.deepEqual(rollout?.user, {
    from: [
      { kind: 'header', name: 'x-id' },
      { kind: 'cookie', name: 'uid' },
      { kind: 'query', name: '\xe7\x94\xa8\xe6\x88\xb7' },
      { kind: 'jwt', claim: '用户' },
      { kind: 'ip' },
    ],
    anonymous: 'ip',
    jwt: { key: { kind: 'jwks', url: 'https://a/jwks' }, issuer: 'i', audience: 'a' },
  });
  assert.equal(rollout?.salt, '\xe7\x9b\x90');
  assert.deepEqual(rollout?.versions[0].timeouts, { connectMs: 1_000, responseMs: 2_000, idleMs: 3_000 });
  assert.deepEqual(rollout?.versions[1]?.servers, [
    { origin: 'http://b', weight: 1 },
    { origin: 'http://c', weight: 3 },
  ]);
  assert.deepEqual([rollout?.fallback, rollout?.expose], ['none', false]);
  assert.deepEqual(Object.entries(rollout?.split ?? {}), [
    ['canary', 12.5],
    ['constructor', 0],
  ]);
});

suite('conditions', () => {
  const rows: [written: string, condition: Condition][] = [
    ['user: u-1', { on: 'user', matches: { kind: 'any-of', values: new Set(['u-1']) } }],
    ['user: [u-1, 深]', { on: 'user', matches: { kind: 'any-of', values: new Set(['u-1', '\xe6\xb7\xb1']) } }],
    ['method: GET', { on: 'method', matches: { kind: 'any-of', values: new Set(['GET']) } }],
    ['path: [/a/, /b]', { on: 'path', prefixes: ['/a', '/b'] }],
    ['host: [A.com, b.com]', { on: 'host', matches: { kind: 'any-of', values: new Set(['a.com', 'b.com']) } }],
    ['host: { suffix: .A.com }', { on: 'host', matches: { kind: 'suffix', text: '.a.com' } }],
    [
      'header: { X-City: 深 }',
      { on: 'header', name: 'x-city', matches: { kind: 'any-of', values: new Set(['\xe6\xb7\xb1']) } },
    ],
    [
      'cookie: { Sid: { prefix: 深 } }',
      { on: 'cookie', name: 'Sid', matches: { kind: 'prefix', text: '\xe6\xb7\xb1' } },
    ],
    ['query: { 深: { contains: b } }', { on: 'query', name: '\xe6\xb7\xb1', matches: { kind: 'contains', text: 'b' } }],
    ['jwt: { 深: { exists: false } }', { on: 'jwt', name: '深', matches: { kind: 'exists', expected: false } }],
  ];
  for (const [written, condition] of rows) {
    test(`${written} is read`, async (t) => {
      const keys = `    user: { jwt: { secret: s } }\n    rules: [{ name: a, when: { ${written} }, use: canary }]\n`;
      const [rule] = (await policyIn(t, shopPolicy(keys))).rollouts[0]?.rules ?? [];
      assert.deepEqual(rule?.when, [condition]);
    });
  }

  test('addresses and patterns answer for themselves', async (t) => {
    const rules = '    rules: [{ name: a, when: { ip: [10.0.0.0/8, "::1"], user: { regex: "^深" } }, use: canary }]\n';
    const [rule] = (await policyIn(t, shopPolicy(rules))).rollouts[0]?.rules ?? [];
    const [user, ip] = rule?.when ?? [];
    assert.ok(ip?.on === 'ip' && ip.within.has('10.1.1.1') && ip.within.has('::1') && !ip.within.has('11.1.1.1'));
    assert.ok(user?.on === 'user' && user.matches.kind === 'pattern');
    assert.equal(user.matches.pattern.test('\xe6\xb7\xb1\xe5\x9c\xb3'), true);
    assert.equal(user.matches.pattern.source, '^深');
  });

  test('a rule does what it says', async (t) => {
    const rules = `    rules:
      - { name: a, when: { path: / }, use: stable }
      - { name: b, when: { path: / }, split: { canary: 50 } }
`;
    const rollout = (await policyIn(t, shopPolicy(rules))).rollouts[0];
    assert.deepEqual(rollout?.rules.map(({ name, then }) => [name, then]) ?? [], [
      ['a', { kind: 'use', version: rollout?.versions[0] }],
      ['b', { kind: 'split', split: { canary: 50 } }],
    ]);
  });
});

test('the first version listed is the baseline, whatever the names', async (t) => {
  const policy = await policyIn(t, shopPolicy('').replace('stable', 'zeta').replace('canary', 'alpha'));
  assert.deepEqual(
    policy.rollouts[0]?.versions.map(({ name }) => name),
    ['zeta', 'alpha'],
  );
});

test('a policy is frozen all the way down', async (t) => {
  const policy = await policyIn(t, shopPolicy('    rules: [{ name: a, when: { user: [u] }, use: canary }]\n'));
  const thawed: string[] = [];
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null || value instanceof Set) return;
    if ('has' in value) return;
    if (!Object.isFrozen(value)) thawed.push(path);
    for (const [key, item] of Object.entries(value)) visit(item, `${path}.${key}`);
  };
  visit(policy, 'policy');
  assert.deepEqual(thawed, []);
});

test('values from the environment are read as if they were written', async (t) => {
  const content = shopPolicy(
    '    split: { canary: "${PERCENT}" }\n    expose: ${EXPOSE:-false}\n',
    'timeouts: { drain: "${DRAIN}" }\n',
  );
  const { rollouts, timeouts } = await policyIn(t, content, { PERCENT: '12.5%', DRAIN: '5s' });
  assert.deepEqual([rollouts[0]?.split, rollouts[0]?.expose, timeouts.drainMs], [{ canary: 12.5 }, false, 5_000]);
});

test('a byte order mark, CRLF, anchors and Chinese comments are fine', async (t) => {
  const content = shopPolicy('    salt: &s "灰度"\n    rules: [{ name: *s, when: { path: / }, use: canary }] # 灰度\n');
  const policy = await policyIn(t, `\u{feff}${content.replaceAll('\n', '\r\n')}`);
  assert.equal(policy.rollouts[0]?.rules[0]?.name, '灰度');
});

suite('secrets are never printed', () => {
  const keys = `    user:
      from: [header:x, "\${S}"]
      anonymous: "\${S}"
      jwt: { secret: 12345678, jwksUrl: "https://u:hunter2@\${S}/", issuer: "" }
    salt: "\${NONE:-\${S}"
    fallback: "\${S}"
    match: { host: "\${S} \${S}", path: "\${S}" }
    rules:
      - name: a
        when: { ip: "\${S}", method: "\${S}", user: { file: "\${S}" }, header: { a: { regex: "(\${S}" } } }
        use: "\${S}"
      - { name: "\${S}", when: { header: { a: { exists: "\${S}" } } }, split: { canary: "\${S}" } }
      - { name: "\${S}", when: { path: / }, use: canary }
    split: { canary: "\${WRONG:-hunter2}" }
`;
  const top = `admin: { listen: "\${S}" }
limits: { headerBytes: "\${S}", bodyBytes: "\${S}", connections: "\${S}" }
timeouts: { drain: "\${S}" }
logging: { access: "\${S}" }
`;
  for (const secret of ['hunter2', 'HUNTER2', 'hunter2KB', '12345678', 'http://u:hunter2@a']) {
    test(`whatever is wrong with them: ${secret}`, async (t) => {
      const content = shopPolicy(keys, top).replace('http://10.0.0.1:3000', '"${S}", "http://x:hunter2@y", "${S}"');
      const { lines } = await loadText(t, content, { S: secret });
      assert.ok(lines.length >= 20, lines.join('\n'));
      const leaks = lines.filter((line) => /hunter2|12345678/i.test(line.replace('"${WRONG:-…}"', '')));
      assert.deepEqual(leaks, []);
    });
  }
});

const rulesOf = (name: string) =>
  shopPolicy(`    rules:
      - { name: a, when: { user: { file: ${name} } }, use: canary }
      - { name: b, when: { user: { file: ${name} } }, use: stable }
`);

suite('files of users', () => {
  test('are found beside the policy, are the values of the rule, and are named in what the policy depends on', async (t) => {
    const folder = await temporaryFolder(t);
    await mkdir(join(folder, 'lists'));
    await writeFile(join(folder, 'lists/testers.txt'), 'u-1\n深\n');
    await writeFile(join(folder, 'p.yaml'), rulesOf('lists/testers.txt'));
    const result = await loadPolicy(join(folder, 'p.yaml'), {});
    assert.ok(result.ok);
    assert.deepEqual(result.files, [join(folder, 'p.yaml'), join(folder, 'lists/testers.txt')]);
    const [first, second] = result.policy.rollouts[0]!.rules.map(({ when }) => when[0]);
    assert.deepEqual(first, { on: 'user', matches: { kind: 'any-of', values: new Set(['u-1', '\xe6\xb7\xb1']) } });
    assert.ok(
      first?.on === 'user' &&
        second?.on === 'user' &&
        first.matches.kind === 'any-of' &&
        second.matches.kind === 'any-of',
    );
    assert.equal(first.matches.values, second.matches.values, 'expected one set for one file');
  });

  test('are depended on also where they cannot be read and where the policy is wrong elsewhere', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'p.yaml'), rulesOf('later.txt').replace('version: 1', 'version: 2'));
    const result = await loadPolicy(join(folder, 'p.yaml'), {});
    assert.deepEqual(result.files, [join(folder, 'p.yaml'), join(folder, 'later.txt')]);
  });

  test('are shown with the line that is wrong', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 't.txt'), Buffer.from([0x61, 0x0a, 0xff, 0x0a]));
    await writeFile(join(folder, 'p.yaml'), rulesOf('t.txt').replace(/ {6}- \{ name: b.*\n/, ''));
    const result = await loadPolicy(join(folder, 'p.yaml'), {});
    assert.deepEqual(result.ok ? [] : result.problems.map(formatProblem), [
      `${folder}/t.txt:2:1: rollouts[0].rules[0].when.user.file: not UTF-8; save the file as UTF-8`,
    ]);
  });

  test('count in the fingerprint, like the policy itself', async (t) => {
    const folder = await temporaryFolder(t);
    const fingerprint = async () => (await loadPolicy(join(folder, 'p.yaml'), {})).fingerprint;
    const seen: string[] = [await fingerprint()];
    await writeFile(join(folder, 'p.yaml'), rulesOf('t.txt'));
    seen.push(await fingerprint());
    await writeFile(join(folder, 't.txt'), 'u-1\n');
    seen.push(await fingerprint());
    assert.equal(await fingerprint(), seen.at(-1));
    await writeFile(join(folder, 't.txt'), 'u-2\n');
    seen.push(await fingerprint());
    await writeFile(join(folder, 'p.yaml'), `${rulesOf('t.txt')}# more\n`);
    seen.push(await fingerprint());
    assert.equal(new Set(seen).size, 5);
  });
});
