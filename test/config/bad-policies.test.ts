// Bad policy files and exactly what is said about each: place, path, what is wrong, what would be right.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { loadPolicy } from '../../src/config/load-policy.ts';
import { policySchema } from '../../src/config/policy-schema.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { rolloutSchema } from '../../src/config/rollout-schema.ts';
import { loadText, shopPolicy } from './policy-folder.ts';

type Row = [name: string, content: string | Buffer, ...problems: string[]];

const durationHint = 'write a number and a unit, such as 250ms, 30s, 10m, 2h or 7d';
const percentHint = 'write a number from 0 to 100 in steps of 0.01, such as 10, 0.01 or "12.5%"';
const rangeHint = 'write an address or a range, such as 10.8.0.0/16, 192.0.2.7 or 2001:db8::/32';
const jwtHint = 'add user.jwt with secret or jwksUrl, so that tokens can be verified';
// What is known grows with every issue.
const topKeys = Object.keys(policySchema.shape).join(', ');
const rolloutKeys = Object.keys(rolloutSchema.shape).join(', ');
const rule = (text: string) => shopPolicy(`    rules:\n      - ${text}\n`);
const versions = (text: string) => `version: 1\nlisten: 127.0.0.1:0\nrollouts:\n  - name: shop\n    versions:\n${text}`;

const syntax: Row[] = [
  ['an empty file', '', 'p.yaml:1:1: has no value; expected a mapping with version, listen and rollouts'],
  [
    'a file of comments',
    '# nothing\n',
    'p.yaml:1:1: has no value; expected a mapping with version, listen and rollouts',
  ],
  [
    'more aliases than anybody writes',
    `a: &a 1\nb: [${'*a, '.repeat(1_001)}*a]\n`,
    'p.yaml:1:1: more aliases than are looked at; write the values out',
  ],
  [
    'a key that would steer the terminal',
    'version: 1\nlisten: "127.0.0.1:0"\nrollouts: "\\e[2J"\n',
    'p.yaml:3:11: rollouts: is text; expected a list of at least one rollout',
  ],
  ['a list', '- 1\n', 'p.yaml:1:1: is a list; expected a mapping with version, listen and rollouts'],
  [
    'a tab',
    'version: 1\nadmin:\n\tlisten: a\n',
    'p.yaml:3:1: a tab at the beginning of a line; indent with spaces, each level by the same number',
  ],
  [
    'a bracket that stays open',
    'version: 1\nlisten: [a\nrollouts: x\n',
    'p.yaml:3:1: bad indentation, or a bracket that is not closed; indent with spaces, each level by the same number',
  ],
  [
    'a second document',
    `${shopPolicy()}---\nversion: 1\n`,
    'p.yaml:9:1: a second document begins; a policy is one document; leave "---" out',
  ],
  [
    'an unknown tag',
    `x: !x 1\n${shopPolicy()}`,
    `p.yaml:1:1: x: unknown key; known here: ${topKeys}`,
    'p.yaml:1:4: a !tag that is not known; leave it out',
  ],
  [
    'an alias without an anchor',
    'version: *one\n',
    'p.yaml:1:10: no anchor &one comes before this alias; quote text that begins with *',
  ],
  [
    'a merge key, which YAML 1.2 does not have',
    shopPolicy('    <<: { split: { canary: 1 } }\n'),
    `p.yaml:8:5: rollouts[0]["<<"]: unknown key; known here: ${rolloutKeys}`,
  ],
  [
    'a key that is there twice',
    shopPolicy('    split: { canary: 1, canary: 2 }\n'),
    'p.yaml:8:25: rollouts[0].split.canary: the key is there twice; keep one',
  ],
  [
    'a duplicate and another problem',
    shopPolicy('    salt: a\n    salt: b\n    splti: {}\n'),
    'p.yaml:9:5: rollouts[0].salt: the key is there twice; keep one',
    'p.yaml:10:5: rollouts[0].splti: unknown key; did you mean "split"?',
  ],
  [
    'an alias bomb',
    `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`,
    'p.yaml:1:1: aliases are used too often; write the values out',
  ],
  [
    'bytes that are not UTF-8',
    Buffer.concat([Buffer.from('version: 1\n# 灰度 '), Buffer.from([0xe7, 0x94]), Buffer.from('\n')]),
    'p.yaml:2:6: not UTF-8; save the file as UTF-8',
  ],
  ['UTF-16', Buffer.from(`\u{feff}${shopPolicy()}`, 'utf16le'), 'p.yaml:1:1: not UTF-8; save the file as UTF-8'],
  [
    'a file that is too large',
    `#${' '.repeat(1_048_576)}\n`,
    'p.yaml:1:1: larger than 1048576 bytes; put lists of users into files',
  ],
  [
    'a secret behind what is broken',
    'secret: "hunter2" "hunter2"\n',
    'p.yaml:1:19: something that cannot stand here; put text with special characters in quotes',
  ],
];

const topLevel: Row[] = [
  [
    'nothing but a version',
    'version: 1\n',
    'p.yaml:1:1: listen: is missing; expected an address such as 0.0.0.0:8080',
    'p.yaml:1:1: rollouts: is missing; expected a list of at least one rollout',
  ],
  [
    'another version',
    shopPolicy().replace('version: 1', 'version: 2'),
    'p.yaml:1:10: version: 2 is not a version of this format; write 1',
  ],
  ['a key of the wrong case', shopPolicy('', 'Admin: {}\n'), 'p.yaml:3:1: Admin: unknown key; did you mean "admin"?'],
  [
    'keys that there are not',
    shopPolicy('    frobnicate: []\n', 'frobnicate: 2\n'),
    `p.yaml:3:1: frobnicate: unknown key; known here: ${topKeys}`,
    `p.yaml:9:5: rollouts[0].frobnicate: unknown key; known here: ${rolloutKeys}`,
  ],
  [
    'a port alone',
    shopPolicy('', 'admin: { listen: 9090 }\n'),
    'p.yaml:3:18: admin.listen: 9090 is not an address to listen on; write HOST:PORT, such as 0.0.0.0:8080, 127.0.0.1:9090 or "[::]:8080"',
  ],
  [
    'one port for both',
    shopPolicy('', 'admin: { listen: 127.0.0.1:80 }\n').replace('127.0.0.1:0', '0.0.0.0:80'),
    'p.yaml:2:9: listen: "0.0.0.0:80" is the port of admin.listen too; the two need different ports',
  ],
  [
    'the default admin port for traffic',
    shopPolicy().replace('127.0.0.1:0', '127.0.0.1:9090'),
    'p.yaml:2:9: listen: "127.0.0.1:9090" is the port of admin.listen too; the two need different ports',
  ],
  [
    'ranges',
    shopPolicy('', 'trustedProxies: [10.0.0.0/33, 010.1.1.1]\n'),
    `p.yaml:3:18: trustedProxies[0]: "10.0.0.0/33" has a prefix above 32; ${rangeHint}`,
    `p.yaml:3:31: trustedProxies[1]: "010.1.1.1" is not an IP address or range; ${rangeHint}`,
  ],
  [
    'limits',
    shopPolicy('', 'limits: { headerBytes: 10B, bodyBytes: 16KB, connections: 0 }\n'),
    'p.yaml:3:24: limits.headerBytes: "10B" is out of range; write a size from 1KiB to 1MiB',
    'p.yaml:3:40: limits.bodyBytes: "16KB" is not a size; did you mean the unit KiB?',
    'p.yaml:3:59: limits.connections: 0 is not a whole number of at least 1; or write unlimited',
  ],
  [
    'durations',
    shopPolicy('', 'timeouts:\n  header: 10\n  idle: 75 s\n  drain: 25d\n'),
    `p.yaml:4:11: timeouts.header: 10 is not a duration; ${durationHint}`,
    `p.yaml:5:9: timeouts.idle: "75 s" is not a duration; ${durationHint}`,
    'p.yaml:6:10: timeouts.drain: "25d" is out of range; write a duration from 1ms to 24d',
  ],
  [
    'a mapping that is empty text',
    shopPolicy('', 'limits:\n'),
    'p.yaml:3:8: limits: has no value; expected a mapping with headerBytes, bodyBytes, connections or connectionsPerSecond',
  ],
  [
    'yes, which YAML 1.2 takes for text',
    shopPolicy('', 'logging: { access: yes }\n'),
    'p.yaml:3:20: logging.access: "yes" is neither true nor false',
  ],
  [
    'no rollout',
    'version: 1\nlisten: 127.0.0.1:0\nrollouts: []\n',
    'p.yaml:3:11: rollouts: is an empty list; expected a list of at least one rollout',
  ],
  ["the name of JavaScript's own", shopPolicy('    __proto__: {}\n'), 'p.yaml:8:5: rollouts[0].__proto__: unknown key'],
];

const rollouts: Row[] = [
  [
    'a rollout that is text',
    'version: 1\nlisten: 127.0.0.1:0\nrollouts: [shop]\n',
    'p.yaml:3:12: rollouts[0]: is text; expected a rollout: a mapping with name, versions and split or stages',
  ],
  [
    'names',
    shopPolicy(
      `  - name: Shop\n    versions: { a: { servers: http://a }, b: { servers: http://b } }\n  - name: shop\n    versions: { a: { servers: http://a }, b: { servers: http://b } }\n`,
    ),
    'p.yaml:8:11: rollouts[1].name: "Shop" is not a name for a rollout; begin with a lower-case letter; lower-case letters, digits and - follow, 63 in all',
    'p.yaml:10:11: rollouts[2].name: "shop" is a name that is taken; names are unique',
  ],
  [
    'one version',
    versions('      stable: { servers: [http://a] }\n'),
    'p.yaml:6:7: rollouts[0].versions: has fewer than two versions; name the baseline first, then a candidate',
  ],
  [
    'no version',
    versions('      {}\n'),
    'p.yaml:6:7: rollouts[0].versions: has fewer than two versions; name the baseline first, then a candidate',
  ],
  [
    'a version whose name JavaScript would sort first',
    versions('      stable: { servers: [http://a] }\n      2: { servers: [http://b] }\n'),
    'p.yaml:7:7: rollouts[0].versions["2"]: is not a name that can stand here; begin with a letter; letters, digits and . _ - follow, 63 in all',
  ],
  [
    'versions without servers',
    versions('      stable:\n      canary: { server: http://a }\n      third: { servers: [] }\n'),
    'p.yaml:6:14: rollouts[0].versions.stable: has no value; expected a mapping with servers',
    'p.yaml:7:15: rollouts[0].versions.canary.servers: is missing; expected a list of at least one server',
    'p.yaml:7:17: rollouts[0].versions.canary.server: unknown key; did you mean "servers"?',
    'p.yaml:8:25: rollouts[0].versions.third.servers: is an empty list; expected a list of at least one server',
  ],
  [
    'servers',
    versions(
      "      stable: { servers: ['https://u:hunter2@a', 'http://u:hunter2@a', 'http://a/x'] }\n      canary: { servers: [{ url: 'a:80', weight: 0 }, [a], 'http://b', { url: http://B:80/ }] }\n",
    ),
    'p.yaml:6:27: rollouts[0].versions.stable.servers[0]: names a user or password; write an origin such as http://10.0.0.1:3000',
    'p.yaml:6:50: rollouts[0].versions.stable.servers[1]: names a user or password; write an origin such as http://10.0.0.1:3000',
    'p.yaml:6:72: rollouts[0].versions.stable.servers[2]: "http://a/x" has more than a host and a port; write an origin such as http://10.0.0.1:3000',
    'p.yaml:7:34: rollouts[0].versions.canary.servers[0].url: "a:80" is not an http:// or https:// origin; write an origin such as http://10.0.0.1:3000',
    'p.yaml:7:50: rollouts[0].versions.canary.servers[0].weight: 0 is not a whole number of at least 1',
    'p.yaml:7:55: rollouts[0].versions.canary.servers[1]: is a list; expected a server: a URL, or a mapping with url and weight',
    'p.yaml:7:72: rollouts[0].versions.canary.servers[3]: is a server that is listed before; give the first one a weight',
  ],
  [
    'timeouts of a version',
    versions(
      '      stable: { servers: http://a, timeouts: { conect: 1s, idle: 0s } }\n      canary: { servers: http://b }\n',
    ),
    'p.yaml:6:48: rollouts[0].versions.stable.timeouts.conect: unknown key; did you mean "connect"?',
    'p.yaml:6:66: rollouts[0].versions.stable.timeouts.idle: "0s" is out of range; write a duration from 1ms to 24d',
  ],
  [
    'matches',
    shopPolicy('    match: { host: [a.com, "a.com:80", a/b], path: item }\n'),
    'p.yaml:8:28: rollouts[0].match.host[1]: "a.com:80" has a port; leave the port out; it is not compared',
    'p.yaml:8:40: rollouts[0].match.host[2]: "a/b" is not a host; write a name such as shop.example.com, or *.example.com for every name below it',
    'p.yaml:8:52: rollouts[0].match.path: "item" is not a path; write a path that begins with /',
  ],
  [
    'a path with a query',
    shopPolicy('    match: { path: ["/a", "/b?c"] }\n'),
    'p.yaml:8:27: rollouts[0].match.path[1]: "/b?c" is more than a path; leave out what begins with ? or #',
  ],
  [
    'where the user is',
    shopPolicy('    user: { from: [head:x, "header:a b", "cookie:", ip:x], anonymous: cookies }\n'),
    ...[
      '20: rollouts[0].user.from[0]: "head:x"',
      '28: rollouts[0].user.from[1]: "header:a b"',
      '42: rollouts[0].user.from[2]: "cookie:"',
      '53: rollouts[0].user.from[3]: "ip:x"',
    ].map(
      (start) =>
        `p.yaml:8:${start} is not a source of user IDs; write header:NAME, cookie:NAME, query:NAME, jwt:CLAIM or ip`,
    ),
    'p.yaml:8:71: rollouts[0].user.anonymous: "cookies" is not one of cookie, baseline, ip; did you mean "cookie"?',
  ],
  [
    'no source',
    shopPolicy('    user: { from: [] }\n'),
    'p.yaml:8:19: rollouts[0].user.from: is an empty list; expected a list of sources',
  ],
  [
    'claims without tokens',
    shopPolicy('    user: { from: jwt:sub }\n    rules: [{ name: a, when: { jwt: { plan: pro } }, use: canary }]\n'),
    `p.yaml:8:19: rollouts[0].user.from: "jwt:sub" needs user.jwt, which is missing; ${jwtHint}`,
    `p.yaml:9:32: rollouts[0].rules[0].when.jwt: needs user.jwt, which is missing; ${jwtHint}`,
  ],
  [
    'tokens with two keys',
    shopPolicy('    user: { jwt: { secret: a, jwksUrl: https://b } }\n'),
    'p.yaml:8:18: rollouts[0].user.jwt: has more than one of secret, jwksUrl; write exactly one',
  ],
  [
    'tokens without a key',
    shopPolicy('    user: { jwt: { issuer: a } }\n'),
    'p.yaml:8:18: rollouts[0].user.jwt: has none of secret, jwksUrl; write exactly one',
  ],
  [
    'tokens with a misspelt key',
    shopPolicy('    user: { jwt: { secrt: a } }\n'),
    'p.yaml:8:20: rollouts[0].user.jwt.secrt: unknown key; did you mean "secret"?',
  ],
  [
    'key sets that are no URL',
    shopPolicy('    user: { jwt: { jwksUrl: ftp://hunter2 } }\n'),
    'p.yaml:8:29: rollouts[0].user.jwt.jwksUrl: is not the URL of a key set; write a URL such as https://login.example.com/jwks.json',
  ],
  [
    'a mirror of the baseline',
    shopPolicy('    mirror: { to: stable }\n'),
    'p.yaml:8:19: rollouts[0].mirror.to: "stable" is the baseline; name a candidate',
  ],
  [
    'mirrors with words that are wrong',
    shopPolicy(
      '    mirror: { to: canari, percent: 200, bodyBytes: 1GiB, diff: { headers: "a b", json: { ignore: [time] } } }\n',
    ),
    'p.yaml:8:19: rollouts[0].mirror.to: "canari" is not a version; did you mean "canary"?',
    'p.yaml:8:36: rollouts[0].mirror.percent: 200 is not between 0 and 100 percent; write a number from 0 to 100 in steps of 0.01, such as 10, 0.01 or "12.5%"',
    'p.yaml:8:52: rollouts[0].mirror.bodyBytes: "1GiB" is out of range; write at most 16MiB: bodies are held in memory until they are compared',
    'p.yaml:8:75: rollouts[0].mirror.diff.headers: "a b" is not a header name; write one such as content-type',
    'p.yaml:8:99: rollouts[0].mirror.diff.json.ignore[0]: "time" is not a path in a JSON document; write a path from the root such as $.total or $.items[0].price',
  ],
  [
    'words',
    shopPolicy('    fallback: baselin\n    expose: "no"\n    salt: ""\n'),
    'p.yaml:8:15: rollouts[0].fallback: "baselin" is not one of baseline, none; did you mean "baseline"?',
    'p.yaml:9:13: rollouts[0].expose: "no" is neither true nor false',
    'p.yaml:10:11: rollouts[0].salt: "" is empty; expected text that the hash begins with',
  ],
];

const splits: Row[] = [
  [
    'a version that is not there',
    shopPolicy('    split: { canari: 10 }\n'),
    'p.yaml:8:14: rollouts[0].split.canari: there is no version "canari"; did you mean "canary"?',
  ],
  [
    'a version that is nowhere near',
    shopPolicy('    split: { blue: 10 }\n'),
    'p.yaml:8:14: rollouts[0].split.blue: there is no version "blue"; versions: canary',
  ],
  [
    'the baseline',
    shopPolicy('    split: { stable: 90, canary: 10 }\n'),
    'p.yaml:8:14: rollouts[0].split.stable: "stable" is the baseline and has the rest; name a candidate',
  ],
  [
    'percents',
    shopPolicy('    split: { canary: 10.001 }\n    rules: [{ name: a, when: { path: / }, split: { canary: 101% } }]\n'),
    `p.yaml:8:22: rollouts[0].split.canary: 10.001 is finer than a hundredth of a percent; ${percentHint}`,
    `p.yaml:9:60: rollouts[0].rules[0].split.canary: "101%" is not between 0 and 100 percent; ${percentHint}`,
  ],
  [
    'more than everyone',
    shopPolicy('      third: { servers: http://10.0.0.3 }\n    split: { canary: 60, third: 40.01 }\n'),
    'p.yaml:9:5: rollouts[0].split: adds up to 100.01 percent; the candidates may have 100 percent at most; the baseline has the rest',
  ],
];

const rules: Row[] = [
  [
    'nothing to do',
    rule('{ name: a, when: { path: / } }'),
    'p.yaml:9:9: rollouts[0].rules[0]: has none of use, split; write exactly one',
  ],
  [
    'two things to do',
    rule('{ name: a, when: { path: / }, use: canary, split: { canary: 1 } }'),
    'p.yaml:9:9: rollouts[0].rules[0]: has more than one of use, split; write exactly one',
  ],
  [
    'no name and no condition',
    rule('{ when: {}, use: canary }'),
    'p.yaml:9:9: rollouts[0].rules[0].name: is missing; expected a name to show in logs and answers',
    'p.yaml:9:17: rollouts[0].rules[0].when: has no condition; expected a mapping from what to look at (user, ip, header, …) to matchers',
  ],
  [
    'a version that is not there',
    rule('{ name: a, when: { path: / }, use: canry }'),
    'p.yaml:9:44: rollouts[0].rules[0].use: "canry" is not a version; did you mean "canary"?',
  ],
  [
    'a name twice',
    rule('{ name: a, when: { path: / }, use: canary }\n      - { name: a, when: { path: / }, use: canary }'),
    'p.yaml:10:17: rollouts[0].rules[1].name: "a" is a name that is taken; names are unique',
  ],
  [
    'unknown conditions',
    rule('{ name: a, when: { headers: { x: y }, city: z }, use: canary }'),
    'p.yaml:9:28: rollouts[0].rules[0].when.headers: unknown key; did you mean "header"?',
    'p.yaml:9:47: rollouts[0].rules[0].when.city: unknown key; known here: user, ip, method, path, host, header, cookie, query, jwt',
  ],
  [
    'numbers for text',
    rule('{ name: a, when: { user: [1001, u-1], query: { a: 010 } }, use: canary }'),
    'p.yaml:9:35: rollouts[0].rules[0].when.user[0]: 1001 is not text; put it in quotes',
    'p.yaml:9:59: rollouts[0].rules[0].when.query.a: 010 is not text; put it in quotes',
  ],
  [
    'empty lists',
    rule('{ name: a, when: { user: [], ip: [] }, use: canary }'),
    'p.yaml:9:34: rollouts[0].rules[0].when.user: is an empty list; expected text, or a list of texts',
    'p.yaml:9:42: rollouts[0].rules[0].when.ip: is an empty list; expected a list of addresses or ranges',
  ],
  [
    'matchers',
    rule(
      '{ name: a, when: { header: { a: { prefx: b }, b: { prefix: b, suffix: c }, c: {}, d: { exists: 1 }, e: { contains: "" } } }, use: canary }',
    ),
    'p.yaml:9:43: rollouts[0].rules[0].when.header.a.prefx: unknown key; did you mean "prefix"?',
    'p.yaml:9:58: rollouts[0].rules[0].when.header.b: has more than one of prefix, suffix, contains, regex, exists; write exactly one',
    'p.yaml:9:87: rollouts[0].rules[0].when.header.c: has none of prefix, suffix, contains, regex, exists; write exactly one',
    'p.yaml:9:104: rollouts[0].rules[0].when.header.d.exists: 1 is neither true nor false',
    'p.yaml:9:124: rollouts[0].rules[0].when.header.e.contains: "" is empty; expected some text',
  ],
  [
    'a file where there are no users',
    rule('{ name: a, when: { host: { file: x } }, use: canary }'),
    'p.yaml:9:36: rollouts[0].rules[0].when.host.file: unknown key; known here: prefix, suffix, contains, regex, exists',
  ],
  [
    'patterns',
    rule('{ name: a, when: { host: { regex: "a(?=b)" }, user: { regex: "(a" } }, use: canary }'),
    'p.yaml:9:43: rollouts[0].rules[0].when.host.regex: "a(?=b)" uses look-around, which needs backtracking; only patterns that run in linear time (RE2 syntax) are taken',
    'p.yaml:9:70: rollouts[0].rules[0].when.user.regex: "(a" is not a regular expression; RE2 says: missing closing )',
  ],
  [
    'names of headers',
    rule('{ name: a, when: { header: { "a b": c, "深": d }, cookie: { "": e } }, use: canary }'),
    'p.yaml:9:38: rollouts[0].rules[0].when.header["a b"]: is not a name that can stand here; write a name of letters, digits and -',
    'p.yaml:9:48: rollouts[0].rules[0].when.header["深"]: is not a name that can stand here; write a name of letters, digits and -',
    'p.yaml:9:68: rollouts[0].rules[0].when.cookie[""]: is not a name that can stand here; write a name of letters, digits and -',
  ],
  [
    'methods and ranges',
    rule('{ name: a, when: { method: [get, "G T"], ip: 10.0.0 }, use: canary }'),
    'p.yaml:9:37: rollouts[0].rules[0].when.method[0]: "get" is not upper case; methods are written as in GET',
    'p.yaml:9:42: rollouts[0].rules[0].when.method[1]: "G T" is not a method; write one such as GET',
    `p.yaml:9:54: rollouts[0].rules[0].when.ip: "10.0.0" is not an IP address or range; ${rangeHint}`,
  ],
  [
    'a file that is not there',
    rule('{ name: a, when: { user: { file: nope.txt } }, use: canary }'),
    'p.yaml:9:42: rollouts[0].rules[0].when.user.file: "nope.txt" cannot be read: no such file; name a file, relative to the policy file',
  ],
  [
    'a folder for a file',
    rule('{ name: a, when: { user: { file: . } }, use: canary }'),
    'p.yaml:9:42: rollouts[0].rules[0].when.user.file: "." cannot be read: it is a folder; name a file, relative to the policy file',
  ],
  [
    'something that is wrong where an alias points',
    shopPolicy('    salt: &hook ""\n    match: { path: *hook }\n'),
    'p.yaml:8:17: rollouts[0].salt: "" is empty; expected text that the hash begins with',
    'p.yaml:9:20: rollouts[0].match.path: is not a path; write a path that begins with /',
  ],
];

for (const [title, rows] of Object.entries({ syntax, topLevel, rollouts, splits, rules })) {
  suite(`${title}: what is said of`, () => {
    for (const [name, content, ...problems] of rows) {
      test(name, async (t) => {
        const { lines } = await loadText(t, content);
        assert.deepEqual(lines, problems);
      });
    }
  });
}

test('everything that is wrong is said at once, in reading order, once each', async (t) => {
  const { lines } = await loadText(
    t,
    'version: 2\nlisten: x\nlimit: {}\nrollouts:\n  - name: A\n    split: { b: 1 }\n',
  );
  assert.deepEqual(
    lines.map((line) => line.split(' ')[0]),
    ['p.yaml:1:10:', 'p.yaml:2:9:', 'p.yaml:3:1:', 'p.yaml:5:5:', 'p.yaml:5:11:', 'p.yaml:6:14:'],
  );
});

test('a value that cannot be replaced is one problem, not two', async (t) => {
  const { lines } = await loadText(t, shopPolicy().replace('127.0.0.1:0', '${ADDRESS}'));
  assert.deepEqual(lines, [
    'p.yaml:2:9: listen: the environment variable ADDRESS is not set; set it, or write ${ADDRESS:-default}',
  ]);
});

test('nesting that is too deep is one problem', async (t) => {
  const { lines } = await loadText(t, '['.repeat(20_000));
  // How deep is too deep depends on the stack.
  assert.match(lines.join('\n'), /^p\.yaml:1:\d+: nested too deeply$/);
});

test('a file that cannot be read is a problem of its own', async () => {
  const wrong = { 'nowhere/p.yaml': 'no such file', '.': 'it is a folder' };
  for (const [file, why] of Object.entries(wrong)) {
    const result = await loadPolicy(file, {});
    assert.deepEqual(result.ok ? [] : result.problems.map(formatProblem), [`${file}:1:1: cannot be read: ${why}`]);
  }
});

test('a problem is one line that steers no terminal, whatever the file holds', () => {
  const place = { file: 'p.yaml', line: 1, column: 2, path: 'a', hint: null };
  assert.equal(
    formatProblem({ ...place, problem: '"\u001b[2J\r\n" is bad' }),
    'p.yaml:1:2: a: "\\x1b[2J\\x0d\\x0a" is bad',
  );
});
