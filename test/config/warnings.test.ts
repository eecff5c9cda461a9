import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { formatProblem } from '../../src/config/problem.ts';
import { placedWarnings } from '../../src/config/warnings.ts';
import { loadText, shopPolicy } from './policy-folder.ts';

const rules = (...lines: string[]) =>
  `    rules:\n${lines.map((line) => `      - ${line}\n`).join('')}    split: { canary: 1 }\n`;
const split = '    split: { canary: 1 }\n';
const second = (match: string) => `${split}  - name: other
    match: ${match}
    versions: { stable: { servers: http://a }, canary: { servers: http://b } }
    split: { canary: 1 }
`;
const longSecret = 'x'.repeat(32);
const tokens = `{ from: jwt:sub, jwt: { secret: ${longSecret} } }`;
const excludeStaff = '    exclude: [{ jwt: { staff: "yes" } }]\n';
const anyUser = '{ from: header:x-user-id }';
const mall = ({ order = '', others = '', user = anyUser, otherUser = anyUser }) => `version: 1
listen: 127.0.0.1:0
rollouts:
  - name: item
    match: { path: /item }
    user: ${user}
    versions:
      stable: { servers: http://a }
      canary: { servers: http://b }
    split: { canary: 50 }
    events:
      - { name: purchase, on: { method: POST, path: ${order} } }
  - name: others
    match: { path: ${others} }
    user: ${otherUser}
    versions: { stable: { servers: http://a }, canary: { servers: http://b } }
    split: { canary: 50 }
`;
const hidden = (index: number, line: number, by = 'a') =>
  `p.yaml:${line}:9: rollouts[0].rules[${index}]: never holds: "${by}" before it takes all of its requests; put the narrower rule first`;

const rows: [name: string, content: string, ...warnings: string[]][] = [
  ['nothing', shopPolicy()],
  [
    'an admin port for everyone',
    shopPolicy(split, 'admin: { listen: 0.0.0.0:9090 }\n'),
    'p.yaml:3:10: admin.listen: can be reached from other machines; listen on 127.0.0.1, or guard the port',
  ],
  [
    'a candidate without users',
    shopPolicy(''),
    'p.yaml:7:7: rollouts[0].versions.canary: gets no user; give it a percent in split, or a rule with use: canary',
  ],
  ['a candidate that a rule uses', shopPolicy('    rules: [{ name: a, when: { user: u }, use: canary }]\n')],
  [
    'a candidate that a rule splits to',
    shopPolicy('    rules: [{ name: a, when: { user: u }, split: { canary: 5 } }]\n'),
  ],
  [
    "a candidate on the baseline's servers",
    shopPolicy(split).replace('10.0.0.2', '10.0.0.1'),
    "p.yaml:7:17: rollouts[0].versions.canary.servers: are the servers of the baseline; name the new version's servers",
  ],
  [
    'anonymous users without a split',
    shopPolicy(`    user: { anonymous: baseline }\n${split}`),
    'p.yaml:8:13: rollouts[0].user.anonymous: keeps every request without a user ID out of the split; write cookie or ip, unless this is meant',
  ],
  [
    'a short secret',
    shopPolicy(`    user: { from: jwt:sub, jwt: { secret: hunter2 } }\n${split}`),
    'p.yaml:8:35: rollouts[0].user.jwt.secret: is shorter than 32 bytes; a short secret can be guessed from one token',
  ],
  [
    'a secret that is long enough in bytes',
    shopPolicy(`    user: { from: jwt:sub, jwt: { secret: ${'深'.repeat(11)} } }\n${split}`),
  ],
  [
    'tokens that nothing reads',
    shopPolicy(`    user: { jwt: { secret: ${longSecret} } }\n${split}`),
    'p.yaml:8:13: rollouts[0].user.jwt: is not used; add jwt:CLAIM to user.from, or leave it out',
  ],
  [
    'a key set over plain HTTP and for every audience',
    shopPolicy(`    user: { from: jwt:sub, jwt: { jwksUrl: http://login/jwks } }\n${split}`),
    'p.yaml:8:28: rollouts[0].user.jwt: takes tokens that were issued for other services; add audience',
    'p.yaml:8:35: rollouts[0].user.jwt.jwksUrl: is fetched without encryption; use https: who can change the answer can forge tokens',
  ],
  [
    'a key set on this machine',
    shopPolicy(`    user: { from: jwt:sub, jwt: { jwksUrl: "http://[::1]:1/jwks", audience: a } }\n${split}`),
  ],
  [
    'a rollout behind one that takes everything',
    shopPolicy(second('{ host: a.com }')),
    'p.yaml:9:5: rollouts[1]: gets no request: "shop" before it takes them all; put the narrower match first',
  ],
  [
    'a rollout behind one that takes its host and path',
    shopPolicy(`    match: { host: "*.a.com", path: [/x, /y] }\n${second('{ host: b.a.com, path: /y/z }')}`),
    'p.yaml:10:5: rollouts[1]: gets no request: "shop" before it takes them all; put the narrower match first',
  ],
  [
    'a rollout beside another',
    shopPolicy(`    match: { host: "*.a.com", path: [/x] }\n${second('{ host: a.com, path: /x }')}`),
  ],
  ['a rollout with another path', shopPolicy(`    match: { host: a.com, path: [/x] }\n${second('{ host: a.com }')}`)],
  [
    'a rule behind everything',
    shopPolicy(rules('{ name: a, when: { path: / }, use: canary }', '{ name: b, when: { user: u }, use: canary }')),
    hidden(1, 10),
  ],
  [
    'a rule behind every address',
    shopPolicy(
      rules(
        '{ name: a, when: { ip: ["0.0.0.0/0", "::/0"] }, use: canary }',
        '{ name: b, when: { user: u }, use: canary }',
      ),
    ),
    hidden(1, 10),
  ],
  [
    'a rule behind some addresses',
    shopPolicy(
      rules(
        '{ name: a, when: { ip: 10.0.0.0/8 }, use: canary }',
        '{ name: b, when: { ip: 10.1.0.0/16 }, use: canary }',
      ),
    ),
  ],
  [
    'a rule whose list is within another',
    shopPolicy(
      rules(
        '{ name: a, when: { user: [u, v] }, use: canary }',
        '{ name: b, when: { user: v, method: GET }, use: stable }',
      ),
    ),
    hidden(1, 10),
  ],
  [
    'a rule whose list is partly within another',
    shopPolicy(
      rules('{ name: a, when: { user: [u, v] }, use: canary }', '{ name: b, when: { user: [v, w] }, use: stable }'),
    ),
  ],
  [
    'a rule with fewer conditions',
    shopPolicy(
      rules('{ name: a, when: { user: u, method: GET }, use: canary }', '{ name: b, when: { user: u }, use: stable }'),
    ),
  ],
  [
    'rules on different headers',
    shopPolicy(
      rules(
        '{ name: a, when: { header: { x: u } }, use: canary }',
        '{ name: b, when: { header: { y: u } }, use: stable }',
      ),
    ),
  ],
  [
    'rules on a header and a cookie of one name',
    shopPolicy(
      rules(
        '{ name: a, when: { header: { x: u } }, use: canary }',
        '{ name: b, when: { cookie: { x: u } }, use: stable }',
      ),
    ),
  ],
  ...(
    [
      ['{ prefix: ab }', 'abc', true],
      ['{ prefix: ab }', '{ prefix: abc }', true],
      ['{ prefix: abc }', '{ prefix: ab }', false],
      ['{ suffix: bc }', '{ suffix: abc }', true],
      ['{ suffix: bc }', '{ prefix: bc }', false],
      ['{ contains: b }', '{ prefix: abc }', true],
      ['{ contains: b }', '{ contains: abc }', true],
      ['{ contains: b }', '{ suffix: ac }', false],
      ['{ regex: "^a" }', '[ab, ac]', true],
      ['{ regex: "^a" }', '[ab, ba]', false],
      ['{ regex: "^a" }', '{ regex: "^a" }', true],
      ['{ regex: "^a" }', '{ prefix: a }', false],
      ['{ exists: true }', '{ prefix: a }', true],
      ['{ exists: true }', 'a', true],
      ['{ exists: true }', '{ exists: true }', true],
      ['{ exists: true }', '{ exists: false }', false],
      ['{ exists: false }', 'a', false],
    ] as const
  ).map(([first, later, isHidden]): [string, string, ...string[]] => [
    `a rule for ${later} behind one for ${first}`,
    shopPolicy(
      rules(
        `{ name: a, when: { header: { x: ${first} } }, use: canary }`,
        `{ name: b, when: { header: { X: ${later} } }, use: stable }`,
      ),
    ),
    ...(isHidden ? [hidden(1, 10)] : []),
  ]),
  ['events that are seen in their own rollout or in another', mall({ order: '[/item, /orders/7]', others: '/orders' })],
  [
    'events that are on paths of no rollout',
    mall({ order: '[/item/buy, /订单]', others: '/orders' }),
    'p.yaml:12:53: rollouts[0].events[0].on.path: is never seen: no rollout takes "/订单"; correct the path, or add a rollout that takes it',
  ],
  [
    'events of users whom tokens name, where no tokens are verified',
    mall({ order: '/orders', others: '/orders', user: tokens }),
    'p.yaml:12:53: rollouts[0].events[0].on.path: is never seen: "others" takes "/orders" and verifies other tokens, or none; write the same user.jwt there',
  ],
  [
    'no tokens that another rollout needs',
    mall({ order: '/orders', others: '/orders', user: tokens, otherUser: tokens.replace('from: jwt:sub, ', '') }),
  ],
  [
    'no tokens that say who is excluded',
    shopPolicy(`    user: { jwt: { secret: ${longSecret} } }\n${excludeStaff}${split}`),
  ],
  [
    'paths',
    shopPolicy(
      rules(
        '{ name: a, when: { path: [/a, /b] }, use: canary }',
        '{ name: b, when: { path: [/a/x, /b] }, use: canary }',
        '{ name: c, when: { path: [/ab] }, use: canary }',
      ),
    ),
    hidden(1, 10),
  ],
];

suite('strict checks warn of', () => {
  for (const [name, content, ...warnings] of rows) {
    test(name, async (t) => {
      const { result, lines } = await loadText(t, content);
      assert.ok(result.ok, lines.join('\n'));
      const found = placedWarnings(result).map(formatProblem);
      assert.deepEqual(
        found.map((line) => line.slice(line.lastIndexOf('p.yaml'))),
        warnings,
      );
    });
  }
});
